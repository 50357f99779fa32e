"""A training step of a model file in PyTorch, eager: milliseconds, the median of some steps after a few that are not counted.

    step_pytorch.py MODEL.toml BATCH_SIZE
"""

import statistics
import sys
import time
import tomllib
from pathlib import Path

import torch
from torch import nn
from torch.nn import functional

STEPS = 10
# What its own guide advises for convolutions on processors.
LAYOUT = torch.channels_last
OPTIMIZERS = {
    "sgd": lambda weights: torch.optim.SGD(weights, lr=0.01, momentum=0.9, nesterov=True),
    "rmsprop": lambda weights: torch.optim.RMSprop(weights, lr=1e-3, alpha=0.9, eps=1e-7),
    "adam": torch.optim.Adam,
    "adamw": torch.optim.AdamW,
}


def two(size):
    return tuple(size) if isinstance(size, list) else (size, size)


def same(size, kernel, stride):
    """What Keras puts around an image with `same`: the smaller half before it."""
    total = max((-(-size // stride) - 1) * stride + kernel - size, 0)
    return [total // 2, total - total // 2]


class Padded(nn.Module):
    """A convolution or pooling, with Keras's borders before it where there are any."""

    def __init__(self, border, layer):
        super().__init__()
        self.border, self.layer = border, layer

    def forward(self, x):
        return self.layer(functional.pad(x, self.border) if any(self.border) else x)


def activation(name):
    return {"relu": nn.ReLU, "softmax": nn.Identity, "linear": nn.Identity}[name]()


def layer_of(table, shape):
    """A layer for inputs of a shape without the batch; the loss takes logits, so the last softmax is left out."""
    kind = table["type"]
    if kind in ("Conv2D", "DepthwiseConv2D"):
        channels, height, width = shape
        (kernel_h, kernel_w), (stride_h, stride_w) = two(table["kernel_size"]), two(table.get("strides", 1))
        border = [0] * 4
        if table.get("padding") == "same":
            border = [*same(width, kernel_w, stride_w), *same(height, kernel_h, stride_h)]
        depthwise = kind == "DepthwiseConv2D"
        even = border[0] == border[1] == border[2] == border[3]
        convolution = nn.Conv2d(
            channels,
            channels if depthwise else table["filters"],
            (kernel_h, kernel_w),
            (stride_h, stride_w),
            padding=border[0] if even else 0,
            groups=channels if depthwise else 1,
            bias=table.get("use_bias", True),
        )
        layers = [convolution if even else Padded(border, convolution)]
    elif kind == "Dense":
        layers = [nn.Linear(shape[0], table["units"], bias=table.get("use_bias", True))]
    elif kind == "MaxPooling2D":
        size = two(table.get("pool_size", 2))
        stride = two(table.get("strides", list(size)))
        border = [0] * 4
        if table.get("padding") == "same":
            border = [*same(shape[2], size[1], stride[1]), *same(shape[1], size[0], stride[0])]
        layers = [Padded(border, nn.MaxPool2d(size, stride))]
    elif kind == "ZeroPadding2D":
        layers = [nn.ZeroPad2d(table.get("padding", 1))]
    else:
        layers = [
            {
                "BatchNormalization": lambda: nn.BatchNorm2d(shape[0]) if len(shape) == 3 else nn.BatchNorm1d(shape[0]),
                "ReLU": nn.ReLU,
                "Activation": lambda: activation(table["activation"]),
                "Dropout": lambda: nn.Dropout(table["rate"]),
                "Flatten": nn.Flatten,
                "GlobalAveragePooling2D": lambda: nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten()),
                # By eye it costs nothing beside a convolution, and PyTorch has none of its own.
                "RandomFlip": nn.Identity,
            }[kind]()
        ]
    if "activation" in table and kind != "Activation":
        layers.append(activation(table["activation"]))
    return layers[0] if len(layers) == 1 else nn.Sequential(*layers)


class Net(nn.Module):
    def __init__(self, file):
        super().__init__()
        self.tables, self.layers = file["layers"], nn.ModuleList()
        height, width, channels = file["input_shape"]
        values = {"input": torch.zeros(2, channels, height, width)}
        for table in self.tables:
            layer = nn.Identity() if table["type"] == "Add" else layer_of(table, self.inputs(table, values)[0].shape[1:])
            self.layers.append(layer)
            self.step(table, layer, values)

    def inputs(self, table, values):
        return [values[name] for name in table.get("inputs", [])] or [list(values.values())[-1]]

    def step(self, table, layer, values):
        inputs = self.inputs(table, values)
        y = inputs[0] + inputs[1] if table["type"] == "Add" else layer(inputs[0])
        values[table.get("name", f"layer {len(values)}")] = y
        return y

    def forward(self, x):
        values = {"input": x}
        for table, layer in zip(self.tables, self.layers):
            y = self.step(table, layer, values)
        return y


def main():
    path, batch_size = Path(sys.argv[1]), int(sys.argv[2])
    file = tomllib.loads(path.read_text())
    model = Net(file).to(memory_format=LAYOUT)
    height, width, channels = file["input_shape"]
    x = torch.rand(batch_size, channels, height, width).to(memory_format=LAYOUT)
    truth = torch.randint(0, model(x).shape[1], (batch_size,))
    optimizer = OPTIMIZERS[file.get("optimizer", {}).get("name", "rmsprop")](model.parameters())
    loss_of = nn.CrossEntropyLoss()
    times = []
    for _ in range(3 + STEPS):
        begun = time.perf_counter()
        logits = model(x)
        loss = loss_of(logits, truth)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        loss.item(), (logits.argmax(1) == truth).sum().item()
        times.append(1e3 * (time.perf_counter() - begun))
    print(statistics.median(times[3:]))


if __name__ == "__main__":
    main()

"""The convolutions of a model file in PyTorch, one by one: milliseconds forward, and back to the input and to the kernel, as JSON
by layer. Medians of some calls after a few that are not counted, on as many threads as PyTorch takes by itself.

    convolutions_pytorch.py MODEL.toml BATCH_SIZE
"""

import json
import statistics
import sys
import time
import tomllib
from pathlib import Path

import torch
from torch import nn
from torch.nn import functional

from step_pytorch import LAYOUT, Net

CALLS = 20
FIRST = 3


def milliseconds(call):
    times = []
    for _ in range(FIRST + CALLS):
        begun = time.perf_counter()
        call()
        times.append(1e3 * (time.perf_counter() - begun))
    return statistics.median(times[FIRST:])


def three_ways(convolution, x):
    weight, stride, groups = convolution.weight, convolution.stride, convolution.groups
    padding, dilation = convolution.padding, convolution.dilation
    with torch.no_grad():
        y = functional.conv2d(x, weight, None, stride, padding, dilation, groups)
        dy = torch.rand_like(y)

        def back(*wanted):
            torch.ops.aten.convolution_backward(
                dy, x, weight, None, stride, padding, dilation, False, [0, 0], groups, [*wanted, False]
            )

        return {
            "forward": milliseconds(lambda: functional.conv2d(x, weight, None, stride, padding, dilation, groups)),
            "backward_input": milliseconds(lambda: back(True, False)),
            "backward_kernel": milliseconds(lambda: back(False, True)),
        }


def main():
    path, batch_size = Path(sys.argv[1]), int(sys.argv[2])
    file = tomllib.loads(path.read_text())
    model = Net(file).to(memory_format=LAYOUT)
    height, width, channels = file["input_shape"]
    inputs = {}
    for table, layer in zip(model.tables, model.layers):
        for part in layer.modules():
            if isinstance(part, nn.Conv2d):
                part.register_forward_pre_hook(
                    lambda part, seen, name=table["name"]: inputs.update({name: (part, seen[0].detach())})
                )
    model(torch.rand(batch_size, channels, height, width).to(memory_format=LAYOUT))
    print(json.dumps({name: three_ways(*seen) for name, seen in inputs.items()}))


main()

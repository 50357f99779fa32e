"""Records what torchvision's ResNet-18 computes, for the test that holds assets/models/resnet18.toml to it.

    pip install torch==2.15.0 torchvision==0.29.2 safetensors==0.8.0       # Python 3.11
    python tests/golden/make_torch_resnet.py            # writes resnet18/recording.json and resnet18/sketches.safetensors
    python tests/golden/make_torch_resnet.py --search   # says which of some seeds has the widest margin

Weights, images and labels are made by splitmix64 in the same way here and in resnet18.rs, so that none of them are in the repository.
Three things are recorded, each in float64:

- `outputs`: the logits of a model that is not in training, by its moving statistics;
- `training`: the logits of a model in training, by the statistics of the batch, and the gradient of the mean cross-entropy by each weight;
- `frozen`: the gradient by each weight but those of batch normalizations, which are not trained and so take their moving statistics.

A tensor of more than BUCKETS elements is kept as a count sketch: each element, in the order of PyTorch, is added to one of BUCKETS sums or
subtracted from it, as its number says. The sketch is linear, so the sketch of a difference is the difference of sketches; its squared length is
the squared length of the tensor but for a standard deviation of sqrt(2 / BUCKETS) of it (Charikar, Chen and Farach-Colton 2002). An element in
another place changes it as much as it changes the tensor.

Beside each tensor stands how far PyTorch's own float32 is from it: the relative distance in L2, of the whole tensors, the worse of with
and without oneDNN, whose sums go in other orders. (One alone is luck where few numbers make up a tensor: in the gradient of the last bias the
probabilities of two classes do.) Where a number decides, as that before a ReLU by its sign, float32 may decide otherwise than float64, and distances are then those of luck. SEED is the one
of SEEDS whose closest decision is the widest apart.
"""

import json
import sys
from pathlib import Path

import numpy as np
import torch
import torchvision
from safetensors.numpy import save_file
from samples import splitmix64, symmetric

HERE = Path(__file__).resolve().parent / "resnet18"
SEED = 0
SEEDS = 32
SIDE = 64
BATCH = 2
BUCKETS = 128
# What is added to SEED for images, labels and sketches; weights have numbers from 0.
IMAGES, LABELS, SKETCHES = 1000, 1001, 2000
# Seeds of one SEED do not meet those of the next.
STRIDE = 10_000


def weights(seed, state):
    """Values of each tensor, by what its name says it is, in float32."""
    made = {}
    for number, (name, tensor) in enumerate(state.items()):
        if name.endswith("num_batches_tracked"):
            made[name] = tensor
            continue
        noise = symmetric(seed * STRIDE + number, tensor.numel())
        if tensor.dim() > 1:
            values = noise * np.sqrt(6 / (tensor.numel() // tensor.shape[0]))
        elif name.endswith(("running_var", "bn1.weight", "bn2.weight", "downsample.1.weight")):
            values = 1 + 0.5 * noise
        else:
            values = 0.2 * noise
        made[name] = torch.from_numpy(values.astype(np.float32).reshape(tensor.shape))
    return made


def model(seed, dtype):
    torch.manual_seed(0)
    made = torchvision.models.resnet18(weights=None)
    made.load_state_dict(weights(seed, made.state_dict()))
    return made.to(dtype)


def batch(seed, dtype):
    """Bytes by 255 in float32 [BATCH, 3, SIDE, SIDE], and labels."""
    count = BATCH * SIDE * SIDE * 3
    pixels = splitmix64(seed * STRIDE + IMAGES, count).astype(np.uint8).reshape(BATCH, SIDE, SIDE, 3)
    images = torch.from_numpy(pixels.astype(np.float32) / np.float32(255)).permute(0, 3, 1, 2).contiguous()
    labels = splitmix64(seed * STRIDE + LABELS, BATCH).astype(np.uint8)
    return images.to(dtype), torch.from_numpy(labels.astype(np.int64))


def computed(seed, dtype, onednn=True):
    """Name of what is recorded: its tensors by their names."""
    images, labels = batch(seed, dtype)
    with torch.backends.mkldnn.flags(enabled=onednn):
        net = model(seed, dtype).eval()
        with torch.no_grad():
            outputs = {"logits": net(images)}
        frozen = gradients(net, images, labels)
        frozen = {name: tensor for name, tensor in frozen.items() if tensor.dim() > 1 or name == "fc.bias"}
        return {"outputs": outputs, "frozen": frozen, "training": gradients(model(seed, dtype).train(), images, labels)}


def gradients(net, images, labels):
    logits = net(images)
    torch.nn.functional.cross_entropy(logits, labels).backward()
    found = {name: parameter.grad for name, parameter in net.named_parameters()}
    return found | ({"logits": logits.detach()} if net.training else {})


def sketch(seed, number, tensor):
    values = tensor.numpy().astype(np.float64).ravel()
    if values.size <= BUCKETS:
        return values
    bits = splitmix64(seed * STRIDE + SKETCHES + number, values.size)
    signed = np.where(bits >> np.uint64(63) == 1, -values, values)
    return np.bincount((bits % np.uint64(BUCKETS)).astype(np.int64), weights=signed, minlength=BUCKETS)


def margin(seed):
    """The closest decision: the least number before a ReLU by its sign, or before the pooling of two of a window, as a part of what is usual
    there."""
    found = []

    def before_relu(_, inputs):
        found.append((inputs[0].abs().min() / inputs[0].square().mean().sqrt()).item())

    def before_pool(_, inputs):
        windows = torch.nn.functional.unfold(torch.nn.functional.pad(inputs[0], (1, 1, 1, 1)), 3, stride=2)
        windows = windows.reshape(BATCH, 64, 9, -1)
        first, second = windows.topk(2, dim=2).values.unbind(2)
        apart = torch.where(first > 0, first - second, torch.inf).min()
        found.append((apart / inputs[0].square().mean().sqrt()).item())

    images, _ = batch(seed, torch.float64)
    for net in (model(seed, torch.float64).train(), model(seed, torch.float64).eval()):
        for module in net.modules():
            if isinstance(module, torch.nn.ReLU):
                module.register_forward_pre_hook(before_relu)
        net.maxpool.register_forward_pre_hook(before_pool)
        with torch.no_grad():
            net(images)
    return min(found)


def record():
    exact = computed(SEED, torch.float64)
    singles = [computed(SEED, torch.float32, onednn) for onednn in (True, False)]
    rows, sketches = [], {}
    for what, tensors in exact.items():
        for name, tensor in tensors.items():
            number = len(rows)
            apart = [((single[what][name].double() - tensor).norm() / tensor.norm()).item() for single in singles]
            rows.append({"what": what, "tensor": name, "shape": list(tensor.shape), "norm": tensor.norm().item(),
                         "float32": max(apart)})
            print(f"{what} {name}: {', '.join(f'{one:.2e}' for one in apart)}")
            sketches[f"{what}/{name}"] = sketch(SEED, number, tensor)
    state = model(SEED, torch.float32).state_dict()
    recording = {
        "versions": {"torch": torch.__version__, "torchvision": torchvision.__version__},
        "seed": SEED,
        "margin": margin(SEED),
        "state": [{"name": name, "shape": list(tensor.shape)} for name, tensor in state.items()],
        "tensors": rows,
    }
    HERE.mkdir(exist_ok=True)
    text = json.dumps(recording).replace("}, {", "},\n{").replace("[{", "[\n{").replace("}]", "}\n]")
    (HERE / "recording.json").write_text(text + "\n")
    save_file(sketches, HERE / "sketches.safetensors")


if __name__ == "__main__":
    torch.set_num_threads(1)
    if sys.argv[1:] == ["--search"]:
        margins = {seed: margin(seed) for seed in range(SEEDS)}
        best = max(margins, key=margins.get)
        print(f"seed {best} has margin {margins[best]:.3g}; the median is {np.median(list(margins.values())):.3g}")
    else:
        record()

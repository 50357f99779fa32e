"""Exported models pass ONNX's checker, and onnxruntime predicts with them what we predict."""

import json
import sys
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from common import DEVICE, ROOT, agree, images_of, predictions, shadegrad
from keras_runs import write_run

# Sizes without symmetry, so that no axis can be taken for another.
ODD = """name = "odd"
input_shape = [19, 14, 3]
class_names = ["left", "right", "neither"]

[[layers]]
type = "Conv2D"
filters = 5
kernel_size = [4, 3]
strides = [2, 1]
activation = "relu"

[[layers]]
type = "MaxPooling2D"
pool_size = [2, 3]
strides = [1, 2]

[[layers]]
type = "Conv2D"
filters = 7
kernel_size = [3, 2]

[[layers]]
type = "Flatten"

[[layers]]
type = "Dense"
units = 6
activation = "relu"

[[layers]]
type = "Dense"
units = 3
activation = "softmax"
"""
MLP = """name = "mlp"
input_shape = [28, 28, 1]

[[layers]]
type = "Flatten"

[[layers]]
type = "Dense"
units = 20
activation = "relu"

[[layers]]
type = "Dense"
units = 10
activation = "softmax"
"""

ACTIVATIONS = """name = "activations"
input_shape = [12, 10, 3]

[[layers]]
type = "Conv2D"
filters = 6
kernel_size = 3
activation = "tanh"

[[layers]]
type = "Dropout"
rate = 0.25

[[layers]]
type = "MaxPooling2D"

[[layers]]
type = "Conv2D"
filters = 8
kernel_size = 2

[[layers]]
type = "LeakyReLU"
negative_slope = 0.15

[[layers]]
type = "Flatten"

[[layers]]
type = "Dense"
units = 16
activation = "leaky_relu"

[[layers]]
type = "Dense"
units = 16
activation = "sigmoid"

[[layers]]
type = "Dense"
units = 4

[[layers]]
type = "Softmax"
"""

BY_INPUT = """name = "by_input"
input_shape = [12, 10, 3]

[[layers]]
type = "Conv2D"
filters = 6
kernel_size = 3
activation = "silu"

[[layers]]
type = "MaxPooling2D"

[[layers]]
type = "Flatten"

[[layers]]
type = "Activation"
activation = "softplus"

[[layers]]
type = "Dense"
units = 16
activation = "silu"

[[layers]]
type = "Dense"
units = 4
activation = "softmax"
"""

# One convolution and one dense layer to each function: with images turned and not.
FUNCTIONS = ["gelu", "gelu_tanh", "elu", "selu", "relu6", "hard_sigmoid", "hard_silu"]
EVERY = """name = "every_NAME"
input_shape = [12, 10, 3]

[[layers]]
type = "Conv2D"
filters = 6
kernel_size = 3
activation = "NAME"

[[layers]]
type = "MaxPooling2D"

[[layers]]
type = "Flatten"

[[layers]]
type = "Dense"
units = 16

[[layers]]
type = "Activation"
activation = "NAME"

[[layers]]
type = "Dense"
units = 4
activation = "softmax"
"""

BINARY = """name = "binary"
input_shape = [12, 10, 3]
loss = "binary_crossentropy"
class_names = ["no", "yes"]

[[layers]]
type = "Flatten"

[[layers]]
type = "Dense"
units = 16
activation = "tanh"

[[layers]]
type = "Dense"
units = 1
activation = "sigmoid"
"""

NORMALIZED = """name = "normalized"
input_shape = [12, 10, 3]

[[layers]]
type = "RandomFlip"

[[layers]]
type = "Conv2D"
filters = 6
kernel_size = 3
activation = "tanh"

[[layers]]
type = "LayerNormalization"
epsilon = 0.01

[[layers]]
type = "RandomTranslation"
height_factor = 0.2
width_factor = [-0.1, 0.3]

[[layers]]
type = "Conv2D"
filters = 5
kernel_size = 2

[[layers]]
type = "LayerNormalization"
center = false

[[layers]]
type = "Flatten"

[[layers]]
type = "LayerNormalization"
scale = false

[[layers]]
type = "Dense"
units = 4
activation = "softmax"
"""


# Every way to convolve and pool, normalized: with borders, gaps and groups, from images to features and back.
KINDS = """name = "kinds"
input_shape = [19, 14, 3]

[[layers]]
type = "ZeroPadding2D"
padding = [[1, 0], [2, 1]]

[[layers]]
type = "Conv2D"
filters = 6
kernel_size = [4, 3]
strides = [2, 1]
padding = "same"
use_bias = false

[[layers]]
type = "BatchNormalization"

[[layers]]
type = "Conv2D"
filters = 8
kernel_size = 3
dilation_rate = [1, 2]
groups = 2
activation = "relu"

[[layers]]
type = "MaxPooling2D"
pool_size = 3
strides = 1
padding = "same"

[[layers]]
type = "DepthwiseConv2D"
kernel_size = [3, 2]
depth_multiplier = 2
padding = "same"
activation = "tanh"

[[layers]]
type = "AveragePooling2D"
pool_size = [2, 1]
strides = 2
padding = "same"

[[layers]]
type = "SeparableConv2D"
filters = 5
kernel_size = 3
activation = "relu"

[[layers]]
type = "Conv2DTranspose"
filters = 4
kernel_size = [3, 2]
strides = [2, 3]
padding = "same"
activation = "tanh"

[[layers]]
type = "Conv2DTranspose"
filters = 3
kernel_size = [2, 3]
strides = [3, 2]

[[layers]]
type = "BatchNormalization"
scale = false
center = false

[[layers]]
type = "Reshape"
target_shape = [-1]

[[layers]]
type = "BatchNormalization"
center = false

[[layers]]
type = "Dense"
units = 16
activation = "sigmoid"

[[layers]]
type = "Dense"
units = 4
use_bias = false
activation = "softmax"
"""

# Branches of images and of features, joined in every way.
BRANCHES = """name = "branches"
input_shape = [12, 10, 3]

[[layers]]
type = "Conv2D"
name = "a"
filters = 6
kernel_size = 3
padding = "same"

[[layers]]
type = "Conv2D"
name = "b"
filters = 6
kernel_size = 1
inputs = ["input"]
activation = "sigmoid"

[[layers]]
type = "Conv2D"
name = "b0"
filters = 1
kernel_size = 1

[[layers]]
type = "Multiply"
name = "gated"
inputs = ["a", "b", "a"]

[[layers]]
type = "Add"
name = "sum"
inputs = ["a", "gated", "b"]

[[layers]]
type = "Concatenate"
name = "both"
inputs = ["sum", "input"]

[[layers]]
type = "GlobalAveragePooling2D"
name = "mean"

[[layers]]
type = "Multiply"
name = "weighed"
inputs = ["mean", "both", "b0"]

[[layers]]
type = "Flatten"
name = "flat"
inputs = ["weighed"]

[[layers]]
type = "Dense"
name = "c"
units = 9
inputs = ["flat"]

[[layers]]
type = "Add"
name = "features"
inputs = ["c", "mean"]

[[layers]]
type = "GlobalMaxPooling2D"
name = "peak"
keepdims = true
inputs = ["both"]

[[layers]]
type = "Flatten"
name = "peaks"

[[layers]]
type = "Concatenate"
inputs = ["features", "peaks", "mean"]

[[layers]]
type = "Dense"
units = 4
activation = "softmax"
"""


# Bytes as they are, normalized by row and channel, features and, the other way, images that lie as NCHW.
ADAPTED = """name = "adapted"
input_shape = [12, 10, 3]

[[layers]]
type = "Normalization"
axis = [1, 3]

[[layers]]
type = "Conv2D"
filters = 6
kernel_size = 3
activation = "tanh"

[[layers]]
type = "Normalization"
axis = [-2]
mean = 0.25
variance = 4.0
invert = true

[[layers]]
type = "Conv2D"
filters = 5
kernel_size = 2

[[layers]]
type = "Flatten"

[[layers]]
type = "Normalization"
axis = []
mean = -0.5
variance = 2.5

[[layers]]
type = "Dense"
units = 4
activation = "softmax"
"""


def check(name, run, folder, divisor=255):
    exported = folder / f"{name}.onnx"
    shadegrad("export", run, exported)
    model = onnx.load(exported)
    onnx.checker.check_model(model, full_check=True)
    metadata = {entry.key: entry.value for entry in model.metadata_props}
    session = onnxruntime.InferenceSession(exported, providers=["CPUExecutionProvider"])
    (given,) = session.get_inputs()
    assert given.name == "images" and given.shape[0] == "N", (given.name, given.shape)
    images = images_of(given.shape[1:], 70)
    theirs = []
    # The batch is free: of any size, without loading the model again.
    for part in (images[:1], images[1:8], images[8:]):
        (rows,) = session.run(["probabilities"], {"images": part.astype(np.float32) / np.float32(divisor)})
        theirs.append(rows)
    theirs = np.concatenate(theirs)
    assert len(json.loads(metadata["class_names"])) == theirs.shape[1]
    agree(f"{name} (onnxruntime)", predictions(run, images, folder / name), theirs)
    return metadata


def main(folder):
    folder.mkdir()
    runs = {"tutorial": 200, "deeper": 20}
    for name, steps in runs.items():
        model = "tutorial" if name == "tutorial" else ROOT / f"assets/models/{name}.toml"
        arguments = ["--model", model, "--max-steps", steps, "--device", DEVICE]
        shadegrad("train", *arguments, "--out", folder / f"run-{name}")
        check(name, folder / f"run-{name}", folder)
    texts = {"odd": ODD, "mlp": MLP, "activations": ACTIVATIONS, "by_input": BY_INPUT, "binary": BINARY}
    texts |= {"kinds": KINDS, "branches": BRANCHES, "normalized": NORMALIZED, "adapted": ADAPTED}
    texts |= {function: EVERY.replace("NAME", function) for function in FUNCTIONS}
    for name, text in texts.items():
        write_run(folder / f"run-{name}", text)
        metadata = check(name, folder / f"run-{name}", folder, 1 if name == "adapted" else 255)
        if name == "odd":
            assert json.loads(metadata["class_names"]) == ["left", "right", "neither"]


main(Path(sys.argv[1]))

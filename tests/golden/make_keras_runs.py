"""Records what Keras 3 computes for every model file in runs/, for the tests that hold shadegrad to it.

    pip install -r tests/golden/requirements.txt       # Python 3.11, pinned versions
    python tests/golden/make_keras_runs.py             # records the models that have no recording yet
    python tests/golden/make_keras_runs.py NAME...     # records these anew
    python tests/golden/make_keras_runs.py --all       # records all anew

A configuration is a model file, runs/NAME.toml, which both sides read: the test as shadegrad does, this script by giving
each table to the Keras class that it names, since the keys are those of Keras. To add one, add a file and run the script:
it writes runs/NAME.json. A key that is not an argument of the Keras class gets its translation in `keras_model`,
`keras_loss` or `keras_optimizer` below.

Every configuration trains on the same samples from the same weights, both made by splitmix64 in the same way here and
in runs.rs: SAMPLES images of random bytes, whose class is the brightest of four quadrants (modulo the number of classes), in
file order, EPOCHS times, after a Normalization without a mean of its own has adapted to them; the last batch of an epoch is short. Recorded are the loss of every step and the weights at the end,
which are their averages where the optimizer keeps some.

The bounds are found as in make_keras_golden.py: the same training is repeated in float64 and in several float32 ways that
differ in the order of their sums; a bound is SAFETY times the worst distance of a float32 run from the float64 one, for
the losses the worst up to that step, and no less than what rounding the result costs.
"""

import argparse
import json
import os
import platform
import re
import tomllib
from functools import partial
from pathlib import Path

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import keras  # noqa: E402
import numpy as np  # noqa: E402
import tensorflow as tf  # noqa: E402
from one_cycle import OneCycle  # noqa: E402

tf.config.threading.set_intra_op_parallelism_threads(1)
tf.config.threading.set_inter_op_parallelism_threads(1)

RUNS = Path(__file__).resolve().parent / "runs"
SAMPLES = 150
BATCH = 16
EPOCHS = 3
DATA_SEED = 2024
WEIGHT_SEED = 7
WEIGHT_SCALE = 0.4
SAFETY = 4
# Four float32 ulps of a loss, and of a weight of size 1: what smaller drifts are is luck.
FLOOR = SAFETY * 2.0**-23
# Ways to run the same training in float32: arguments of `compile`, and how the samples of a batch are ordered.
SHUFFLE = np.random.default_rng(1).permutation
WAYS = {
    "keras": ({}, np.arange),
    "eager": ({"run_eagerly": True}, np.arange),
    "xla": ({"jit_compile": True}, np.arange),
    "reversed": ({}, lambda n: np.arange(n)[::-1]),
    "shuffled": ({}, SHUFFLE),
    "xla_shuffled": ({"jit_compile": True}, SHUFFLE),
}


# ---- what runs.rs makes in the same way -----------------------------------------------------------------------------


def splitmix64(seed, count):
    """The first `count` numbers of the generator."""
    with np.errstate(over="ignore"):
        z = np.uint64(seed) + np.arange(1, count + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        return z ^ (z >> np.uint64(31))


def data(shape):
    """Bytes [SAMPLES, h, w, c] and labels [SAMPLES]: the brightest quadrant, counted by rows, the first of equals."""
    h, w, _ = shape
    images = splitmix64(DATA_SEED, SAMPLES * int(np.prod(shape))).astype(np.uint8).reshape(SAMPLES, *shape)
    halves = [(slice(0, h // 2), slice(h // 2, h)), (slice(0, w // 2), slice(w // 2, w))]
    sums = [images[:, rows, columns].sum(axis=(1, 2, 3), dtype=np.int64) for rows in halves[0] for columns in halves[1]]
    return images, np.stack(sums, axis=1).argmax(axis=1)


def set_initial_weights(layers):
    """Evenly spread in +-WEIGHT_SCALE, one seed to a tensor, in the order of the file's layers; variances without their sign."""
    place = 0
    for layer in layers:
        weights = []
        for weight in layer.weights:
            if weight.name == "count":  # of a Normalization, which nothing reads
                weights.append(weight.numpy())
                continue
            bits = splitmix64(WEIGHT_SEED + place, int(np.prod(weight.shape)))
            symmetric = (bits >> np.uint64(11)).astype(np.float64) * 2.0**-52 - 1
            values = (WEIGHT_SCALE * symmetric).astype(np.float32).reshape(weight.shape)
            weights.append(np.abs(values) if weight.name.endswith("variance") else values)
            place += 1
        layer.set_weights(weights)


# ---- from a model file to Keras -------------------------------------------------------------------------------------

OPTIMIZERS = {
    "sgd": keras.optimizers.SGD,
    "adadelta": keras.optimizers.Adadelta,
    "rmsprop": keras.optimizers.RMSprop,
    "adam": keras.optimizers.Adam,
    "adamw": keras.optimizers.AdamW,
    "lion": keras.optimizers.Lion,
}
# Functions that Keras has no name for.
ACTIVATIONS = {"gelu_tanh": partial(keras.activations.gelu, approximate=True)}
SCHEDULES = {
    "step": keras.optimizers.schedules.PiecewiseConstantDecay,
    "exponential": keras.optimizers.schedules.ExponentialDecay,
    "cosine": keras.optimizers.schedules.CosineDecay,
    "one_cycle": OneCycle,
}


def keras_model(file):
    """The model, and its layers in the order of the file."""
    keras.utils.clear_session()
    input = keras.Input(tuple(file["input_shape"]))
    layers, outputs, last = [], {"input": input}, input
    for table in file["layers"]:
        arguments = dict(table)
        inputs = [outputs[name] for name in arguments.pop("inputs", [])]
        for key in [key for key in arguments if key.endswith("_regularizer")]:
            arguments[key] = keras.regularizers.L1L2(**arguments[key])
        if arguments.get("activation") in ACTIVATIONS:
            arguments["activation"] = ACTIVATIONS[arguments["activation"]]
        layer = getattr(keras.layers, arguments.pop("type"))(**arguments)
        last = layer(inputs if len(inputs) > 1 else (inputs or [last])[0])
        layers.append(layer)
        outputs[layer.name] = last
    return keras.Model(input, last), layers


LOSSES = {
    "huber": keras.losses.Huber,
    "categorical_crossentropy": keras.losses.CategoricalCrossentropy,
    "binary_crossentropy": keras.losses.BinaryCrossentropy,
}


def keras_loss(file):
    loss = file.get("loss", "categorical_crossentropy")
    if isinstance(loss, str):
        return loss
    arguments = dict(loss)
    return LOSSES[arguments.pop("name")](**arguments)


def keras_optimizer(file):
    arguments = dict(file.get("optimizer", {"name": "rmsprop"}))
    if schedule := arguments.pop("schedule", None):
        schedule = dict(schedule)
        arguments["learning_rate"] = SCHEDULES[schedule.pop("type")](**schedule)
    return OPTIMIZERS[arguments.pop("name")](**arguments)


# ---- training -------------------------------------------------------------------------------------------------------


def train(file, dtype, how, order):
    """The loss of every step and the weights at the end, in float64."""
    keras.config.set_floatx(dtype)
    model, layers = keras_model(file)
    set_initial_weights(layers)
    loss = keras_loss(file)
    model.compile(optimizer=keras_optimizer(file), loss=loss, **how)
    images, labels = data(file["input_shape"])
    # A layer that scales bytes itself gets them as they are.
    divisor = np.float32(1 if file["layers"][0]["type"] in ("Rescaling", "Normalization") else 255)
    x = (images.astype(np.float32) / divisor).astype(dtype)
    for layer in layers:
        if isinstance(layer, keras.layers.Normalization) and layer.input_mean is None:
            layer.adapt(keras.Model(model.input, layer.input)(x).numpy().astype(np.float64))
    classes = model.output_shape[-1]
    sparse = isinstance(loss, str) and loss.startswith("sparse")
    labels %= max(classes, 2)
    one_hot = np.eye(max(classes, 2), dtype=dtype)[labels]
    # A single unit says how probable class 1 is.
    y = labels if sparse else one_hot[:, -classes:]
    losses = []
    for _ in range(EPOCHS):
        for first in range(0, SAMPLES, BATCH):
            batch = first + order(min(BATCH, SAMPLES - first))
            losses.append(float(model.train_on_batch(x[batch], y[batch])))
    # As `fit` does at its end.
    model.optimizer.finalize_variable_values(model.trainable_variables)
    kept = [(layer, v) for layer in model.layers for v in layer.weights if v.name != "count"]
    weights = {f"{layer.name}.{v.name}": v.numpy().astype(np.float64) for layer, v in kept}
    return np.array(losses), weights


def distance(run, exact):
    """Of each loss, relative; of the worst weight, absolute."""
    (losses, weights), (exact_losses, exact_weights) = run, exact
    of_losses = np.abs(losses - exact_losses) / np.abs(exact_losses)
    # What a Normalization took from the data is in the data's units, and no training moves it.
    moved = {name: w for name, w in weights.items() if not re.match(r"normalization(_\d+)?\.", name)}
    return of_losses, max(np.abs(w - exact_weights[name]).max() for name, w in moved.items())


def record(path):
    file = tomllib.loads(path.read_text())
    exact = train(file, "float64", {}, np.arange)
    runs = {name: train(file, "float32", *way) for name, way in WAYS.items()}
    of_losses, of_weights = zip(*(distance(run, exact) for run in runs.values()))
    worst_losses, worst_weight = np.max(of_losses, axis=0), max(of_weights)
    losses, weights = runs["keras"]
    print(f"{path.stem:32} loss {losses[0]:.3f} to {losses[-1]:.3f}, drifts {worst_losses.max():.1e}, {worst_weight:.1e}")
    if not max(worst_losses.max(), worst_weight) < 1e-3:
        raise SystemExit(f"{path.stem}: a drift this large is a different computation, not rounding")
    bound = np.maximum(SAFETY * np.maximum.accumulate(worst_losses), FLOOR)
    value = {
        "keras": keras.__version__,
        "tensorflow": tf.__version__,
        "numpy": np.__version__,
        "python": platform.python_version(),
        "losses": shortest(losses),
        "loss_relative": [float(f"{b:.3g}") for b in bound],
        "weights_absolute": float(f"{max(SAFETY * worst_weight, FLOOR):.3g}"),
        "weights": {name: shortest(w.ravel()) for name, w in weights.items()},
    }
    body = ",\n".join(f"  {json.dumps(key)}: {layout(item)}" for key, item in value.items())
    path.with_suffix(".json").write_text(f"{{\n{body}\n}}\n")


def shortest(values):
    """float32 numbers with as few digits as read back as the same."""
    return [float(str(np.float32(value))) for value in values]


def layout(item):
    """One line per tensor."""
    if not isinstance(item, dict):
        return json.dumps(item)
    return "{\n" + ",\n".join(f"    {json.dumps(key)}: {json.dumps(value)}" for key, value in item.items()) + "\n  }"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help="configurations to record anew")
    parser.add_argument("--all", action="store_true", help="record all anew")
    arguments = parser.parse_args()
    for path in sorted(RUNS.glob("*.toml")):
        if arguments.all or path.stem in arguments.names or not (arguments.names or path.with_suffix(".json").exists()):
            record(path)


if __name__ == "__main__":
    main()

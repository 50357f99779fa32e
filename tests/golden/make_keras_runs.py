"""Records what Keras 3 computes for every model file in runs/ and nets/, for the tests that hold shadegrad to it.

    pip install -r tests/golden/requirements.txt       # Python 3.11, pinned versions
    python tests/golden/make_keras_runs.py             # records the models that have no recording yet
    python tests/golden/make_keras_runs.py NAME...     # records these anew
    python tests/golden/make_keras_runs.py --all       # records all anew

A configuration is a model file, runs/NAME.toml, which both sides read: the test as shadegrad does, this script by giving
each table to the Keras class that it names, since the keys are those of Keras. To add one, add a file and run the script:
it writes runs/NAME.json. A key that is not an argument of the Keras class gets its translation in `keras_model`,
`keras_loss` or `keras_optimizer` below. What is in runs/ is a small net for one thing each, and trains for thirty steps; what is in
nets/ is a whole net, and trains for as long as its table `training` says, fifty steps.

Every configuration trains on the same samples from the same weights, both made by splitmix64 in the same way here and
in samples.rs: SAMPLES images of random bytes, whose class is the brightest of four quadrants (modulo the number of classes), in
file order, EPOCHS times, after a Normalization without a mean of its own has adapted to them; the last batch of an epoch is
short. samples.py says what else there is. Layers that draw at random
get shadegrad's draws: see draws.py. Recorded are the loss of every step and the weights at the end, which are their averages where the
optimizer keeps some; of a whole net also the weights after EARLY steps, and the optimizer's state at the end.

The bounds are found as in make_keras_golden.py: the same training is repeated in float64 and in several float32 ways that
differ in the order of their sums; a bound is SAFETY times the worst distance of a float32 run from the float64 one, for
the losses the worst up to that step, and no less than what rounding the result costs. A training that rounding drives apart,
where a ReLU, a pooling window or a sign takes another turn, has bounds that catch nothing: it is refused (MOST_DRIFT), and wants
another rate or another function; docs/numerics.md says what was chosen for the nets and why.
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

import draws  # noqa: E402
import keras  # noqa: E402
import numpy as np  # noqa: E402
import tensorflow as tf  # noqa: E402
from one_cycle import OneCycle  # noqa: E402
from samples import SAMPLES, inputs, sample_weights, symmetric, targets  # noqa: E402

tf.config.threading.set_intra_op_parallelism_threads(1)
tf.config.threading.set_inter_op_parallelism_threads(1)

HERE = Path(__file__).resolve().parent
FOLDERS = ("runs", "nets")
BATCH = 16
EPOCHS = 3
# Steps after which the weights of a whole net are recorded first; an epoch ends there.
EARLY = {"nets": 15}
WEIGHT_SEED = 7
WEIGHT_SCALE = 0.4
# Of what is drawn during training; both halves count.
DRAW_SEED = 0x0123_4567_89AB_CDEF
SAFETY = 4
# Of a float32 run from the float64 one; more is another computation.
MOST_DRIFT = {"runs": 1e-3, "nets": 1e-5}
# Four float32 ulps of a loss, and of a weight of size 1: what smaller drifts are is luck.
FLOOR = SAFETY * 2.0**-23


def in_order():
    return np.arange


def shuffled():
    return np.random.default_rng(1).permutation


# Ways to run the same training in float32: arguments of `compile`, and what orders the samples of each batch, anew for each training.
WAYS = {
    "keras": ({}, in_order),
    "eager": ({"run_eagerly": True}, in_order),
    "xla": ({"jit_compile": True}, in_order),
    "reversed": ({}, lambda: lambda n: np.arange(n)[::-1]),
    "shuffled": ({}, shuffled),
    "xla_shuffled": ({"jit_compile": True}, shuffled),
}


def set_initial_weights(layers):
    """Evenly spread in +-WEIGHT_SCALE, one seed to a tensor, in the order of the file's layers; variances without their sign."""
    place = 0
    for layer in layers:
        weights = []
        for weight in layer.weights:
            if weight.name == "count":  # of a Normalization, which nothing reads
                weights.append(weight.numpy())
                continue
            spread = symmetric(WEIGHT_SEED + place, int(np.prod(weight.shape)))
            values = (WEIGHT_SCALE * spread).astype(np.float32).reshape(weight.shape)
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


def keras_model(file, drawn):
    """The model, and its layers in the order of the file; those that draw get what is drawn."""
    keras.utils.clear_session()
    input = keras.Input(tuple(file["input_shape"]))
    layers, outputs, last = [], {"input": input}, input
    for place, table in enumerate(file["layers"]):
        arguments = dict(table)
        inputs = [outputs[name] for name in arguments.pop("inputs", [])]
        for key in [key for key in arguments if key.endswith("_regularizer")]:
            arguments[key] = keras.regularizers.L1L2(**arguments[key])
        if arguments.get("activation") in ACTIVATIONS:
            arguments["activation"] = ACTIVATIONS[arguments["activation"]]
        kind = arguments.pop("type")
        if kind in draws.LAYERS:
            layer = draws.LAYERS[kind](draws=drawn, place=place, **arguments)
        else:
            layer = getattr(keras.layers, kind)(**arguments)
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


def train(file, dtype, how, order, early=None):
    """Losses of all steps, weights after `early` of them and at the end, the optimizer's state at the end: in float64."""
    keras.config.set_floatx(dtype)
    training = {"epochs": EPOCHS, "batch_size": BATCH, **file.get("training", {})}
    size = training["batch_size"]
    firsts = [first for _ in range(training["epochs"]) for first in range(0, SAMPLES, size)][: training.get("max_steps")]
    orders = [order(min(size, SAMPLES - first)) for first in firsts]
    drawn = draws.Draws(DRAW_SEED, orders)
    model, layers = keras_model(file, drawn)
    set_initial_weights(layers)
    loss = keras_loss(file)
    model.compile(optimizer=keras_optimizer(file), loss=loss, **how)
    # A layer that scales bytes itself gets them as they are.
    first = next(layer["type"] for layer in file["layers"] if layer["type"] not in KEEP_RANGE)
    takes_bytes = first in ("Rescaling", "Normalization")
    x = inputs(file["input_shape"], takes_bytes).astype(dtype)
    for layer in layers:
        if isinstance(layer, keras.layers.Normalization) and layer.input_mean is None:
            layer.adapt(keras.Model(model.input, layer.input)(x).numpy().astype(np.float64))
    y = targets(file, model.output_shape[1:], isinstance(loss, str) and loss.startswith("sparse"))
    y = y.astype(dtype) if y.dtype == np.float32 else y
    counts = sample_weights(file)
    named = lambda values: {name: value.numpy().astype(np.float64) for name, value in values}  # noqa: E731
    kept = [(layer, v) for layer in model.layers for v in layer.weights if v.name != "count"]
    weights = lambda: named((name_of(layer, v), v) for layer, v in kept)  # noqa: E731
    result = {"losses": []}
    for step, (first, order) in enumerate(zip(firsts, orders)):
        drawn.step.assign(step)
        batch = first + order
        weighted = counts if counts is None else counts[batch]
        of_classes = dict(enumerate(training.get("class_weight", []))) or None
        told = model.train_on_batch(x[batch], y[batch], sample_weight=weighted, class_weight=of_classes)
        result["losses"].append(float(told))
        if step + 1 == early:
            result["early"] = weights()
    # As `fit` does at its end.
    model.optimizer.finalize_variable_values(model.trainable_variables)
    result["weights"] = weights()
    if early:
        names = [name_of(layer, v) for layer in model.layers for v in layer.trainable_weights]
        for slot, attribute in STATE.items():
            # SGD alone shows its momenta.
            if values := getattr(model.optimizer, attribute, None) or getattr(model.optimizer, attribute[1:], None):
                result[slot] = named(zip(names, values))
    return result


# Layers in front of a Rescaling that leave bytes bytes.
KEEP_RANGE = ("RandomFlip", "RandomTranslation")
# Where optimizers of Keras keep their state.
STATE = {
    "momentum": "_momentums",
    "velocity": "_velocities",
    "average_gradient": "_average_gradients",
    "accumulated_grad": "_accumulated_grads",
    "accumulated_delta": "_accumulated_delta_vars",
}


def name_of(layer, variable):
    return f"{layer.name}.{variable.name}"


def distances(run, exact):
    """Of each loss, relative; of the worst element of whatever else, absolute."""
    losses, exact_losses = np.array(run["losses"]), np.array(exact["losses"])
    found = {"losses": np.abs(losses - exact_losses) / np.abs(exact_losses)}
    for what in run.keys() - {"losses"}:
        # What a Normalization took from the data is in the data's units, and no training moves it.
        moved = {name: values for name, values in run[what].items() if not re.match(r"normalization(_\d+)?\.", name)}
        found[what] = max(np.abs(values - exact[what][name]).max() for name, values in moved.items())
    return found


def record(path):
    file = tomllib.loads(path.read_text())
    early = EARLY.get(path.parent.name)
    exact = train(file, "float64", {}, np.arange, early)
    runs = {name: train(file, "float32", how, order(), early) for name, (how, order) in WAYS.items()}
    of_runs = [distances(run, exact) for run in runs.values()]
    worst = {what: np.max([of_run[what] for of_run in of_runs], axis=0) for what in of_runs[0]}
    run = runs["keras"]
    losses = run["losses"]
    drifts = ", ".join(f"{what} {np.max(drift):.1e}" for what, drift in sorted(worst.items()))
    print(f"{path.stem:32} loss {losses[0]:.3f} to {losses[-1]:.3f}, drifts: {drifts}", flush=True)
    if not max(np.max(drift) for drift in worst.values()) < MOST_DRIFT[path.parent.name]:
        raise SystemExit(f"{path.stem}: a drift this large is a different computation, not rounding")
    bound = np.maximum(SAFETY * np.maximum.accumulate(worst["losses"]), FLOOR)
    least = lambda what: float(f"{max(SAFETY * worst[what], FLOOR * scale(run[what], what)):.3g}")  # noqa: E731
    tensors = lambda what: {name: shortest(w.ravel()) for name, w in run[what].items()}  # noqa: E731
    value = {
        "keras": keras.__version__,
        "tensorflow": tf.__version__,
        "numpy": np.__version__,
        "python": platform.python_version(),
        "losses": shortest(losses),
        "loss_relative": [float(f"{b:.3g}") for b in bound],
        "weights_absolute": least("weights"),
        "weights": tensors("weights"),
    }
    if early:
        value |= {"early_step": early, "early_absolute": least("early"), "early": tensors("early")}
        value |= {f"{slot}_absolute": least(slot) for slot in STATE if slot in run}
        value |= {slot: tensors(slot) for slot in STATE if slot in run}
    body = ",\n".join(f"  {json.dumps(key)}: {layout(item)}" for key, item in value.items())
    path.with_suffix(".json").write_text(f"{{\n{body}\n}}\n")


def scale(tensors, what):
    """What FLOOR is a share of: 1 for weights, of the optimizer's state its largest element."""
    return max(np.abs(values).max() for values in tensors.values()) if what in STATE else 1.0


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
    draws.check()
    for path in sorted(path for folder in FOLDERS for path in (HERE / folder).glob("*.toml")):
        if arguments.all or path.stem in arguments.names or not (arguments.names or path.with_suffix(".json").exists()):
            record(path)


if __name__ == "__main__":
    main()

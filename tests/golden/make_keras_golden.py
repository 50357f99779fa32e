"""Records what Keras 3 computes, for the tests that hold shadegrad to it step by step.

    pip install -r tests/golden/requirements.txt        # Python 3.11, pinned versions
    python tests/golden/make_keras_golden.py            # rewrites the committed files beside this script
    python tests/golden/make_keras_golden.py --full DIR # the full tutorial into DIR, not for committing

The committed files:

    keras_small_step{0,1,10,100}.safetensors   weights of the small net, f32, Keras names and layouts
    keras_small.json                           its loss at every step, drifts, bounds
    rmsprop.json                               keras.optimizers.RMSprop on eight numbers, four configurations

The net is the Keras tutorial for MNIST, made small. It trains on the training images in file order, scaled by
x/255 in float32, with RMSprop at its defaults and categorical cross-entropy on one-hot labels.

Where the bounds come from: two correct float32 implementations differ, because they add in different orders, and
training amplifies the difference. So the same training is repeated from the same weights in float64 and in many
float32 ways: numpy in the orders of summation of numpy_training.py, TensorFlow without Keras, Keras compiled in three
ways. The *drift* of a run is its distance from the float64 run; a bound is SAFETY times the worst drift of all
float32 runs, for the losses the worst up to that step.

With this seed one float32 choice is a coin toss: at step 72 the two largest values of one pooling window are 7e-8
apart, about half of the runs take the other one, and their losses and weights stay about 1e-6 away afterwards. The
bounds hold both ways.

numpy_training.py shares no code with Keras, so its agreement also says that Keras was recorded rightly: that a
recorded loss is that of its batch alone, before the update. On one machine a second run writes the same bytes;
another processor may round the float32 runs differently, within the bounds.
"""

import argparse
import gzip
import json
import os
import platform
from dataclasses import dataclass
from pathlib import Path

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # a thread count is an order of summation

import keras  # noqa: E402
import numpy as np  # noqa: E402
import tensorflow as tf  # noqa: E402
from safetensors.numpy import save  # noqa: E402

from numpy_training import EPSILON, LEARNING_RATE, ORDERS, RHO, numpy_run, one_hot, train  # noqa: E402

tf.config.threading.set_intra_op_parallelism_threads(1)
tf.config.threading.set_inter_op_parallelism_threads(1)

HERE = Path(__file__).resolve().parent
SEED = 20240
SAFETY = 4
# The least bound of a loss, four float32 ulps: storing the loss costs half an ulp (up to 2^-24 of it), and the sums,
# exponentials and the logarithm before it cost a few more. Smaller drifts in the first steps are luck.
LOSS_FLOOR = SAFETY * 2.0**-23


@dataclass(frozen=True)
class Job:
    name: str  # of the files
    filters: int
    hidden: int
    batch_size: int
    steps: int
    recorded: tuple  # steps after which the weights are kept
    orders: tuple  # names of the float32 orders of summation to try

    @property
    def model(self):
        return (f"Input(28, 28, 1) - Conv2D({self.filters}, 3x3, relu) - MaxPooling2D(2x2) - Flatten - "
                f"Dense({self.hidden}, relu) - Dense(10, softmax)")


SMALL = Job(name="keras_small", filters=8, hidden=16, batch_size=32, steps=100, recorded=(1, 10, 100),
            orders=tuple(ORDERS))
FULL = Job(name="full", filters=32, hidden=64, batch_size=64, steps=200, recorded=(10, 200),
           orders=("blas", "einsum", "rounded_once"))  # the others keep every product and take too long


def mnist_batches(folder, job):
    """The first `steps` batches in file order: images [n, 28, 28, 1] f32, labels [n] u8."""
    count = job.batch_size * job.steps
    with gzip.open(folder / "train-images-idx3-ubyte.gz") as f:
        pixels = np.frombuffer(f.read(16 + count * 784), np.uint8, offset=16)
    with gzip.open(folder / "train-labels-idx1-ubyte.gz") as f:
        labels = np.frombuffer(f.read(8 + count), np.uint8, offset=8)
    images = pixels.astype(np.float32).reshape(job.steps, job.batch_size, 28, 28, 1) / np.float32(255)
    return list(zip(images, labels.reshape(job.steps, job.batch_size)))


# ---- Keras ----------------------------------------------------------------------------------------------------------


def keras_model(job):
    """The net with Glorot uniform kernels and zero biases: the same ones at every call."""
    keras.utils.clear_session()  # so that layer names start again at conv2d, dense, dense_1
    keras.utils.set_random_seed(SEED)
    return keras.Sequential([
        keras.Input((28, 28, 1)),
        keras.layers.Conv2D(job.filters, (3, 3), activation="relu"),
        keras.layers.MaxPooling2D((2, 2)),
        keras.layers.Flatten(),
        keras.layers.Dense(job.hidden, activation="relu"),
        keras.layers.Dense(10, activation="softmax"),
    ])


def keras_weights(model):
    return {f"{layer.name}.{v.name}": v.numpy().copy() for layer in model.layers for v in layer.weights}


def keras_run(job, batches, **how):
    """`train_on_batch` resets the metrics before each batch, so what it returns is the loss of that batch alone."""
    model = keras_model(job)
    model.compile(optimizer=keras.optimizers.RMSprop(), loss="categorical_crossentropy", **how)
    return train(job, batches, lambda x, labels: model.train_on_batch(x, one_hot(labels)),
                 lambda: keras_weights(model))


# ---- TensorFlow without Keras ---------------------------------------------------------------------------------------


def tensorflow_run(job, batches, initial, wrap):
    """The same training on TensorFlow's operators; `wrap` leaves the step eager or compiles it."""
    weights = {name: tf.Variable(value) for name, value in initial.items()}
    velocity = {name: tf.Variable(tf.zeros_like(value)) for name, value in initial.items()}

    @wrap
    def step(x, targets):
        w = weights
        with tf.GradientTape() as tape:
            h = tf.nn.relu(tf.nn.conv2d(x, w["conv2d.kernel"], 1, "VALID") + w["conv2d.bias"])
            h = tf.reshape(tf.nn.max_pool2d(h, 2, 2, "VALID"), [x.shape[0], -1])
            h = tf.nn.relu(h @ w["dense.kernel"] + w["dense.bias"])
            logits = h @ w["dense_1.kernel"] + w["dense_1.bias"]
            loss = tf.reduce_mean(tf.nn.softmax_cross_entropy_with_logits(targets, logits))
        for name, g in tape.gradient(loss, w).items():
            velocity[name].assign(RHO * velocity[name] + (1 - RHO) * g * g)
            w[name].assign_sub(LEARNING_RATE * g / tf.sqrt(velocity[name] + EPSILON))
        return loss

    return train(job, batches, lambda x, labels: step(tf.constant(x), tf.constant(one_hot(labels))),
                 lambda: {name: value.numpy().copy() for name, value in weights.items()})


# ---- drifts and bounds ----------------------------------------------------------------------------------------------


def float32_runs(job, batches, initial):
    """{name: Trajectory}; "keras" is the one that is recorded, compiled as `compile` does by default."""
    yield "keras", keras_run(job, batches)
    yield "keras_eager", keras_run(job, batches, run_eagerly=True)
    yield "keras_xla", keras_run(job, batches, jit_compile=True)
    yield "tensorflow_eager", tensorflow_run(job, batches, initial, lambda step: step)
    yield "tensorflow_graph", tensorflow_run(job, batches, initial, tf.function)
    yield "tensorflow_xla", tensorflow_run(job, batches, initial, tf.function(jit_compile=True))
    for order in job.orders:
        yield order, numpy_run(job, batches, initial, np.float32, ORDERS[order])
    yield "blas_samples_reversed", numpy_run(job, batches, initial, np.float32, np.matmul, lambda n: np.arange(n)[::-1])
    shuffled = np.random.default_rng(SEED).permutation
    yield "blas_samples_shuffled", numpy_run(job, batches, initial, np.float32, np.matmul, shuffled)


def drift(run, exact):
    """Distance from the float64 run: of each loss, relative; of the worst weight after each recorded step, absolute."""
    found = {
        "loss_drift": [float(f"{abs(a - b) / abs(b):.3g}") for a, b in zip(run.losses, exact.losses)],
        "weights_drift": {
            str(step): float(f"{max(np.abs(w - exact.weights[step][name]).max() for name, w in weights.items()):.3g}")
            for step, weights in run.weights.items()
        },
    }
    if max(found["loss_drift"]) > 1e-3 or max(found["weights_drift"].values()) > 1e-3:
        raise SystemExit(f"a drift this large is a different computation, not rounding: {found}")
    return found


def record(job, batches, out):
    """Trains in every way; writes `<name>.json` and the weights: Keras's for SMALL, the float64 run's for FULL."""
    initial = keras_weights(keras_model(job))
    exact = numpy_run(job, batches, initial, np.float64, np.matmul)
    drifts = {}
    for name, run in float32_runs(job, batches, initial):
        drifts[name] = drift(run, exact)
        print(f"{name:22} loss {max(drifts[name]['loss_drift']):.1e}  weights {drifts[name]['weights_drift']}")
        if name == "keras":
            recorded = run

    write_weights(out / f"{job.name}_step0.safetensors", initial)
    for step in job.recorded:
        if job is SMALL:
            write_weights(out / f"{job.name}_step{step}.safetensors", recorded.weights[step])
        else:
            write_weights(out / f"{job.name}_step{step}_f64.safetensors", exact.weights[step])
            rounded = {name: w.astype(np.float32) for name, w in exact.weights[step].items()}
            write_weights(out / f"{job.name}_step{step}.safetensors", rounded)

    worst_losses = [max(step) for step in zip(*(d["loss_drift"] for d in drifts.values()))]
    worst_weights = {str(step): max(d["weights_drift"][str(step)] for d in drifts.values()) for step in job.recorded}
    bound = SAFETY * np.maximum.accumulate(worst_losses)
    write_json(out / f"{job.name}.json", {
        "model": job.model,
        "optimizer": f"RMSprop(learning_rate={LEARNING_RATE}, rho={RHO}, epsilon={EPSILON})",
        "batch_size": job.batch_size,
        "steps": job.steps,
        "seed": SEED,
        "keras": versions(),
        "losses": recorded.losses,
        "losses_float64": exact.losses,
        "bounds": {
            "safety": SAFETY,
            "loss_floor": LOSS_FLOOR,
            "loss_relative": [float(f"{b:.3g}") for b in np.maximum(bound, LOSS_FLOOR)],
            "weights_absolute": {step: float(f"{SAFETY * worst:.3g}") for step, worst in worst_weights.items()},
        },
        "loss_drift": worst_losses,
        "weights_drift": worst_weights,
        "runs": drifts,
    })


# ---- RMSprop on given gradients -------------------------------------------------------------------------------------

RMSPROP_CONFIGURATIONS = {
    "plain": dict(learning_rate=1e-3, rho=0.9, momentum=0.0, epsilon=1e-7, centered=False),
    "momentum": dict(learning_rate=1e-3, rho=0.9, momentum=0.9, epsilon=1e-7, centered=False),
    "centered": dict(learning_rate=1e-3, rho=0.9, momentum=0.0, epsilon=1e-7, centered=True),
    "centered_momentum": dict(learning_rate=1e-2, rho=0.8, momentum=0.9, epsilon=1e-5, centered=True),
}
RMSPROP_INITIAL = [1.0, -2.0, 0.5, 0.25, -0.125, 3.0, 0.0, -0.75]
# One column per weight: constant, alternating, never touched, touched late, too small for epsilon to be forgotten,
# large, shrinking, irregular.
RMSPROP_GRADIENTS = [
    [0.5, 0.25, 0.0, 0.0, 1e-4, 40.0, 1.0, 0.3],
    [0.5, -0.25, 0.0, 0.0, -2e-4, -10.0, 0.1, -0.7],
    [0.5, 0.25, 0.0, 2.0, 3e-4, 25.0, 0.01, 0.02],
    [0.5, -0.25, 0.0, 0.0, 1e-4, 60.0, 1e-3, 1.5],
    [0.5, 0.25, 0.0, -1.0, -1e-5, -5.0, 1e-4, -0.1],
]


def rmsprop_float64(initial, gradients, learning_rate, rho, momentum, epsilon, centered):
    """What keras/src/optimizers/rmsprop.py says, in float64: the weights after each step."""
    w, velocity, average, moment = (np.array(initial, np.float64), *np.zeros((3, len(initial))))
    after = []
    for g in np.array(gradients, np.float64):
        velocity = rho * velocity + (1 - rho) * g * g
        average = rho * average + (1 - rho) * g
        increment = learning_rate * g / np.sqrt(velocity - (average**2 if centered else 0) + epsilon)
        moment = momentum * moment + increment  # with momentum 0 this is the increment
        w = w - moment
        after.append(w.tolist())
    return after


def record_rmsprop(out):
    initial = np.array(RMSPROP_INITIAL, np.float32)
    gradients = np.array(RMSPROP_GRADIENTS, np.float32)
    found = []
    for name, configuration in RMSPROP_CONFIGURATIONS.items():
        variable, optimizer, after = keras.Variable(initial), keras.optimizers.RMSprop(**configuration), []
        for g in gradients:
            optimizer.apply([keras.ops.convert_to_tensor(g)], [variable])
            after.append(variable.numpy().tolist())
        exact = rmsprop_float64(initial, gradients, **configuration)
        worst = np.abs(np.array(after) - exact).max()
        print(f"RMSprop {name:18} {worst:.1e} from float64")
        assert worst < 1e-6, name
        found.append({"name": name, **configuration, "weights": after, "weights_float64": exact})
    write_json(out / "rmsprop.json", {
        "keras": versions(),
        "initial": initial.tolist(),
        "gradients": gradients.tolist(),
        "configurations": found,
    })


# ---- files ----------------------------------------------------------------------------------------------------------


def versions():
    return {"keras": keras.__version__, "tensorflow": tf.__version__, "numpy": np.__version__,
            "python": platform.python_version()}


def write_weights(path, weights):
    path.write_bytes(save(weights))


def write_json(path, value):
    path.write_text(layout(value) + "\n")


def layout(value, indent=""):
    """JSON with one line per list of numbers, so that it can be read and a change of it compared."""
    deeper = indent + "  "
    if isinstance(value, dict):
        body = [f"{deeper}{json.dumps(key)}: {layout(item, deeper)}" for key, item in value.items()]
        return "{\n" + ",\n".join(body) + f"\n{indent}}}"
    if isinstance(value, list) and value and isinstance(value[0], (dict, list)):
        return "[\n" + ",\n".join(deeper + layout(item, deeper) for item in value) + f"\n{indent}]"
    return json.dumps(value)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--mnist", type=Path, default=HERE.parents[1] / "assets" / "mnist" / "train", metavar="DIR",
                        help="folder of the train-*.gz files (default: assets/mnist/train of this repository)")
    parser.add_argument("--out", type=Path, default=HERE, metavar="DIR",
                        help="where the committed files go (default: beside this script)")
    parser.add_argument("--full", type=Path, metavar="DIR",
                        help="write the full tutorial (float64 losses and weights) there instead")
    arguments = parser.parse_args()
    out = arguments.full or arguments.out
    out.mkdir(parents=True, exist_ok=True)
    job = FULL if arguments.full else SMALL
    record(job, mnist_batches(arguments.mnist, job), out)
    if job is SMALL:
        record_rmsprop(out)


if __name__ == "__main__":
    main()

"""Records what each optimizer of Keras 3 makes of eight numbers in ten steps, for updates.rs.

    pip install -r tests/golden/requirements.txt
    python tests/golden/make_keras_updates.py      # rewrites updates.json beside this script

`magnitudes` are what the same optimizer adds up, step by step, where every gradient is taken without its sign and nothing
decays: updates.rs derives its bounds from them.
"""

import json
import os
from pathlib import Path

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import keras  # noqa: E402
import numpy as np  # noqa: E402

STEPS = 10
INITIAL = np.array([1.0, -2.0, 0.5, 0.25, -0.125, 3.0, 0.0, -0.75], np.float32)
# One gradient is always 0, one tiny, one sparse; the others are of every size.
SCALES = np.array([0.5, 1.0, 0.0, 2.0, 1e-6, 40.0, 0.01, 0.3], np.float32)
OPTIMIZERS = [
    ("sgd", keras.optimizers.SGD, dict(learning_rate=0.1)),
    ("sgd", keras.optimizers.SGD, dict(learning_rate=0.1, weight_decay=0.05)),
    ("sgd", keras.optimizers.SGD, dict(learning_rate=0.1, momentum=0.9)),
    ("sgd", keras.optimizers.SGD, dict(learning_rate=0.1, momentum=0.9, nesterov=True)),
    ("adadelta", keras.optimizers.Adadelta, dict(learning_rate=0.001)),
    ("adadelta", keras.optimizers.Adadelta, dict(learning_rate=1.0, rho=0.8, epsilon=1e-6)),
    ("adam", keras.optimizers.Adam, dict(learning_rate=0.001)),
    ("adam", keras.optimizers.Adam, dict(learning_rate=0.1, beta_1=0.5, beta_2=0.9, epsilon=1e-4)),
    ("adamw", keras.optimizers.AdamW, dict(learning_rate=0.001)),
    ("adamw", keras.optimizers.AdamW, dict(learning_rate=0.1, weight_decay=0.5)),
    ("lion", keras.optimizers.Lion, dict(learning_rate=0.001)),
    ("lion", keras.optimizers.Lion, dict(learning_rate=0.1, beta_1=0.6, beta_2=0.8, weight_decay=0.5)),
]


def gradients():
    values = np.random.default_rng(11).normal(size=(STEPS, len(SCALES))).astype(np.float32) * SCALES
    values[1:-2, 3] = 0
    return values


def run(optimizer, initial, gradients):
    variable = keras.Variable(initial)
    optimizer.build([variable])
    after = []
    for gradient in gradients:
        optimizer.apply([keras.ops.convert_to_tensor(gradient)])
        after.append([float(str(x)) for x in variable.numpy()])
    return after


def main():
    rows = []
    for name, make, settings in OPTIMIZERS:
        weights = run(make(**settings), INITIAL, gradients())
        without_decay = {**settings, "weight_decay": None if name == "sgd" else 0.0}
        plain = settings if name in ("adadelta", "adam") else without_decay
        sums = -np.array(run(make(**plain), np.zeros_like(INITIAL), np.abs(gradients())))
        magnitudes = np.diff(sums, axis=0, prepend=0).tolist()
        rows.append({"optimizer": {"name": name, **settings}, "weights": weights, "magnitudes": magnitudes})
    head = {"keras": keras.__version__, "initial": INITIAL.tolist(), "gradients": gradients().tolist()}
    lines = [f"{json.dumps(key)}: {json.dumps(value)}" for key, value in head.items()]
    lines.append('"rows": [\n' + ",\n".join(json.dumps(row) for row in rows) + "\n]")
    Path(__file__).with_name("updates.json").write_text("{\n" + ",\n".join(lines) + "\n}\n")


if __name__ == "__main__":
    main()

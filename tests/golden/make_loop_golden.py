"""Records what the learning-rate schedules and callbacks of Keras 3 decide, for src/train/recorded.rs.

The one-cycle schedule is PyTorch's: see one_cycle.py.

    pip install -r tests/golden/requirements.txt
    python tests/golden/make_loop_golden.py        # rewrites training_loop.json beside this script

Schedules are asked for the rate of single steps, in float32 as an optimizer asks them. Callbacks get made-up figures,
epoch by epoch, in place of a training: what counts is what they decide.
"""

import json
import os
from pathlib import Path

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import keras  # noqa: E402
import numpy as np  # noqa: E402
from one_cycle import OneCycle  # noqa: E402

HERE = Path(__file__).resolve().parent
STEPS = [0, 1, 2, 3, 4, 5, 9, 10, 11, 19, 20, 21, 37, 50, 99, 100, 101, 149, 150, 500, 12345]

SCHEDULES = [
    ("step", dict(boundaries=[3, 10, 100], values=[0.1, 0.05, 0.01, 0.003])),
    ("step", dict(boundaries=[20], values=[1e-3, 1e-4])),
    ("exponential", dict(initial_learning_rate=0.1, decay_steps=10, decay_rate=0.96)),
    ("exponential", dict(initial_learning_rate=0.1, decay_steps=10, decay_rate=0.5, staircase=True)),
    ("exponential", dict(initial_learning_rate=0.001, decay_steps=37, decay_rate=0.9)),
    ("cosine", dict(initial_learning_rate=0.01, decay_steps=100)),
    ("cosine", dict(initial_learning_rate=0.01, decay_steps=150, alpha=0.1)),
    ("cosine", dict(initial_learning_rate=0.0, decay_steps=100, warmup_target=0.02, warmup_steps=20)),
    ("cosine", dict(initial_learning_rate=0.001, decay_steps=99, alpha=0.05, warmup_target=0.01, warmup_steps=10)),
    ("one_cycle", dict(max_learning_rate=0.1, total_steps=100)),
    ("one_cycle", dict(max_learning_rate=0.01, total_steps=37, pct_start=0.25, div_factor=10.0, final_div_factor=100.0)),
    ("one_cycle", dict(max_learning_rate=0.01, total_steps=12, pct_start=0.0)),
    ("one_cycle", dict(max_learning_rate=0.01, total_steps=12, pct_start=1.0)),
    ("one_cycle", dict(max_learning_rate=0.01, total_steps=1)),
]
CLASSES = {
    "step": keras.optimizers.schedules.PiecewiseConstantDecay,
    "exponential": keras.optimizers.schedules.ExponentialDecay,
    "cosine": keras.optimizers.schedules.CosineDecay,
    "one_cycle": OneCycle,
}

FALLING = [1.0, 0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3]
STUCK = [1.0, 0.9, 0.9, 0.9, 0.9, 0.85, 0.85, 0.85, 0.85, 0.85, 0.85, 0.85]
SLOW = [1.0, 0.9995, 0.999, 0.9985, 0.998, 0.9, 0.89995, 0.8999, 0.8998, 0.7, 0.71, 0.69]
RISING = [0.1, 0.2, 0.3, 0.3, 0.25, 0.31, 0.31, 0.31, 0.31, 0.5]

EARLY_STOPPING = [
    (FALLING, dict(monitor="val_loss")),
    (STUCK, dict(monitor="val_loss")),
    (STUCK, dict(monitor="loss", patience=3)),
    (STUCK, dict(monitor="val_loss", patience=4, restore_best_weights=True)),
    (SLOW, dict(monitor="val_loss", patience=2, min_delta=0.01, restore_best_weights=True)),
    (SLOW, dict(monitor="val_loss", patience=1, min_delta=0.01, start_from_epoch=4, restore_best_weights=True)),
    (SLOW, dict(monitor="val_loss", patience=20, restore_best_weights=True)),
    (RISING, dict(monitor="accuracy", patience=2, restore_best_weights=True)),
    (RISING, dict(monitor="val_accuracy", patience=1, min_delta=0.1)),
    (RISING, dict(monitor="val_accuracy", patience=4, restore_best_weights=True)),
    (FALLING, dict(monitor="val_loss", patience=2, baseline=0.55)),
    (FALLING, dict(monitor="val_loss", patience=5, baseline=0.55, restore_best_weights=True)),
    (STUCK, dict(monitor="val_loss", patience=2, min_delta=0.01, baseline=0.86, restore_best_weights=True)),
    (RISING, dict(monitor="val_accuracy", patience=3, baseline=0.28, restore_best_weights=True)),
]

PLATEAU = [
    (FALLING, dict(monitor="val_loss", patience=1)),
    (STUCK, dict(monitor="val_loss", patience=2)),
    (STUCK, dict(monitor="val_loss", factor=0.5, patience=1, cooldown=1)),
    (STUCK, dict(monitor="loss", factor=0.5, patience=1, cooldown=3)),
    (STUCK, dict(monitor="val_loss", factor=0.3, patience=1, min_lr=0.0002)),
    (SLOW, dict(monitor="val_loss", patience=3, min_delta=0.01)),
    (SLOW, dict(monitor="val_loss", patience=2, min_delta=0.0)),
    (SLOW, dict(monitor="val_loss")),
    (RISING, dict(monitor="val_accuracy", factor=0.9, patience=2, cooldown=1)),
    (RISING, dict(monitor="accuracy", factor=0.7, patience=0)),
]


def schedules():
    for kind, settings in SCHEDULES:
        schedule = CLASSES[kind](**settings)
        rates = [float(np.float32(schedule(np.int64(step)))) for step in STEPS]
        yield {"schedule": {"type": kind, **settings}, "rates": rates}


class Accuracy(keras.metrics.Metric):
    """Says that more is better, as the accuracy of a compiled model does."""

    _direction = "up"

    def result(self):
        return 0.0


class Model:
    """As much of a model as the callbacks look at."""

    def __init__(self):
        self.optimizer = keras.optimizers.SGD(learning_rate=0.001)
        self.metrics = [keras.src.trainers.compile_utils.MetricsList([Accuracy(name="accuracy")])]
        self.stop_training = False
        self.weights = None

    def get_weights(self):
        return self.weights

    def set_weights(self, weights):
        self.weights = weights


def early_stopping():
    for figures, settings in EARLY_STOPPING:
        callback = keras.callbacks.EarlyStopping(**settings)
        model = Model()
        callback.set_model(model)
        callback.on_train_begin()
        epochs = 0
        for epoch, figure in enumerate(figures):
            model.weights = epoch + 1  # weights stand for the epoch that they are from
            callback.on_epoch_end(epoch, {settings["monitor"]: figure})
            epochs = epoch + 1
            if model.stop_training:
                break
        callback.on_train_end()
        yield {"settings": settings, "figures": figures, "epochs": epochs, "stopped": model.stop_training,
               "weights_of_epoch": model.weights}


def plateau():
    for figures, settings in PLATEAU:
        callback = keras.callbacks.ReduceLROnPlateau(**settings)
        model = Model()
        callback.set_model(model)
        callback.on_train_begin()
        rates = []
        for epoch, figure in enumerate(figures):
            callback.on_epoch_end(epoch, {settings["monitor"]: figure})
            rates.append(float(np.float32(keras.ops.convert_to_numpy(model.optimizer.learning_rate))))
        yield {"settings": settings, "figures": figures, "learning_rate": 0.001, "rates": rates}


def main():
    recording = {
        "keras": keras.__version__,
        "steps": STEPS,
        "schedules": list(schedules()),
        "early_stopping": list(early_stopping()),
        "plateau": list(plateau()),
    }
    lines = ["{"]
    for key, value in recording.items():
        if isinstance(value, list) and isinstance(value[0], dict):
            rows = ",\n  ".join(json.dumps(row) for row in value)
            lines.append(f' {json.dumps(key)}: [\n  {rows}\n ],')
        else:
            lines.append(f" {json.dumps(key)}: {json.dumps(value)},")
    text = "\n".join(lines).rstrip(",") + "\n}\n"
    json.loads(text)
    (HERE / "training_loop.json").write_text(text)


if __name__ == "__main__":
    main()

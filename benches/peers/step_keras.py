"""A training step of a model file in Keras: milliseconds, the median of some steps after a few that are not counted.

    step_keras.py MODEL.toml BATCH_SIZE STEPS_PER_EXECUTION

With one step in an execution it is `train_on_batch`; with more, `fit` on images in memory, by whole executions.
"""

import statistics
import sys
import time
import tomllib
from pathlib import Path

import keras
import numpy

STEPS = 10


def model_of(file):
    input = keras.Input(tuple(file["input_shape"]))
    outputs, last = {"input": input}, input
    for table in file["layers"]:
        settings = dict(table)
        kind = getattr(keras.layers, settings.pop("type"))
        inputs = [outputs[name] for name in settings.pop("inputs", [])] or [last]
        layer = kind(**settings)
        last = outputs[layer.name] = layer(inputs if len(inputs) > 1 else inputs[0])
    return keras.Model(input, last)


class Executions(keras.callbacks.Callback):
    """The times of executions, a step each."""

    def __init__(self, steps):
        super().__init__()
        self.steps, self.times = steps, []

    def on_train_batch_begin(self, batch, logs=None):
        self.begun = time.perf_counter()

    def on_train_batch_end(self, batch, logs=None):
        self.times.append(1e3 * (time.perf_counter() - self.begun) / self.steps)


def main():
    path, batch_size, together = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    file = tomllib.loads(path.read_text())
    model = model_of(file)
    model.compile(
        optimizer=file.get("optimizer", {}).get("name", "rmsprop"),
        loss="categorical_crossentropy",
        metrics=["accuracy"],
        steps_per_execution=together,
    )
    classes = model.output_shape[-1]
    random = numpy.random.default_rng(0)

    def draw(samples):
        x = random.random((samples, *file["input_shape"]), dtype="float32")
        return x, numpy.eye(classes, dtype="float32")[random.integers(0, classes, samples)]

    if together > 1:
        executions = Executions(together)
        x, y = draw(batch_size * together)
        model.fit(x, y, batch_size=batch_size, epochs=1 + max(2, STEPS // together), verbose=0, callbacks=[executions])
        print(statistics.median(executions.times[1:]))
        return
    times = []
    x, y = draw(batch_size)
    for _ in range(3 + STEPS):
        begun = time.perf_counter()
        model.train_on_batch(x, y)
        times.append(1e3 * (time.perf_counter() - begun))
    print(statistics.median(times[3:]))


main()

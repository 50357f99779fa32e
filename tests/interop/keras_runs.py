"""Run folders with weights that nobody trained, for models of any form."""

import tomllib

import keras
import numpy as np
from safetensors.numpy import save_file

STEMS = {"Conv2D": "conv2d", "Dense": "dense"}


def write_run(run, text):
    """The model file, and weights of the shapes that Keras gives its layers."""
    run.mkdir(parents=True)
    (run / "model.toml").write_text(text)
    file = tomllib.loads(text)
    model = keras.Sequential([keras.Input(file["input_shape"])])
    for table in file["layers"]:
        settings = {key: value for key, value in table.items() if key != "type"}
        if settings.get("activation") == "gelu_tanh":
            settings["activation"] = "gelu"  # Keras has no name for the other; weights have the same shapes
        model.add(getattr(keras.layers, table["type"])(**settings))
    generator = np.random.default_rng(11)
    counts, tensors = {}, {}
    for layer in model.layers:
        if not layer.weights:
            continue
        stem = STEMS[type(layer).__name__]
        count = counts[stem] = counts.get(stem, -1) + 1
        name = stem if count == 0 else f"{stem}_{count}"
        for weight in layer.weights:
            fan_in = int(np.prod(weight.shape[:-1])) or 1
            values = generator.normal(0, (2 / fan_in) ** 0.5, weight.shape)
            tensors[f"{name}.{weight.name}"] = values.astype(np.float32)
    save_file(tensors, run / "weights.safetensors")

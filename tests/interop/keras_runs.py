"""Run folders with weights that nobody trained, for models of any form."""

import tomllib

import keras
import numpy as np
from safetensors.numpy import save_file


def write_run(run, text):
    """The model file, and weights of the shapes that Keras gives its layers."""
    run.mkdir(parents=True)
    (run / "model.toml").write_text(text)
    file = tomllib.loads(text)
    # Default names are counted as here.
    keras.utils.clear_session()
    last = keras.Input(file["input_shape"])
    layers, outputs = [], {"input": last}
    for table in file["layers"]:
        settings = {key: value for key, value in table.items() if key not in ("type", "inputs")}
        if settings.get("activation") == "gelu_tanh":
            settings["activation"] = "gelu"  # Keras has no name for the other; weights have the same shapes
        layers.append(getattr(keras.layers, table["type"])(**settings))
        inputs = [outputs[name] for name in table.get("inputs", [])] or [last]
        last = outputs[layers[-1].name] = layers[-1](inputs if len(inputs) > 1 else inputs[0])
    generator = np.random.default_rng(11)
    tensors = {}
    for layer in layers:
        for weight in layer.weights:
            depthwise = "depthwise" in weight.name or type(layer).__name__ == "DepthwiseConv2D"
            fan_in = int(np.prod(weight.shape[:2] if depthwise else weight.shape[:-1])) or 1
            values = generator.normal(0, (2 / fan_in) ** 0.5, weight.shape)
            if weight.name == "count":
                continue
            if "variance" in weight.name:
                values = np.abs(values) + 0.1
            tensors[f"{layer.name}.{weight.name}"] = values.astype(np.float32)
    save_file(tensors, run / "weights.safetensors")

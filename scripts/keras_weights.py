#!/usr/bin/env python3
"""Carries models between Keras and Shadegrad.

    keras_weights.py from-keras MODEL.keras RUN                 a folder that `predict`, `export` and `evaluate` take
    keras_weights.py from-keras MODEL.keras FILE.safetensors    weights only, for `train --init FILE.safetensors`
    keras_weights.py to-keras RUN MODEL.keras                   a run folder as a Keras model

Weights keep their layouts (kernels of convolutions HWIO, of dense layers (in, out)) and get the names that Shadegrad
gives its layers: conv2d, conv2d_1, ..., dense, ..., counted from the first layer of each class. A file that is there
already is replaced with --force only. Which layers there are, the program says: the one that SHADEGRAD names, that on the
PATH, or target/release/shadegrad. How weights start and which are penalised is not carried over. Needs keras with any back end (KERAS_BACKEND says which) and safetensors:

    pip install keras==3.15.1 jax==0.10.2 safetensors==0.8.0
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

# Class in both worlds: stem of its name, and the settings that a model file may have; filled in by `main`.
LAYERS = {}
# Settings without a counterpart, and the only values with which a layer is what it is here.
ONLY = {
    "data_format": "channels_last",
    "dilation_rate": (1, 1),
    "groups": 1,
    "use_bias": True,
    "kernel_constraint": None,
    "bias_constraint": None,
    "output_padding": None,
    "noise_shape": None,
    "max_value": None,
    "threshold": 0.0,
    "axis": -1,
    "rms_scaling": False,
}
# Weights of Keras that nothing reads.
UNUSED = {("Normalization", "count")}


def stop(message):
    sys.exit(f"error: {message}")


def known_layers():
    """Class in both worlds: stem of its name, and the settings that a model file may have; as the program says."""
    built = Path(__file__).resolve().parent.parent / "target" / "release" / "shadegrad"
    program = os.environ.get("SHADEGRAD") or shutil.which("shadegrad") or str(built)
    try:
        said = subprocess.run([program, "layers", "--json"], check=True, capture_output=True, text=True).stdout
        return {kind: (layer["stem"], layer["settings"]) for kind, layer in json.loads(said).items()}
    except (OSError, subprocess.CalledProcessError, ValueError, KeyError) as error:
        stop(f"{program} layers --json: {error}; build it with `cargo build --release`, or let SHADEGRAD name it")


def checked(layer):
    """A Keras layer's class and settings, if there is the like of it here."""
    kind, config = type(layer).__name__, layer.get_config()
    if kind == "Normalization":
        config["axis"] = list(layer.axis)  # None is () there, and [] here
    if kind not in LAYERS:
        stop(f"layer {layer.name!r} is a {kind}; only {', '.join(LAYERS)} are known")
    for setting, value in ONLY.items():
        if setting in LAYERS[kind][1]:
            continue
        found = config.get(setting, value)
        if setting == "axis" and isinstance(found, list) and len(found) == 1:
            found = found[0]  # LayerNormalization makes a list of it
        if (tuple(found) if isinstance(found, list) else found) != value:
            stop(f"layer {layer.name!r}: {setting} is {found!r}, but must be {value!r}")
    if kind == "ReLU" and config["negative_slope"] != 0:
        stop(f"layer {layer.name!r}: negative_slope is {config['negative_slope']}; a LeakyReLU has one")
    return kind, {setting: config[setting] for setting in LAYERS[kind][1] if config.get(setting) is not None}


def named(layers):
    """Pairs of a layer's name here and whatever belongs to it, from (class, given name or None, that)."""
    counts, pairs = {}, []
    for kind, given, value in layers:
        stem = LAYERS[kind][0]
        count = counts.setdefault(stem, 0)
        if given is None:
            counts[stem] += 1
        pairs.append((given or (stem if count == 0 else f"{stem}_{count}"), value))
    return pairs


def write(path, content, force):
    """Writes a whole file or none. A symbolic link stays, and what it leads to is written."""
    path = Path(os.path.realpath(path))
    if path.exists() and not force:
        stop(f"{path} is there already; choose another name, or replace it with --force")
    if path.exists() and not path.is_file():
        stop(f"{path} is not a regular file; choose another name")
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=path.parent, suffix=path.suffix, delete=False) as file:
        file.write(content)
    os.replace(file.name, path)


def model_file(model, settings):
    """The text of a model file; values of TOML are written as JSON writes them."""
    name = "".join(c if c.isascii() and (c.isalnum() or c in "-_") else "_" for c in model.name)
    lines = [f"name = {json.dumps(name)}", f"input_shape = {json.dumps(list(model.input_shape[1:]))}"]
    for kind, config in settings:
        lines += ["", "[[layers]]", f"type = {json.dumps(kind)}"]
        lines += [f"{setting} = {json.dumps(value)}" for setting, value in config.items()]
    return "\n".join(lines) + "\n"


def add_wiring(model, pairs, settings):
    """Adds names and inputs to the settings of layers that do not just follow one another, and which of them are not trained."""
    for (_, layer), (_, config) in zip(pairs, settings):
        if not layer.trainable:
            config["trainable"] = False
    if type(model).__name__ == "Sequential":
        return
    names = {id(layer): name for name, layer in pairs}
    nodes = {id(node) for node in getattr(model, "_nodes", [])}
    sources = []
    for name, layer in pairs:
        calls = layer._inbound_nodes
        if len(calls) > 1:
            calls = [node for node in calls if id(node) in nodes]
        if len(calls) != 1:
            stop(f"layer {layer.name!r} is called {len(calls)} times; only layers that are called once are known")
        tensors = calls[0].arguments.keras_tensors
        sources.append([names.get(id(tensor._keras_history.operation), "input") for tensor in tensors])
    if len(model.inputs) != 1 or len(model.outputs) != 1:
        stop(f"the model has {len(model.inputs)} inputs and {len(model.outputs)} outputs; only one of each is known")
    if model.outputs[0]._keras_history.operation is not pairs[-1][1]:
        stop(f"the model's output is not that of its last layer, {pairs[-1][1].name!r}")
    if sources == [["input"], *([name] for name, _ in pairs[:-1])]:
        return
    for (name, _), (_, config), inputs in zip(pairs, settings, sources):
        config |= {"name": name, "inputs": inputs}


def holds_model(folder):
    """Whether the model file of a folder reads as one."""
    try:
        return "layers" in tomllib.loads((folder / "model.toml").read_text())
    except (OSError, ValueError):
        return False


def from_keras(source, target, force):
    import keras
    import numpy as np
    from safetensors.numpy import save

    model = keras.saving.load_model(source, compile=False)
    layers = [layer for layer in model.layers if type(layer).__name__ != "InputLayer"]
    settings = [checked(layer) for layer in layers]
    tensors = {}
    pairs = named([(kind, None, layer) for (kind, _), layer in zip(settings, layers)])
    add_wiring(model, pairs, settings)
    for name, layer in pairs:
        for weight in layer.weights:
            if (type(layer).__name__, weight.name) in UNUSED:
                continue
            tensors[f"{name}.{weight.name}"] = np.ascontiguousarray(weight, dtype=np.float32)
    if str(target).endswith(".safetensors"):
        write(target, save(tensors), force)
        return
    target = Path(target)
    if target.exists() and any(target.iterdir()) and not force:
        stop(f"{target} is not empty; choose another folder, or replace its model with --force")
    if any((target / name).exists() for name in ("model.toml", "weights.safetensors")) and not holds_model(target):
        stop(f"{target} holds files of these names that are no model; choose another folder")
    write(target / "model.toml", model_file(model, settings).encode(), force)
    write(target / "weights.safetensors", save(tensors), force)


def to_keras(source, target, force):
    import keras
    from safetensors.numpy import load_file

    source = Path(source)
    file = tomllib.loads((source / "model.toml").read_text())
    tensors = load_file(source / "weights.safetensors")
    input = keras.Input(file["input_shape"])
    layers = []
    for table in file["layers"]:
        kind = table.get("type")
        if kind not in LAYERS:
            stop(f"{source / 'model.toml'}: type {kind!r} is not known; there are {', '.join(LAYERS)}")
        layers.append((kind, table.get("name"), {key: table[key] for key in LAYERS[kind][1] if key in table}))
    kinds = [kind for kind, _, _ in layers]
    made, outputs, last = [], {"input": input}, input
    for table, kind, (name, settings) in zip(file["layers"], kinds, named(layers)):
        if settings.get("activation") == "gelu_tanh":
            stop("gelu_tanh is gelu with approximate=True in Keras, which has no name that a saved model could hold")
        made.append(getattr(keras.layers, kind)(name=name, trainable=table.get("trainable", True), **settings))
        if any("inputs" in other for other in file["layers"]):
            inputs = [outputs[source] for source in table.get("inputs", [])] or [last]
            last = outputs[name] = made[-1](inputs if len(inputs) > 1 else inputs[0])
    model = keras.Sequential([input, *made], name=file["name"]) if last is input else keras.Model(input, last, name=file["name"])
    for layer in model.layers:
        for weight in layer.weights:
            if (type(layer).__name__, weight.name) in UNUSED:
                continue
            tensor = tensors.pop(f"{layer.name}.{weight.name}", None)
            if tensor is None or tensor.shape != tuple(weight.shape):
                stop(f"{source}: no tensor {layer.name}.{weight.name} of shape {tuple(weight.shape)}")
            weight.assign(tensor)
        if type(layer).__name__ == "Normalization":
            layer.finalize_state()
            if layer.input_mean is not None:  # no weights there, but weights here
                for given in ("mean", "variance"):
                    tensors.pop(f"{layer.name}.{given}", None)
    if tensors:
        stop(f"{source}: {', '.join(tensors)} belong to no layer")
    with tempfile.TemporaryDirectory() as folder:
        saved = Path(folder) / "model.keras"
        model.save(saved)
        write(target, saved.read_bytes(), force)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("direction", choices=["from-keras", "to-keras"])
    parser.add_argument("source")
    parser.add_argument("target")
    parser.add_argument("--force", action="store_true", help="replace what is there")
    args = parser.parse_args()
    LAYERS.update(known_layers())
    if not Path(args.source).exists():
        stop(f"{args.source} is not there")
    if args.direction == "to-keras" and not args.target.endswith(".keras"):
        stop(f"{args.target} must end with .keras")
    (from_keras if args.direction == "from-keras" else to_keras)(args.source, args.target, args.force)


if __name__ == "__main__":
    main()

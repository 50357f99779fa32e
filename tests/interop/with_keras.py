"""Models go to Keras and come from it: the same weights to the bit, the same predictions."""

import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
from common import DEVICE, ROOT, agree, predictions, shadegrad, test_images
from safetensors.numpy import load_file

IMAGES = test_images(64)
FLOATS = IMAGES.astype(np.float32) / np.float32(255)


def convert(*args):
    """Runs scripts/keras_weights.py; its exit code and standard error."""
    command = [sys.executable, str(ROOT / "scripts/keras_weights.py"), *map(str, args)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.returncode, done.stderr


def converted(*args):
    code, errors = convert(*args)
    assert code == 0, errors


def from_keras(folder):
    """A model that Keras made predicts the same here, and comes back as it was."""
    layers = keras.layers
    # The names that Keras gives a second model in one process are not ours: they go on counting.
    keras.Sequential([keras.Input((28, 28, 1)), layers.Conv2D(2, 3)])
    model = keras.Sequential([
        keras.Input((28, 28, 1)),
        layers.Conv2D(8, (5, 3), strides=(2, 1), activation="relu"),
        layers.MaxPooling2D((2, 3)),
        layers.Conv2D(6, 3, activation="relu"),
        layers.Flatten(),
        layers.Dense(12, activation="relu"),
        layers.Dense(10, activation="softmax"),
    ])
    generator = np.random.default_rng(5)
    model.set_weights([
        generator.normal(0, 2 / max(1, np.prod(w.shape[:-1])) ** 0.5, w.shape).astype(np.float32)
        for w in model.weights
    ])
    model.save(folder / "made.keras")
    converted("from-keras", folder / "made.keras", folder / "run")
    ours = predictions(folder / "run", IMAGES, folder / "images")
    agree("from Keras", ours, np.asarray(model(FLOATS)))

    converted("from-keras", folder / "made.keras", folder / "only.safetensors")
    arguments = ["--model", folder / "run/model.toml", "--init", folder / "only.safetensors"]
    shadegrad("train", *arguments, "--max-steps", 1, "--device", DEVICE, "--out", folder / "trained-on")

    converted("to-keras", folder / "run", folder / "back.keras")
    back = keras.saving.load_model(folder / "back.keras", compile=False)
    for mine, theirs in zip(back.get_weights(), model.get_weights(), strict=True):
        assert mine.tobytes() == theirs.tobytes()


def to_keras(folder):
    """A run of ours predicts the same in Keras, and comes back as it was."""
    shadegrad("train", "--max-steps", 200, "--device", DEVICE, "--out", folder / "tutorial")
    converted("to-keras", folder / "tutorial", folder / "tutorial.keras")
    model = keras.saving.load_model(folder / "tutorial.keras", compile=False)
    agree("to Keras", predictions(folder / "tutorial", IMAGES, folder / "images"), np.asarray(model(FLOATS)))
    converted("from-keras", folder / "tutorial.keras", folder / "again")
    before = load_file(folder / "tutorial/weights.safetensors")
    after = load_file(folder / "again/weights.safetensors")
    assert before.keys() == after.keys()
    assert all(before[name].tobytes() == after[name].tobytes() for name in before)


def branches(folder):
    """A model with branches, normalized, partly not trained, predicts the same here, and comes back as it was."""
    layers = keras.layers
    image = keras.Input((28, 28, 1))
    x = layers.Conv2D(8, 3, strides=2, padding="same", use_bias=False, trainable=False)(image)
    x = layers.BatchNormalization(momentum=0.9)(x)
    x = layers.Activation("relu")(x)
    y = layers.DepthwiseConv2D(3, padding="same", depth_multiplier=2)(x)
    y = layers.Conv2D(8, 1, groups=2)(y)
    x = layers.Add()([x, y])
    z = layers.AveragePooling2D(3, strides=1, padding="same")(x)
    x = layers.Concatenate()([x, z, layers.ZeroPadding2D(((0, 0), (0, 0)))(y)])
    x = layers.Conv2DTranspose(6, 3, strides=2)(x)
    x = layers.SeparableConv2D(8, 3, dilation_rate=2)(x)
    x = layers.Multiply()([layers.GlobalAveragePooling2D()(x), layers.GlobalMaxPooling2D()(x)])
    x = layers.Dense(12, activation="sigmoid")(x)
    model = keras.Model(image, layers.Dense(10, activation="softmax")(x))
    generator = np.random.default_rng(6)
    model.set_weights([
        generator.uniform(0.5, 2, w.shape) if "variance" in w.name
        else generator.normal(0, 2 / max(1, np.prod(w.shape[:-1])) ** 0.5, w.shape)
        for w in model.weights
    ])
    model.save(folder / "branches.keras")
    converted("from-keras", folder / "branches.keras", folder / "branches")
    ours = predictions(folder / "branches", IMAGES, folder / "images")
    agree("branches from Keras", ours, np.asarray(model(FLOATS, training=False)))
    arguments = ["--model", folder / "branches/model.toml", "--init", folder / "branches/weights.safetensors"]
    shadegrad("train", *arguments, "--max-steps", 1, "--device", DEVICE, "--out", folder / "branches-trained")

    converted("to-keras", folder / "branches", folder / "branches-back.keras")
    back = keras.saving.load_model(folder / "branches-back.keras", compile=False)
    agree("branches back", ours, np.asarray(back(FLOATS, training=False)))
    assert [layer.trainable for layer in back.layers].count(False) == 1


def normalized(folder):
    """A Normalization that adapted, and one that was given its statistics, mean the same here and there."""
    layers = keras.layers
    model = keras.Sequential([
        keras.Input((28, 28, 1)),
        layers.Normalization(axis=(1, 3)),
        layers.Conv2D(4, 3, strides=3, activation="tanh"),
        layers.Normalization(mean=[0.1, -0.2, 0.0, 0.3], variance=[0.5, 2.0, 1.0, 0.25]),
        layers.Normalization(axis=None, mean=0.5, variance=4.0, invert=True),
        layers.Flatten(),
        layers.Dense(10, activation="softmax"),
    ])
    model.layers[0].adapt(IMAGES.astype(np.float64))
    model.save(folder / "normalized.keras")
    converted("from-keras", folder / "normalized.keras", folder / "normalized")
    ours = predictions(folder / "normalized", IMAGES, folder / "images")
    agree("normalized, from Keras", ours, np.asarray(model(IMAGES.astype(np.float32))))
    model_file = folder / "normalized/model.toml"
    arguments = ["--model", model_file, "--init", folder / "normalized/weights.safetensors", "--max-steps", 1]
    shadegrad("train", *arguments, "--device", DEVICE, "--out", folder / "normalized-trained")
    converted("to-keras", folder / "normalized-trained", folder / "normalized-back.keras")
    back = keras.saving.load_model(folder / "normalized-back.keras", compile=False)
    for mine, theirs in zip(back.layers[0].get_weights()[:2], model.layers[0].get_weights()[:2], strict=True):
        assert mine.tobytes() == theirs.tobytes()
    ours = predictions(folder / "normalized-trained", IMAGES, folder / "images")
    agree("normalized, to Keras", ours, np.asarray(back(IMAGES.astype(np.float32))))


def refusals(folder):
    """What cannot be carried over is named, and nothing is replaced unasked."""
    model = keras.Sequential([keras.Input((8, 8, 1)), keras.layers.UpSampling2D(), keras.layers.Flatten()])
    model.save(folder / "strange.keras")
    rows = [
        (["from-keras", folder / "strange.keras", folder / "strange"], "is a UpSampling2D"),
        (["from-keras", folder / "made.keras", folder / "run"], "not empty"),
        (["to-keras", folder / "run", folder / "back.keras"], "there already"),
        (["from-keras", folder / "nonesuch.keras", folder / "x"], "is not there"),
    ]
    for arguments, expected in rows:
        code, errors = convert(*arguments)
        assert code == 1 and expected in errors and "Traceback" not in errors, (arguments, errors)
    print(f"{len(rows)} refusals are clear")


def main(folder):
    folder.mkdir()
    from_keras(folder)
    to_keras(folder)
    branches(folder)
    normalized(folder)
    refusals(folder)


main(Path(sys.argv[1]))

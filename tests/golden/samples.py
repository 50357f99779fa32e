"""What the runs of make_keras_runs.py train on; samples.rs makes the same."""

import numpy as np

SAMPLES = 150
DATA_SEED = 2024
SAMPLE_WEIGHT_SEED = 77


def splitmix64(seed, count):
    """The first `count` numbers of the generator."""
    with np.errstate(over="ignore"):
        z = np.uint64(seed) + np.arange(1, count + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        return z ^ (z >> np.uint64(31))


def pixels(shape):
    """Bytes [SAMPLES, h, w, c]."""
    return splitmix64(DATA_SEED, SAMPLES * int(np.prod(shape))).astype(np.uint8).reshape(SAMPLES, *shape)


def symmetric(seed, count):
    """Numbers evenly spread in [-1, 1), in float64."""
    return (splitmix64(seed, count) >> np.uint64(11)).astype(np.float64) * 2.0**-52 - 1


def features(count):
    """Numbers [SAMPLES, count]."""
    return symmetric(DATA_SEED, SAMPLES * count).astype(np.float32).reshape(SAMPLES, count)


def sample_weights(file):
    """Where the name begins with `weighted`, how much each sample counts: from 0 to 2, of each seventh 0; else None."""
    if not file["name"].startswith("weighted"):
        return None
    weights = np.abs(symmetric(SAMPLE_WEIGHT_SEED, SAMPLES)) * 2
    return np.where(np.arange(SAMPLES) % 7 == 0, 0, weights).astype(np.float32)


def inputs(shape, takes_bytes):
    """What the first layer gets, in float32: of images a 255th of the bytes, unless it takes them as they are."""
    if len(shape) == 1:
        return features(*shape)
    return pixels(shape).astype(np.float32) / np.float32(1 if takes_bytes else 255)


def quadrants(shape):
    """The sums of the four quadrants of each image, by rows [SAMPLES, 4]."""
    h, w, _ = shape
    images = pixels(shape)
    halves = [(slice(0, h // 2), slice(h // 2, h)), (slice(0, w // 2), slice(w // 2, w))]
    sums = [images[:, rows, columns].sum(axis=(1, 2, 3), dtype=np.int64) for rows in halves[0] for columns in halves[1]]
    return np.stack(sums, axis=1)


def targets(file, output, sparse):
    """What the outputs are to be, by the `target` of the model file.

    - Classes: one-hot, or with `sparse` its number: the brightest quadrant, the first of equals, modulo the number of classes.
      A single unit says how probable class 1 is.
    - Labels: for each quadrant whether it is brighter than the mean of all bytes, 127.5.
    - Values: of images the pixels themselves as 255ths; of features x the `values_of` them.
    """
    shape = file["input_shape"]
    kind = file.get("target", "classes")
    if kind == "values":
        return values_of(features(*shape)) if len(shape) == 1 else inputs(shape, False).reshape(SAMPLES, *output)
    if kind == "multi_label":
        h, w, c = shape
        corner = (h // 2) * (w // 2) * c
        assert 4 * corner == h * w * c, "quadrants of one size"
        return (2 * quadrants(shape) > 255 * corner).astype(np.float32)
    classes = output[-1]
    labels = quadrants(shape).argmax(axis=1) % max(classes, 2)
    if sparse:
        return labels
    return np.eye(max(classes, 2), dtype=np.float32)[labels][:, -classes:]


def values_of(x):
    """Three functions of a row of features, computed in float64 from left to right and rounded to float32."""
    a, b, c, d, e = x.astype(np.float64).T[:5]
    return np.stack([a * b + 0.5 * c, np.abs(d) - e * e, 2.0 + a - 3.0 * c * d], axis=1).astype(np.float32)

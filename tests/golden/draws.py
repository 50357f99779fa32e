"""Keras layers that draw at random, under the draws of shadegrad.

Keras's own generators would draw other numbers, and their runs could not be followed. So these layers take theirs from
Philox4x32-10, addressed as shadegrad addresses it: by the seed of the run, the step, the place of the layer in the model, what
the draw is for, and the place in the batch. What is done with a draw is left to Keras and TensorFlow: each class is that
of Keras with its source of numbers exchanged.

The formulas of the addresses stand in src/random.rs and with the ops: dropout.rs, random_flip.rs, random_shift/shape.rs.
"""

import keras
import numpy as np
import tensorflow as tf
from tensorflow.python.ops import nn_ops

# `Purpose` in src/random.rs.
DROPOUT = 5
FLIP = 9
TRANSLATION = 10
# Parts of a pixel by which images are moved.
PIXEL = 4096


def philox4x32(counter, seed):
    """Philox4x32-10: four words [4, n] for each counter, of four arrays [n] or numbers, under a 64-bit seed.

    Source: Salmon, Moraes, Dror, Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC 2011.
    """
    word, low = np.uint64(32), np.uint64(0xFFFFFFFF)
    c = np.broadcast_arrays(*(np.asarray(part, np.uint64) for part in counter))
    key = [np.uint64(seed) & low, np.uint64(seed) >> word]
    for _ in range(10):
        p0, p1 = np.uint64(0xD2511F53) * c[0], np.uint64(0xCD9E8D57) * c[2]
        c = [p1 >> word ^ c[1] ^ key[0], p1 & low, p0 >> word ^ c[3] ^ key[1], p0 & low]
        key = [(key[0] + np.uint64(0x9E3779B9)) & low, (key[1] + np.uint64(0xBB67AE85)) & low]
    return np.stack(c).astype(np.uint32)


def check():
    """The answers that the test in src/random.rs expects, which are those of the reference implementation."""
    most = 0xFFFFFFFF
    rows = [
        ([0] * 4, 0, [0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8]),
        ([most] * 4, most << 32 | most, [0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD]),
        (
            [0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344],
            0x299F31D0_A4093822,
            [0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1],
        ),
    ]
    for counter, seed, expected in rows:
        found = philox4x32(counter, seed)
        assert found.tolist() == expected, f"counter {counter}: {found}, not {expected}"


def dropout_draws(seed, step, layer, count):
    """Of so many elements, each in [0, 1)."""
    blocks = philox4x32([np.arange(-(-count // 4)), step, layer, DROPOUT], seed)
    return ((blocks.T.ravel()[:count] >> 8) / np.float32(1 << 24)).astype(np.float32)


def flips(seed, step, layer, count):
    """Which of so many images are mirrored."""
    return philox4x32([np.arange(count), step, layer, FLIP], seed)[0] >> 31 == 1


def shifts(seed, step, layer, count, word, factor, size):
    """By how many pixels each of so many images is moved along an axis of this size: down for word 0, to the right for 1."""
    low, high = (int(np.floor(abs(part) + 0.5)) * (1 if part >= 0 else -1) for part in np.multiply(factor, size * PIXEL))
    draws = philox4x32([np.arange(count), step, layer, TRANSLATION], seed)[word].astype(np.uint64)
    parts = low + (draws * np.uint64(high - low + 1) >> np.uint64(32)).astype(np.int64)
    return (parts / PIXEL).astype(np.float32)


class Draws:
    """The draws of a run, whose batches have their samples in these orders; `step` says which is the next one."""

    def __init__(self, seed, orders):
        self.seed, self.orders = seed, orders
        self.step = tf.Variable(0, dtype=tf.int64)

    def of_steps(self, of_step):
        """What `of_step(step, count)` [count, ...] says of each step's places in the batch; for `of`."""
        most = max(len(order) for order in self.orders)
        rows = [of_step(step, len(order))[order] for step, order in enumerate(self.orders)]
        padded = [np.concatenate([row, np.zeros((most - len(row), *row.shape[1:]), row.dtype)]) for row in rows]
        return np.stack(padded)

    def of(self, table, inputs):
        """Those of the present step, for the samples of the batch."""
        return tf.constant(table)[self.step][: tf.shape(inputs)[0]]


class Dropout(keras.layers.Dropout):
    """Keras's, whose numbers are `dropout_draws`."""

    def __init__(self, rate, draws, place, **settings):
        super().__init__(rate, **settings)
        self.draws, self.place = draws, place

    def build(self, input_shape):
        features = int(np.prod(input_shape[1:]))
        draws = lambda step, count: dropout_draws(self.draws.seed, step, self.place, count * features)  # noqa: E731
        self.table = self.draws.of_steps(lambda step, count: draws(step, count).reshape(count, *input_shape[1:]))
        # In float32 the rate is another number: no draw may lie between the two.
        assert ((self.table >= self.rate) == (self.table >= np.float32(self.rate))).all(), "draw again: another seed"
        super().build(input_shape)

    def call(self, inputs, training=False):
        if not training or self.rate == 0:
            return inputs
        draws = self.draws.of(self.table, inputs)
        # What tf.nn.dropout calls, with its generator.
        sampler = lambda shape, dtype: tf.cast(draws, dtype)  # noqa: E731
        return nn_ops._dropout(inputs, self.rate, None, sampler, lambda: None, None, "dropout")


class RandomFlip(keras.layers.RandomFlip):
    """Keras's, whose draws are `flips`."""

    def __init__(self, draws, place, **settings):
        super().__init__(**settings)
        self.draws = draws
        self.table = draws.of_steps(lambda step, count: flips(draws.seed, step, place, count).reshape(count, 1, 1, 1))

    def get_random_transformation(self, data, training=True, seed=None):
        return {"flips": self.draws.of(self.table, data), "input_shape": tf.shape(data)} if training else None


class RandomTranslation(keras.layers.RandomTranslation):
    """Keras's, whose draws are `shifts`."""

    def __init__(self, draws, place, **settings):
        super().__init__(**settings)
        self.draws, self.place = draws, place

    def build(self, input_shape):
        _, height, width, _ = input_shape
        axes = [
            (1, (self.width_lower, self.width_upper), width),
            (0, (self.height_lower, self.height_upper), height),
        ]
        of_axis = lambda step, count, axis: shifts(self.draws.seed, step, self.place, count, *axis)  # noqa: E731
        self.table = self.draws.of_steps(
            lambda step, count: np.stack([of_axis(step, count, axis) for axis in axes], axis=1)
        )
        super().build(input_shape)

    def get_random_transformation(self, data, training=True, seed=None):
        return {"translations": self.draws.of(self.table, data), "input_shape": tf.shape(data)} if training else None


LAYERS = {"Dropout": Dropout, "RandomFlip": RandomFlip, "RandomTranslation": RandomTranslation}

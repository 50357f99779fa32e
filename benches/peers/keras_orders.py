"""The tutorial in Keras on TensorFlow from one seed, with a choice of the order of samples.

    one       `fit` after `keras.utils.set_random_seed`: it takes one and the same order in every epoch
    new       an order from numpy's generator for each epoch, and `fit` without shuffling
    file      the order of the files, every epoch

Prints the history and the figures of the test set as one line of JSON. With --count-orders it prints instead how many
different orders `fit` takes in as many epochs, after `set_random_seed` and without any seed. With --write-order it trains
nothing, but writes the data set with its training samples in the order that `fit` takes after `set_random_seed`.
"""

import gzip
import json
import os
import pathlib
import shutil

os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
import tensorflow as tf

import peer
from keras_tutorial import tutorial


class Sampled(keras.Model):
    """Notes the samples that it is given, each of which is its own number; learns nothing."""

    def __init__(self):
        super().__init__()
        self.seen = []
        self.dense = keras.layers.Dense(1)

    def call(self, inputs):
        return self.dense(inputs)

    def train_step(self, data):
        tf.py_function(lambda batch: self.seen.extend(batch.numpy().ravel().tolist()), [data[0]], [])
        return {"loss": 0.0}


def orders(epochs, samples):
    """The order of samples of each epoch of `fit`: [epochs, samples]."""
    model = Sampled()
    model.compile()
    numbers = np.arange(samples, dtype=np.float32).reshape(samples, 1)
    model.fit(numbers, numbers, epochs=epochs, batch_size=64, verbose=0)
    taken = np.array(model.seen, dtype=np.int64).reshape(epochs, samples)
    assert all(sorted(order) == list(range(samples)) for order in taken), "an epoch is not a permutation"
    return taken


def count_orders(epochs, samples=1000):
    def count():
        return len(np.unique(orders(epochs, samples), axis=0))

    unseeded = count()
    keras.utils.set_random_seed(0)
    return {"seeded": count(), "unseeded": unseeded}


def write_order(args):
    args.write_order.mkdir(parents=True, exist_ok=True)
    images, labels = peer.load(args.data, "train")
    keras.utils.set_random_seed(args.seed)
    [order] = orders(1, len(images))
    for name, header, values in [("images-idx3", 16, images), ("labels-idx1", 8, labels)]:
        file = f"train-{name}-ubyte.gz"
        with gzip.open(peer.place(args.data, file)) as before, gzip.open(args.write_order / file, "wb", compresslevel=1) as after:
            after.write(before.read(header) + values[order].tobytes())
        test = file.replace("train", "t10k")
        shutil.copyfile(peer.place(args.data, test), args.write_order / test)
    return {}


def train(args):
    def data(stem):
        images, labels = peer.load(args.data, stem)
        return images.reshape(-1, 28, 28, 1).astype("float32") / 255, keras.utils.to_categorical(labels, 10)

    images, labels = data("train")
    keras.utils.set_random_seed(args.seed)
    model = tutorial()
    model.compile(optimizer="rmsprop", loss="categorical_crossentropy", metrics=["accuracy"])
    losses = []

    def fit(images, labels, epochs, shuffle):
        history = model.fit(
            images, labels, epochs=epochs, batch_size=args.batch_size, shuffle=shuffle, verbose=0
        )
        losses.extend(history.history["loss"])

    if args.order == "new":
        generator = np.random.default_rng(args.seed)
        for _ in range(args.epochs):
            order = generator.permutation(len(images))
            fit(images[order], labels[order], 1, False)
    else:
        fit(images, labels, args.epochs, args.order == "one")
    loss, accuracy = model.evaluate(*data("t10k"), batch_size=peer.PREDICT_BATCH, verbose=0)
    return {"losses": losses, "test_loss": loss, "test_accuracy": accuracy}


def main():
    parser = peer.arguments(__doc__.splitlines()[0])
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--order", choices=["one", "new", "file"], default="one")
    parser.add_argument("--count-orders", action="store_true")
    parser.add_argument("--write-order", type=pathlib.Path, metavar="FOLDER")
    args = parser.parse_args()
    if args.count_orders:
        answer = count_orders(args.epochs)
    else:
        answer = write_order(args) if args.write_order else train(args)
    print(json.dumps(answer))


if __name__ == "__main__":
    main()

"""What the scripts of the peers share: the data, and how they report.

A script prints one JSON line per event on standard output:

    {"event": "first_step", "seconds": S}    end of the first training step, since the start of the process
    {"event": "epoch", "seconds": S}         an epoch, in order
    {"event": "predict", "seconds": S}       probabilities of the whole test set
    {"event": "accuracy", "value": A}        on the test set, by these

burn's, which trains a number of steps instead, has `{"event": "steps", "before": M, "count": N, "seconds": S}` in place of
epochs: N steps took S, and M had been trained before.
"""

import argparse
import gzip
import json
import os
import pathlib
import time

# Set by the runner: seconds since 1970 when it started the process.
STARTED = "PEER_STARTED"
PREDICT_BATCH = 1024


def emit(event, **values):
    print(json.dumps({"event": event, **values}), flush=True)


def since_start():
    return time.time() - float(os.environ[STARTED])


def arguments(description):
    """A parser with the options that every script has."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--data", type=pathlib.Path, required=True, help="folder with the four IDX files, gzipped, or with folders train and test of them")
    parser.add_argument("--epochs", type=int, required=True)
    parser.add_argument("--batch-size", type=int, default=64)
    return parser


def place(folder, file):
    """The file in the folder, or in that of its set within it."""
    beside = folder / file
    return beside if beside.exists() else folder / ("train" if file.startswith("train") else "test") / file


def load(folder, stem):
    """Images [n, 28, 28] and labels [n] of `train` or `t10k`, as bytes."""
    import numpy  # late: the runner, which uses this module too, is to run without it

    def read(name, header):
        with gzip.open(place(folder, f"{stem}-{name}-ubyte.gz")) as file:
            return numpy.frombuffer(file.read(), numpy.uint8, offset=header)

    return read("images-idx3", 16).reshape(-1, 28, 28), read("labels-idx1", 8)

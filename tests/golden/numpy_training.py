"""The training of make_keras_golden.py in plain numpy: float64, and float32 in several orders of summation.

Every sum in it is a matrix product (a sum over rows is a product with ones), so an order of summation is a way to
multiply: `ORDERS` names them, `numpy_run` takes one. It shares no code with Keras or TensorFlow.
"""

from dataclasses import dataclass

import numpy as np

LEARNING_RATE, RHO, EPSILON = 1e-3, 0.9, 1e-7  # the defaults of keras.optimizers.RMSprop


@dataclass
class Trajectory:
    """One training run: the loss of each step before its update, and the weights after the recorded steps."""

    losses: list
    weights: dict  # step -> {name: array}


def one_hot(labels, dtype=np.float32):
    return np.eye(10, dtype=dtype)[labels]


def train(job, batches, step, weights):
    """Runs `step(images, labels) -> loss` over the batches; `weights()` reads the current weights."""
    run = Trajectory(losses=[], weights={})
    for number, (images, labels) in enumerate(batches, start=1):
        run.losses.append(float(step(images, labels)))
        if number in job.recorded:
            run.weights[number] = weights()
    return run


def products(a, b):
    """All terms of a @ b, [k, m, n]: summing axis 0 adds them one k after the other."""
    return np.ascontiguousarray(a.T)[:, :, None] * np.ascontiguousarray(b)[:, None, :]


def grouped(terms, size):
    """[k, m, n] -> [ceil(k / size), size, m, n], filled up with zeros."""
    missing = -len(terms) % size
    terms = np.concatenate([terms, np.zeros((missing, *terms.shape[1:]), terms.dtype)])
    return terms.reshape(-1, size, *terms.shape[1:])


def halving(a, b):
    """The second half is added to the first until one term is left, as a workgroup reduces in shared memory."""
    terms = products(a, b)
    while len(terms) > 1:
        half = (len(terms) + 1) // 2
        terms = np.concatenate([terms[: len(terms) - half] + terms[half:], terms[len(terms) - half : half]])
    return terms[0]


def fused(a, b):
    """Ascending, product and sum rounded together: an FMA, but for its rare double rounding through float64."""
    wide_a, wide_b = a.astype(np.float64), b.astype(np.float64)
    total = np.zeros((a.shape[0], b.shape[1]), np.float32)
    for k in range(a.shape[1]):
        total = (total + wide_a[:, k, None] * wide_b[k]).astype(np.float32)
    return total


ORDERS = {
    "blas": np.matmul,
    "einsum": lambda a, b: np.einsum("mk,kn->mn", a, b, optimize=False),
    "ascending": lambda a, b: products(a, b).sum(axis=0),
    "descending": lambda a, b: products(a[:, ::-1], b[::-1]).sum(axis=0),
    "chunks_of_16": lambda a, b: grouped(products(a, b), 16).sum(axis=1).sum(axis=0),
    "lanes_of_8": lambda a, b: grouped(products(a, b), 8).sum(axis=0).sum(axis=0),
    "halving": halving,
    "fused_ascending": fused,
    "rounded_once": lambda a, b: (a.astype(np.float64) @ b.astype(np.float64)).astype(np.float32),
}


def gradients(w, images, labels, matmul):
    """(loss, {name: gradient}) of the mean cross-entropy, every sum taken by `matmul`, in the dtype of `w`."""
    dtype = w["conv2d.kernel"].dtype
    n, filters = len(images), w["conv2d.bias"].size
    ones = np.ones((1, n * 26 * 26), dtype)

    # conv2d, relu: patches [n*26*26, 9] @ kernel [9, filters]
    patches = np.lib.stride_tricks.sliding_window_view(images[..., 0].astype(dtype), (3, 3), axis=(1, 2))
    patches = patches.reshape(-1, 9)
    conv = np.maximum(matmul(patches, w["conv2d.kernel"].reshape(9, filters)) + w["conv2d.bias"], 0)
    # max_pooling2d: windows [n, 13, 13, filters, 4], argmax takes the first of equal values
    windows = conv.reshape(n, 13, 2, 13, 2, filters).transpose(0, 1, 3, 5, 2, 4).reshape(n, 13, 13, filters, 4)
    winner = windows.argmax(axis=-1)[..., None]
    flat = np.take_along_axis(windows, winner, axis=-1).reshape(n, -1)
    # dense, relu; dense_1; softmax and cross-entropy on the logits
    hidden = np.maximum(matmul(flat, w["dense.kernel"]) + w["dense.bias"], 0)
    logits = matmul(hidden, w["dense_1.kernel"]) + w["dense_1.bias"]
    shifted = logits - logits.max(axis=1, keepdims=True)
    exponentials = np.exp(shifted)
    norm = matmul(exponentials, np.ones((10, 1), dtype))
    targets = one_hot(labels, dtype)
    per_sample = np.log(norm) - shifted[np.arange(n), labels][:, None]
    loss = (matmul(ones[:, :n], per_sample) / dtype.type(n)).item()

    d_logits = (exponentials / norm - targets) / dtype.type(n)
    d_hidden = matmul(d_logits, w["dense_1.kernel"].T) * (hidden > 0)
    d_flat = matmul(d_hidden, w["dense.kernel"].T)
    d_windows = np.zeros_like(windows)
    np.put_along_axis(d_windows, winner, d_flat.reshape(winner.shape), axis=-1)
    d_windows = d_windows.reshape(n, 13, 13, filters, 2, 2).transpose(0, 1, 4, 2, 5, 3)
    d_conv = d_windows.reshape(-1, filters) * (conv > 0)
    return loss, {
        "conv2d.kernel": matmul(patches.T, d_conv).reshape(3, 3, 1, filters),
        "conv2d.bias": matmul(ones, d_conv)[0],
        "dense.kernel": matmul(flat.T, d_hidden),
        "dense.bias": matmul(ones[:, :n], d_hidden)[0],
        "dense_1.kernel": matmul(hidden.T, d_logits),
        "dense_1.bias": matmul(ones[:, :n], d_logits)[0],
    }


def numpy_run(job, batches, initial, dtype, matmul, arrange=np.arange):
    """`arrange(n)` is the order of the samples in a batch, and so of every sum over the batch."""
    dtype = np.dtype(dtype)
    weights = {name: value.astype(dtype) for name, value in initial.items()}
    velocity = {name: np.zeros_like(value) for name, value in weights.items()}
    lr, rho, eps = dtype.type(LEARNING_RATE), dtype.type(RHO), dtype.type(EPSILON)
    places = arrange(job.batch_size)

    def step(images, labels):
        loss, grads = gradients(weights, images[places], labels[places], matmul)
        for name, g in grads.items():
            velocity[name] = rho * velocity[name] + dtype.type(1 - RHO) * g * g
            weights[name] = weights[name] - lr * g / np.sqrt(velocity[name] + eps)
        return loss

    return train(job, batches, step, lambda: dict(weights))

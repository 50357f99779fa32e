"""The program, and images to give to it and to others."""

import gzip
import json
import subprocess
from pathlib import Path

import numpy as np
from PIL import Image

ROOT = Path(__file__).resolve().parents[2]
# Two softmaxes of the same numbers, summed in another order: probabilities of f32.
LARGEST_DIFFERENCE = 1e-5
DEVICE = "software"


def shadegrad(*args):
    """Runs the program and returns its standard output."""
    command = [str(ROOT / "target/release/shadegrad"), *map(str, args)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise SystemExit(f"{' '.join(command)}: {done.stderr}")
    return done.stdout


def test_images(count):
    """MNIST's first test images, bytes [count, 28, 28, 1]."""
    data = gzip.decompress((ROOT / "assets/mnist/test/t10k-images-idx3-ubyte.gz").read_bytes())
    return np.frombuffer(data, np.uint8, count * 784, 16).reshape(count, 28, 28, 1)


def images_of(shape, count):
    """MNIST where it fits, else noise, [count, *shape]."""
    if list(shape) == [28, 28, 1]:
        return test_images(count)
    generator = np.random.default_rng(7)
    noise = generator.integers(0, 256, (count, *shape), np.uint8)
    # Some brighter and some darker, in each channel: noise alone would be averaged away.
    return (noise * generator.uniform(0, 1, (count, 1, 1, shape[2]))).astype(np.uint8)


def predictions(run, images, folder, device=DEVICE):
    """What the program says of images, [count, classes]; it gets them as PNG files of their own size."""
    folder.mkdir(parents=True, exist_ok=True)
    for at, image in enumerate(images):
        Image.fromarray(image[:, :, 0] if image.shape[2] == 1 else image).save(folder / f"{at:04}.png")
    lines = shadegrad("predict", run, folder, "--plain", "--json", "--device", device).splitlines()
    return np.array([json.loads(line)["probabilities"] for line in lines], np.float32)


def agree(what, ours, theirs):
    """Stops unless both are the same probabilities."""
    assert ours.shape == theirs.shape, (what, ours.shape, theirs.shape)
    difference = float(np.abs(ours - theirs).max())
    print(f"{what}: largest difference {difference:.1e}, spread of a class {float(ours.std(0).max()):.2f}")
    assert difference <= LARGEST_DIFFERENCE, what
    assert float(ours.std(0).max()) > 1e-3, f"{what}: all predictions are alike, so nothing was compared"

"""The second mode: how the rate depends on the size of the training set, of the batch, and of the net."""

import gzip
import math
import shutil
import subprocess

import programs
import report
from peer import place
from programs import MNIST, MNIST_IMAGES, TUTORIAL_BATCH, WORK, Job

SIZES = [2_000, 10_000, 30_000, MNIST_IMAGES]
BATCHES = [16, 64, 256, 1024]
# An epoch of the deeper net over the whole set would take minutes.
DEEPER_IMAGES = 10_000


def first_images(count):
    """A folder with the first images of the training set, and the whole test set."""
    if count == MNIST_IMAGES:
        return MNIST
    folder = WORK / f"mnist-{count}"
    folder.mkdir(exist_ok=True)
    # A header of four bytes for the type and four for each dimension, the number of images first.
    for name, header, size in [("images-idx3", 16, 28 * 28), ("labels-idx1", 8, 1)]:
        file = f"train-{name}-ubyte.gz"
        content = gzip.decompress(place(MNIST, file).read_bytes())[: header + count * size]
        content = content[:4] + count.to_bytes(4, "big") + content[8:]
        (folder / file).write_bytes(gzip.compress(content, compresslevel=1, mtime=0))
        test = f"t10k-{name}-ubyte.gz"
        shutil.copyfile(place(MNIST, test), folder / test)
    return folder


def size_job(images, epochs):
    """Trains on as many images after its first epoch as the whole set would make."""
    later = math.ceil((epochs - 1) * MNIST_IMAGES / images)
    return Job(1 + later, first_images(images), images)


def flops_per_image(model):
    """Of a training step, step by step as the CPU executor runs it, in the tutorial's batches: the same number for every
    program, whatever its own kernels compute or spare."""
    command = [programs.SHADEGRAD, "explain", "--device", "cpu", "--batch-size", str(TUTORIAL_BATCH)]
    command += ["--model", programs.model_argument(model)]
    output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    row = next(line.split() for line in output.splitlines() if line.startswith("training "))
    return int(row[-1].replace(",", ""))


class Scaling:
    """The jobs of the three tables."""

    def __init__(self, args):
        self.sizes = {images: size_job(images, args.epochs) for images in args.sizes}
        self.batches = {batch: Job(args.epochs, batch_size=batch) for batch in args.batches}
        self.models = {}
        if args.models:
            self.models["tutorial"] = Job(args.epochs)
            deeper = first_images(DEEPER_IMAGES)
            self.models["deeper"] = Job(args.epochs, deeper, DEEPER_IMAGES, "deeper")

    def jobs(self):
        return list(dict.fromkeys([*self.sizes.values(), *self.batches.values(), *self.models.values()]))

    def text(self, chosen, measured):
        """The tables. `measured` has a list of figures for a program's name and a job."""
        parts = []
        if self.sizes:
            parts.append(
                rates(
                    chosen,
                    measured,
                    self.sizes,
                    ["microseconds per image, by training images", *(f"{images:,}" for images in self.sizes)],
                    digits=1,
                    figure=lambda seconds, _: 1e6 * seconds,
                )
            )
        if self.batches:
            parts.append(
                rates(
                    chosen,
                    measured,
                    self.batches,
                    ["images/s, by batch size", *map(str, self.batches)],
                    digits=0,
                    figure=lambda seconds, _: 1 / seconds,
                )
            )
        if self.models:
            flops = {model: flops_per_image(model) for model in self.models}
            parts.append(
                rates(
                    chosen,
                    measured,
                    self.models,
                    ["GFLOP/s, by net", *(f"{model}, {flops[model]:,} FLOPs an image" for model in self.models)],
                    digits=1,
                    figure=lambda seconds, model: flops[model] / seconds / 1e9,
                )
            )
        return "\n\n".join(parts)


def rates(chosen, measured, jobs, headings, digits, figure):
    """A table with a row for each program and a column for each job. `figure` makes what is told of the seconds that an
    image takes, and of what the job is called in `jobs`."""

    def values(name, key):
        job = jobs[key]
        seconds = [epoch for figures in measured.get((name, job), []) for epoch in figures.later_epochs()]
        return [figure(epoch / job.images, key) for epoch in seconds]

    def row(program):
        cells = [report.cell(values(program.name, key), digits, values(programs.BASELINE, key)) for key in jobs]
        return [program.describe(), *cells]

    return report.table(headings, [row(program) for program in chosen])

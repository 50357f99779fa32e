"""The programs that are timed: how each is prepared, started and read. What they print is told in peer.py."""

import dataclasses
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time
import tomllib

import peer

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
WORK = ROOT / "target" / "peers"
MNIST = ROOT / "assets" / "mnist"
MNIST_IMAGES = 60_000
TUTORIAL_BATCH = 64
# What drivers and programs keep from one process to the next: Mesa's compiled shaders, which go where MESA_CACHE says, and
# what burn tuned.
MESA_CACHE = ("MESA_SHADER_CACHE_DIR", WORK / "mesa")
CACHES = [MESA_CACHE[1], ROOT / "target" / "environment"]
SHADEGRAD = ROOT / "target" / "release" / "shadegrad"


class Failed(Exception):
    """A program could not be prepared, or ended with an error."""


@dataclasses.dataclass(frozen=True)
class Job:
    """What a process is to train. Equal jobs need timing only once."""

    epochs: int
    data: pathlib.Path = MNIST
    images: int = MNIST_IMAGES
    model: str = "tutorial"
    batch_size: int = TUTORIAL_BATCH
    # Only for a program whose epochs would take too long: it times these instead.
    steps: int = 0


@dataclasses.dataclass
class Figures:
    """What came out of a process. Times in seconds, memory in bytes."""

    first_step: float
    predict: float
    accuracy: float
    # Of a process that trained whole epochs. The first holds what is traced, compiled and tuned on the way.
    epochs: list
    peak_memory: int = 0
    # If `epochs` is one figure, reckoned from some steps: how many were trained in all.
    from_steps: int = 0
    # Whether the caches were empty.
    cold: bool = False

    def later_epochs(self):
        return self.epochs if self.from_steps else self.epochs[1:]


def empty_caches():
    for cache in CACHES:
        shutil.rmtree(cache, ignore_errors=True)


def run(command):
    """Runs a step of preparation; its output is for people, so it goes where progress goes."""
    print("$", *command, file=sys.stderr, flush=True)
    if subprocess.run(command, cwd=ROOT, stdout=sys.stderr).returncode != 0:
        raise Failed(f"failed: {' '.join(map(str, command))}")


def measure(name, command):
    """Runs a program: what it printed, and its peak memory."""
    log = WORK / f"{name}.log"
    with open(log, "w") as errors:
        environment = {**os.environ, MESA_CACHE[0]: str(MESA_CACHE[1]), peer.STARTED: repr(time.time())}
        child = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=errors)
        try:
            output = child.stdout.read().decode()
            _, status, usage = os.wait4(child.pid, 0)
            child.returncode = os.waitstatus_to_exitcode(status)
        finally:
            if child.returncode is None:
                child.kill()
    if child.returncode != 0:
        raise Failed(f"{name} ended with {child.returncode}: see {log}")
    # Kilobytes, on macOS bytes.
    return output, usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def read_events(output, job):
    """The figures that a script of this folder printed."""
    events = [json.loads(line) for line in output.splitlines()]
    seconds = {event["event"]: event["seconds"] for event in events if event["event"] in ("first_step", "predict")}
    accuracy = next(event["value"] for event in events if event["event"] == "accuracy")
    epochs = [event["seconds"] for event in events if event["event"] == "epoch"]
    steps = next((event for event in events if event["event"] == "steps"), None)
    if steps:
        epochs = [steps["seconds"] / steps["count"] * job.images / job.batch_size]
    trained = steps["before"] + steps["count"] if steps else 0
    return Figures(seconds["first_step"], seconds["predict"], accuracy, epochs, from_steps=trained)


class Python:
    """A script in a virtual environment of its own."""

    def __init__(self, name, title, environment, options=(), models=("tutorial",)):
        self.name, self.title, self.environment, self.options, self.models = name, title, environment, options, models

    def requirements(self):
        return HERE / f"requirements-{self.environment}.txt"

    def python(self):
        return WORK / self.environment / "bin" / "python"

    def describe(self):
        lines = self.requirements().read_text().splitlines()
        pins = dict(line.split("==") for line in lines if "==" in line and not line.startswith("#"))
        return self.title.format(**pins)

    def prepare(self):
        # Beside the environment, written when it is whole; other pins make another environment.
        stamp = WORK / f"{self.environment}.installed"
        wanted = self.requirements().read_text()
        if stamp.exists() and stamp.read_text() == wanted:
            return
        run([sys.executable, "-m", "venv", "--clear", WORK / self.environment])
        run([self.python(), "-m", "pip", "install", "--quiet", "--requirement", self.requirements()])
        stamp.write_text(wanted)

    def time(self, job):
        command = [self.python(), HERE / f"{self.environment}_tutorial.py", *self.options]
        command += ["--data", job.data, "--epochs", str(job.epochs), "--batch-size", str(job.batch_size)]
        if job.model != "tutorial":
            command += ["--model", job.model]
        output, memory = measure(self.name, command)
        return dataclasses.replace(read_events(output, job), peak_memory=memory)


class Burn:
    """A program of its own, outside of the engine's workspace."""

    name = "burn"
    models = ()

    def describe(self):
        manifest = tomllib.loads((HERE / "burn" / "Cargo.toml").read_text())
        return f"burn {manifest['dependencies']['burn']['version'].lstrip('=')}, wgpu (WGSL), software adapter"

    def prepare(self):
        manifest = HERE / "burn" / "Cargo.toml"
        run(["cargo", "build", "--release", "--locked", "--manifest-path", manifest, "--target-dir", WORK / "burn"])

    def time(self, job):
        output, memory = measure(
            self.name, [WORK / "burn" / "release" / "burn-tutorial", job.data, str(job.steps)]
        )
        return dataclasses.replace(read_events(output, job), peak_memory=memory)


class Shadegrad:
    """The engine, as a user runs it; its run folder has the figures."""

    models = ("tutorial", "deeper")

    def __init__(self, device):
        self.name, self.device = f"shadegrad-{device}", device

    def describe(self):
        return f"Shadegrad, `--device {self.device}`"

    def prepare(self):
        run(["cargo", "build", "--release"])

    def time(self, job):
        out = pathlib.Path(tempfile.mkdtemp(dir=WORK))
        try:
            command = [SHADEGRAD, "train", "--device", self.device, "--out", out, "--model", model_argument(job.model)]
            command += ["--epochs", str(job.epochs), "--batch-size", str(job.batch_size)]
            # The embedded set is what its users train on; other sets are read from their files.
            command += [] if job.data == MNIST else ["--data", job.data]
            _, memory = measure(self.name, command)
            result = json.loads((out / "result.json").read_text())
            epochs = [json.loads(line)["seconds"] for line in (out / "history.jsonl").read_text().splitlines()]
        finally:
            shutil.rmtree(out)
        first_step, test = result["seconds_to_first_step"], result["test_seconds"]
        return Figures(first_step, test, result["test_accuracy"], epochs, memory)


def model_argument(model):
    """What shadegrad's `--model` takes."""
    return model if model == "tutorial" else ROOT / "assets" / "models" / f"{model}.toml"


PROGRAMS = [
    Python("keras", "Keras {keras} + TensorFlow {tensorflow}, `fit`", "keras", models=("tutorial", "deeper")),
    Python(
        "keras-32",
        "Keras {keras} + TensorFlow {tensorflow}, `steps_per_execution=32`",
        "keras",
        options=("--steps-per-execution", "32"),
        models=("tutorial", "deeper"),
    ),
    Python("pytorch", "PyTorch {torch}, eager", "pytorch"),
    Burn(),
    Shadegrad("software"),
    Shadegrad("cpu"),
]
# Ratios are to this one's figures in the same run.
BASELINE = "keras"

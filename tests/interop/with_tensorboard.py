"""TensorBoard reads the event files of a run: the same figures as in the run's own logs, each once, also after it went on."""

import json
import math
import shutil
import sys
from pathlib import Path

from common import DEVICE, shadegrad
from tensorboard.backend.event_processing.event_accumulator import SCALARS, EventAccumulator


def lines(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


def same(found, steps, figures, tag):
    assert [event.step for event in found] == steps, (tag, len(found), len(steps))
    for event, figure in zip(found, figures):
        assert math.isclose(event.value, figure, rel_tol=1e-6), (tag, event, figure)
    print(f"{tag}: {len(found)} figures")


def main(folder):
    folder.mkdir()
    run, logs = folder / "run", folder / "logs"
    arguments = ["--limit", 2000, "--epochs", 3, "--validation-split", 0.1, "--device", DEVICE]
    shadegrad("train", *arguments, "--out", run, "--tensorboard", logs)
    compare(run, logs / "run")
    # Cut off within the last epoch, after figures that come again when the run goes on.
    goes_on = folder / "goes_on"
    shadegrad("train", *arguments, "--out", goes_on, "--tensorboard", logs, "--checkpoint-steps", 10)
    for checkpoint in sorted((goes_on / "checkpoints").iterdir())[-2:]:
        shutil.rmtree(checkpoint)
    # The clock was far ahead then, and was set right since.
    (first,) = (logs / "goes_on").iterdir()
    first.rename(first.with_name("events.out.tfevents.2900000000.1.0.shadegrad"))
    shadegrad("train", "--resume", "--out", goes_on, "--tensorboard", logs)
    assert len(list((logs / "goes_on").iterdir())) == 2
    compare(goes_on, logs / "goes_on")


def compare(run, logs):
    board = EventAccumulator(str(logs), size_guidance={SCALARS: 0})
    board.Reload()
    epochs, steps = lines(run / "history.jsonl"), lines(run / "steps.jsonl")
    for tag in ("loss", "accuracy", "val_loss", "val_accuracy", "learning_rate"):
        same(board.Scalars(tag), [e["epoch"] for e in epochs], [e[tag] for e in epochs], tag)
    numbers = [s["step"] for s in steps]
    same(board.Scalars("batch_loss"), numbers, [s["loss"] for s in steps], "batch_loss")
    same(board.Scalars("batch_accuracy"), numbers, [s["correct"] / s["n"] for s in steps], "batch_accuracy")


main(Path(sys.argv[1]))

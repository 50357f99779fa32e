"""TensorBoard reads the event file of a run: the same figures as in the run's own logs."""

import json
import math
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
    board = EventAccumulator(str(logs / "run"), size_guidance={SCALARS: 0})
    board.Reload()
    epochs, steps = lines(run / "history.jsonl"), lines(run / "steps.jsonl")
    for tag in ("loss", "accuracy", "val_loss", "val_accuracy", "learning_rate"):
        same(board.Scalars(tag), [e["epoch"] for e in epochs], [e[tag] for e in epochs], tag)
    numbers = [s["step"] for s in steps]
    same(board.Scalars("batch_loss"), numbers, [s["loss"] for s in steps], "batch_loss")
    same(board.Scalars("batch_accuracy"), numbers, [s["correct"] / s["n"] for s in steps], "batch_accuracy")


main(Path(sys.argv[1]))

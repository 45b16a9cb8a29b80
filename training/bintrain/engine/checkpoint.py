"""Saves the whole state of training and resumes from it: how a spot interruption is survived.

There is no signal handler: the state is saved every few minutes (engine/trainer.py), and whatever kills the
job, SageMaker starts it again with the same checkpoint folder. One file is kept, the last: it has all that
is needed, the best weights so far with it, and SageMaker uploads every file that it sees.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import torch

from bintrain.errors import TrainingError

NAME = "checkpoint.pt"
PARTIAL = f".{NAME}.partial"
FORMAT = 3

State = dict[str, Any]


def save_checkpoint(folder: Path, *, identity: dict[str, Any], state: State) -> None:
    """Write `<folder>/checkpoint.pt` in one step: a kill at any moment leaves the old one or the new one.

    `identity` is what must be the same for the state to make sense: hyperparameters, dataset, classes.
    """
    folder.mkdir(parents=True, exist_ok=True)
    partial = folder / PARTIAL
    with partial.open("wb") as file:
        torch.save({"format": FORMAT, "identity": identity, "state": state}, file)
        file.flush()
        os.fsync(file.fileno())
    os.replace(partial, folder / NAME)


def load_checkpoint(folder: Path, *, identity: dict[str, Any]) -> State | None:
    """The state saved last, or None where there is none, or an emptied one.

    Raises TrainingError when it was saved under another identity.
    """
    path = folder / NAME
    if not path.is_file() or path.stat().st_size == 0:
        return None
    saved = torch.load(path, map_location="cpu", weights_only=True)
    if saved["format"] != FORMAT:
        raise TrainingError(
            f"{path} has format {saved['format']}, expected {FORMAT}; remove it to start afresh"
        )
    names = sorted(identity.keys() | saved["identity"].keys())
    differing = [
        f"{name} was {saved['identity'].get(name)!r} and is now {identity.get(name)!r}"
        for name in names
        if saved["identity"].get(name) != identity.get(name)
    ]
    if differing:
        raise TrainingError(
            f"{path} belongs to another training: {'; '.join(differing)}. "
            "Use the same values, another job name, or remove the checkpoint"
        )
    return saved["state"]


def empty_checkpoint(folder: Path) -> None:
    """Replace the checkpoint of a job that is done by an empty file.

    A tuning job has one address for the checkpoints of all trials, and SageMaker copies all below it into
    each trial as it starts. It uploads what changes; whether it deletes what is gone, it does not say.
    """
    if (folder / NAME).is_file():
        # The half-written one too: SageMaker may have uploaded it in the middle of a save.
        for name in (NAME, PARTIAL):
            (folder / name).write_bytes(b"")

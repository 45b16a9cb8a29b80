"""Checkpoints on disk."""

from pathlib import Path

import pytest
import torch

from bintrain.engine.checkpoint import NAME, empty_checkpoint, load_checkpoint, save_checkpoint
from bintrain.errors import TrainingError

IDENTITY = {"epochs": 3, "learning_rate": 0.001, "dataset_id": "a"}


def test_the_last_saved_state_comes_back(tmp_path: Path) -> None:
    folder = tmp_path / "job"
    assert load_checkpoint(folder, identity=IDENTITY) is None

    save_checkpoint(folder, identity=IDENTITY, state={"epoch": 1, "weights": torch.ones(2)})
    save_checkpoint(folder, identity=IDENTITY, state={"epoch": 2, "weights": torch.zeros(2)})

    state = load_checkpoint(folder, identity=IDENTITY)
    assert state is not None and state["epoch"] == 2 and state["weights"].tolist() == [0, 0]
    assert [path.name for path in folder.iterdir()] == [NAME]


def test_a_kill_while_saving_leaves_the_state_before(tmp_path: Path) -> None:
    save_checkpoint(tmp_path, identity=IDENTITY, state={"epoch": 1})
    (tmp_path / f".{NAME}.partial").write_bytes(b"half of the next one")

    assert load_checkpoint(tmp_path, identity=IDENTITY) == {"epoch": 1}


def test_another_training_s_state_is_rejected_with_what_differs(tmp_path: Path) -> None:
    save_checkpoint(tmp_path, identity=IDENTITY, state={})

    with pytest.raises(TrainingError) as caught:
        load_checkpoint(tmp_path, identity=IDENTITY | {"learning_rate": 0.1, "epochs": 9})

    text = str(caught.value)
    assert "epochs was 3 and is now 9; learning_rate was 0.001 and is now 0.1" in text
    assert "dataset_id" not in text


def test_an_emptied_checkpoint_is_none_and_costs_no_download(tmp_path: Path) -> None:
    save_checkpoint(tmp_path, identity=IDENTITY, state={"epoch": 3})
    (tmp_path / f".{NAME}.partial").write_bytes(b"uploaded in the middle of a save")

    empty_checkpoint(tmp_path)

    assert sum(path.stat().st_size for path in tmp_path.iterdir()) == 0
    assert load_checkpoint(tmp_path, identity=IDENTITY) is None


def test_where_nothing_was_saved_nothing_is_emptied(tmp_path: Path) -> None:
    empty_checkpoint(tmp_path)

    assert list(tmp_path.iterdir()) == []

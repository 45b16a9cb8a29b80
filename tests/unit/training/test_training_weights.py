"""Images that a person counted weigh more: from the manifest to the loss."""

import gzip
import json
from pathlib import Path
from typing import Any

import pytest
import torch

from bintrain.data.classes import Classes
from bintrain.data.data_loader import DataLoader
from bintrain.data.dataset import read_dataset
from bintrain.data.images import Images
from bintrain.data.labels import soft_labels
from bintrain.data.sampling import training_plan
from bintrain.engine.heads import build_loss
from bintrain.errors import TrainingError
from tests.unit.training.conftest import write_dataset

CLASSES = Classes(counts=(1, 2, 3), open_top=False)


def weighed(folder: Path, **weights: Any) -> Path:
    """A dataset of nine images to train on, some with a weight in the manifest."""
    write_dataset(folder, train=[1, 2, 3] * 3, validation=[1, 2, 3], test=[1, 2, 3])
    path = folder / "manifest.jsonl.gz"
    lines = [json.loads(line) for line in gzip.decompress(path.read_bytes()).splitlines()]
    for line in lines:
        if line["id"] in weights:
            line["weight"] = weights[line["id"]]
    path.write_bytes(gzip.compress("\n".join(map(json.dumps, lines)).encode()))
    return folder


def training_images(folder: Path) -> Images:
    return Images(read_dataset(folder).split("train"), classes=CLASSES, size=32, keep=True)


@pytest.mark.parametrize("head", ["soft", "emd", "corn", "binomial"])
def test_an_image_that_weighs_three_counts_as_three_of_it(head: str) -> None:
    loss = build_loss(head, targets=soft_labels(CLASSES, sigma=0.7))
    logits = torch.randn(3, 3, generator=torch.Generator().manual_seed(1))
    labels = torch.tensor([1, 1, 1])
    repeated = torch.tensor([0, 1, 2, 2, 2])
    once = loss(logits, labels, torch.tensor([1.0, 1.0, 3.0]) / (5 / 3))
    assert float(once) == pytest.approx(float(loss(logits[repeated], labels[repeated])), rel=1e-5)


@pytest.mark.parametrize("head", ["soft", "emd", "corn"])
def test_equal_weights_change_nothing(head: str) -> None:
    loss = build_loss(head, targets=soft_labels(CLASSES, sigma=0.7))
    logits, labels = torch.randn(4, 3), torch.tensor([0, 1, 2, 0])
    assert float(loss(logits, labels, torch.ones(4))) == pytest.approx(float(loss(logits, labels)), rel=1e-5)


def test_batches_bring_each_image_s_weight_and_the_mean_is_one(tmp_path: Path) -> None:
    images = training_images(weighed(tmp_path, **{"00000": 3, "00004": 3.0}))
    assert images.weights is not None
    assert float(images.weights.mean()) == pytest.approx(1)
    plan = training_plan(images, seed=1, epoch=1, batch=3, first=0, rank=0, size=1)
    for batch in DataLoader(images, threads=1, pin=False).batches(plan):
        assert batch.weights is not None
        heavy = {int(place) for place, weight in zip(batch.indices, batch.weights, strict=True) if weight > 1}
        assert heavy == {0, 4} & set(batch.indices.tolist())


def test_a_dataset_without_weights_has_none(tmp_path: Path) -> None:
    images = training_images(weighed(tmp_path))
    assert images.weights is None
    plan = training_plan(images, seed=1, epoch=1, batch=3, first=0, rank=0, size=1)
    assert all(batch.weights is None for batch in DataLoader(images, threads=1, pin=False).batches(plan))


@pytest.mark.parametrize("weight", [0.2, 11, "3", None])
def test_a_weight_out_of_bounds_is_rejected(tmp_path: Path, weight: object) -> None:
    with pytest.raises(TrainingError, match="is not a number from 1 to 10"):
        read_dataset(weighed(tmp_path, **{"00000": weight}))

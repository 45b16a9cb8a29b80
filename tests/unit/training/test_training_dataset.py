"""Reading a sealed dataset, and errors for what is none."""

import gzip
import json
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from bintrain.data.classes import choose_classes
from bintrain.data.dataset import read_dataset
from bintrain.data.images import Images, fits
from bintrain.errors import TrainingError

MakeDataset = Callable[..., Path]


def test_a_sealed_dataset_is_read_with_its_three_splits(make_dataset: MakeDataset) -> None:
    dataset = read_dataset(make_dataset(train=[1, 2, 2], validation=[1], test=[2, 1]))

    assert dataset.id == "tiny"
    assert [image.count for image in dataset.split("train")] == [1, 2, 2]
    assert [image.count for image in dataset.split("validation")] == [1]
    assert [image.id for image in dataset.split("test")] == ["00004", "00005"]
    assert all(image.path.is_file() for image in dataset.images)


def test_a_dataset_without_its_seal_does_not_exist(make_dataset: MakeDataset) -> None:
    with pytest.raises(TrainingError, match="the dataset is not sealed: .*dataset.json is missing"):
        read_dataset(make_dataset(sealed=False))


@pytest.mark.parametrize("split", ["train", "validation", "test"])
def test_every_split_needs_an_image(make_dataset: MakeDataset, split: str) -> None:
    with pytest.raises(TrainingError, match=f"has no image in its split '{split}'"):
        read_dataset(make_dataset(**{split: []}))


def test_an_image_that_is_listed_must_be_there(make_dataset: MakeDataset) -> None:
    folder = make_dataset()
    (folder / "train" / "1" / "00000.jpg").unlink()

    with pytest.raises(TrainingError, match="00000.jpg is in the manifest but not there"):
        read_dataset(folder)


def test_a_seal_that_is_not_json_is_rejected(make_dataset: MakeDataset) -> None:
    folder = make_dataset()
    (folder / "dataset.json").write_text("{")

    with pytest.raises(TrainingError, match="dataset.json is not JSON"):
        read_dataset(folder)


@pytest.mark.parametrize(
    "line",
    [
        "no json",
        json.dumps({"id": "1"}),
        json.dumps({"id": "1", "count": "2", "split": "train", "key": "k", "sha256": "s"}),
        json.dumps({"id": "1", "count": 2, "split": "train", "key": None, "sha256": "s"}),
        json.dumps({"id": "1", "count": 2, "split": "val", "key": "k", "sha256": "s"}),
    ],
)
def test_a_line_that_is_not_the_contract_s_is_rejected_in_one_line(
    make_dataset: MakeDataset, line: str
) -> None:
    folder = make_dataset()
    with gzip.open(folder / "manifest.jsonl.gz", "wt") as manifest:
        manifest.write(line + "\n")

    with pytest.raises(TrainingError, match="manifest.jsonl.gz, after line 0") as caught:
        read_dataset(folder)

    assert "\n" not in str(caught.value)


def test_a_manifest_that_was_cut_off_is_rejected(make_dataset: MakeDataset) -> None:
    path = make_dataset() / "manifest.jsonl.gz"
    path.write_bytes(path.read_bytes()[:-20])

    with pytest.raises(TrainingError, match="manifest.jsonl.gz, after line"):
        read_dataset(path.parent)


def test_images_are_the_same_from_memory_and_from_disk(
    make_dataset: MakeDataset, decoded: Callable[[Images], torch.Tensor]
) -> None:
    images = read_dataset(make_dataset()).split("train")
    classes = choose_classes([1, 2, 3], max_count=5)

    kept = Images(images, classes=classes, size=48, keep=True)
    read = Images(images, classes=classes, size=48, keep=False)

    assert kept.labels == [0, 1, 2]
    assert decoded(kept).shape == (3, 48, 48, 3) and decoded(kept)[1].sum() > 0
    assert torch.equal(decoded(kept), decoded(read))


@pytest.mark.parametrize("keep", [True, False])
def test_an_image_that_is_not_the_manifest_s_is_rejected(
    make_dataset: MakeDataset, decoded: Callable[[Images], torch.Tensor], keep: bool
) -> None:
    images = read_dataset(make_dataset()).split("train")
    images[0].path.write_bytes(images[1].path.read_bytes())

    with pytest.raises(TrainingError, match="00000.jpg is not the manifest's file"):
        decoded(Images(images, classes=choose_classes([1, 2, 3], max_count=5), size=32, keep=keep))


def test_an_image_is_checked_when_it_is_first_read_and_not_again(make_dataset: MakeDataset) -> None:
    images = read_dataset(make_dataset()).split("train")
    read = Images(images, classes=choose_classes([1, 2, 3], max_count=5), size=32, keep=False)
    first = read.read(0)
    images[0].path.write_bytes(first + b"changed while the job runs")
    images[1].path.write_bytes(first)

    assert read.read(0) == first + b"changed while the job runs"
    with pytest.raises(TrainingError, match="00001.jpg is not the manifest's file"):
        read.read(1)


@pytest.mark.parametrize("keep", [True, False])
def test_quick_pixels_are_nearly_the_exact_ones(
    make_dataset: MakeDataset, decoded: Callable[[Images], torch.Tensor], keep: bool
) -> None:
    images = read_dataset(make_dataset()).split("train")
    classes = choose_classes([1, 2, 3], max_count=5)

    exact = decoded(Images(images, classes=classes, size=56, keep=keep))
    quick = decoded(Images(images, classes=classes, size=56, keep=keep, quick=True))

    apart = (quick.int() - exact.int()).abs().float()
    assert 0 < apart.mean() < 4


def test_a_count_that_training_never_saw_is_rejected(make_dataset: MakeDataset) -> None:
    images = read_dataset(make_dataset(validation=[5])).split("validation")

    with pytest.raises(TrainingError, match=r"image 00003 \(validation\) shows 5 objects"):
        Images(images, classes=choose_classes([1, 2, 3], max_count=5), size=32, keep=False)


def test_the_bound_on_memory_counts_three_bytes_a_pixel() -> None:
    assert fits(1024, size=32, cache_mib=3)
    assert not fits(1025, size=32, cache_mib=3)

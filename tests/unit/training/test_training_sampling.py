"""Which process takes which image when."""

import itertools
from pathlib import Path

import pytest

from bintrain.data.classes import Classes
from bintrain.data.dataset import read_dataset
from bintrain.data.images import Images
from bintrain.data.sampling import ordered_plan, sample_plan, training_plan
from bintrain.errors import TrainingError

CLASSES = Classes(counts=(1, 4), open_top=False)


def plan(images: Images, *, epoch: int = 1, first: int = 0, rank: int = 0, size: int = 1) -> list[list[int]]:
    """The places that each step takes."""
    steps = training_plan(images, seed=5, epoch=epoch, batch=8, first=first, rank=rank, size=size)
    return [[index for index, _ in items] for items in steps]


@pytest.fixture(params=["memory", "files", "shards"])
def train(request: pytest.FixtureRequest, forty_bins: Path, packed: Path) -> Images:
    """The 24 training bins in each of the three ways to read them."""
    folder = packed if request.param == "shards" else forty_bins
    keep = request.param == "memory"
    return Images(read_dataset(folder).split("train"), classes=CLASSES, size=32, keep=keep)


def test_an_epoch_takes_every_image_once_in_another_order_each_time(train: Images) -> None:
    first, second = plan(train, epoch=1), plan(train, epoch=2)

    assert sorted(itertools.chain(*first)) == list(range(24)) == sorted(itertools.chain(*second))
    assert first != second and first != [list(range(n, n + 8)) for n in (0, 8, 16)]
    assert plan(train, epoch=1) == first


def test_an_epoch_goes_on_at_any_step_as_it_would_have(train: Images) -> None:
    whole = plan(train)

    assert [plan(train, first=step) for step in range(4)] == [whole[step:] for step in range(4)]


def test_processes_share_each_batch_and_no_image_is_taken_twice(train: Images) -> None:
    shares = [plan(train, rank=rank, size=2) for rank in (0, 1)]

    assert [len(step) for share in shares for step in share] == [4] * 6
    assert sorted(itertools.chain(*shares[0], *shares[1])) == list(range(24))


@pytest.mark.parametrize("size", [1, 2, 3])
def test_evaluation_sees_every_image_exactly_once_however_many_processes(train: Images, size: int) -> None:
    seen = [
        index
        for rank in range(size)
        for items in ordered_plan(train, batch=5, rank=rank, size=size)
        for index, _ in items
    ]

    assert sorted(seen) == list(range(24))


def test_shards_are_read_from_end_to_end_one_after_the_other(
    packed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A buffer of one image draws nothing: what comes out is what was read.
    monkeypatch.setattr("bintrain.data.sampling.BUFFER", 1)
    train = Images(read_dataset(packed).split("train"), classes=CLASSES, size=32, keep=False)
    stored = [[index for index, _ in train.read_shard(shard)] for shard in sorted(train.shards)]

    orders = {tuple(itertools.chain(*plan(train, epoch=epoch))) for epoch in range(1, 9)}

    assert orders == {tuple(stored[0] + stored[1]), tuple(stored[1] + stored[0])}


def test_more_processes_than_shards_are_rejected_with_what_to_do(packed: Path) -> None:
    train = Images(read_dataset(packed).split("train"), classes=CLASSES, size=32, keep=False)

    with pytest.raises(TrainingError, match="4 processes cannot share 2 shards .*--shard-mb"):
        plan(train, size=4)


def test_a_sample_is_of_different_images_and_the_same_each_time(train: Images) -> None:
    def sample() -> list[int]:
        return [index for items in sample_plan(train, count=10, batch=4, seed=1) for index, _ in items]

    assert len(set(sample())) == 10
    assert sample() == sample()

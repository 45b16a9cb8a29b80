"""The model of `make try`: small, learned from drawn bins, and it counts drawn bins that it never saw."""

import io
import json

import numpy as np
import pytest

from demo.bins.bin_image import draw_bin
from demo.page import examples
from demo.page.options import DRAWN_MODEL, FILES
from demo.page.train import ARCH, COUNTS, SEED
from inference.inference import Model, input_fn, model_fn, predict_fn

UNSEEN_SEED = 5
IMAGES = 140
FLOOR = 0.78
MOST_BYTES = 5_000_000


def test_it_is_small_and_says_what_it_is() -> None:
    assert sum((DRAWN_MODEL / name).stat().st_size for name in FILES) <= MOST_BYTES
    described = json.loads((DRAWN_MODEL / "model.json").read_text())
    assert (described["architecture"], described["precision"]) == (ARCH, "INT8")
    assert described["classes"]["counts"] == list(COUNTS)


@pytest.fixture(scope="module")
def model() -> Model:
    return model_fn(DRAWN_MODEL, cpus=1)


def counted(model: Model, jpeg: bytes) -> int:
    return predict_fn(input_fn(jpeg, "image/jpeg"), model).answer.count


def drawn(*, count: int, seed: list[int]) -> bytes:
    bin_ = draw_bin(count=count, rng=np.random.default_rng(seed))
    buffer = io.BytesIO()
    bin_.image.save(buffer, "JPEG", quality=bin_.quality)
    return buffer.getvalue()


def test_it_counts_drawn_bins_that_it_never_saw(model: Model) -> None:
    assert UNSEEN_SEED != SEED
    truth = [place % len(COUNTS) for place in range(IMAGES)]
    bins = [drawn(count=count, seed=[UNSEEN_SEED, 1, place]) for place, count in enumerate(truth)]
    right = sum(counted(model, jpeg) == count for jpeg, count in zip(bins, truth, strict=True))
    assert right / IMAGES >= FLOOR


def test_the_examples_are_listed_small_and_counted(model: Model) -> None:
    listed = examples.read()
    files = [examples.FOLDER / one["file"] for one in listed]
    assert [one["expected"] for one in listed] == [expected for _, expected in examples.EXAMPLES]
    assert sum(file.stat().st_size for file in files) < 60_000
    answers = [counted(model, file.read_bytes()) for file in files]
    assert answers[0] == examples.EXAMPLES[0][0]

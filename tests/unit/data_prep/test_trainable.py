"""No dataset is sealed that cannot be trained on; of one that can, its weak points are reported."""

import json
import re
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from data_prep.cli import make_dataset
from data_prep.errors import BadRequest, NotTrainable
from data_prep.report.trainable import require_trainable, weaknesses
from data_prep.steps.arrange import arrange
from data_prep.steps.plan import plan, remaining
from data_prep.steps.seal import seal
from tests.unit.data_prep.conftest import all_splits, begin, begin_by_counts, jpeg


def splits(
    train: dict[int, int], validation: dict[int, int], test: dict[int, int]
) -> dict[str, Counter[int]]:
    return {"train": Counter(train), "validation": Counter(validation), "test": Counter(test)}


def fault_of(counts: dict[str, Counter[int]], *, share: float = 0.2) -> str:
    with pytest.raises(NotTrainable) as error:
        require_trainable(counts, blocks=1, validation_share=share)
    return str(error.value)


ENOUGH = {1: 200, 2: 200}


def test_each_fault_is_reported_with_what_to_change() -> None:
    one_block = fault_of(splits(ENOUGH, {}, {}))
    assert one_block.startswith("NotTrainable: ") and "start it again" in one_block
    assert "no image is in validation and test" in one_block
    assert "from 1 block(s); take images from more blocks (about 51 are enough)" in one_block
    assert "about 11 are enough" not in fault_of(splits(ENOUGH, ENOUGH, {}), share=0.5)
    assert "train has images of 3 objects only" in fault_of(splits({3: 9}, {3: 9}, {3: 9}))
    assert "test has 5 image(s) of 4 objects, train has none" in fault_of(
        splits(ENOUGH, ENOUGH, {1: 20, 4: 5})
    )


def test_all_faults_are_reported_at_once() -> None:
    reported = fault_of(splits({1: 9}, {2: 9, 7: 1}, {}))
    for words in ("no image is in test", "train has images of 1 object only", "of 2 and 7 objects"):
        assert words in reported


def test_a_few_rare_counts_missing_from_train_are_a_warning() -> None:
    counts = splits(ENOUGH, ENOUGH, {1: 200, 2: 200, 47: 1})
    require_trainable(counts, blocks=100, validation_share=0.2)
    (reported,) = weaknesses(counts)
    assert "test has 1 image(s) of 47 objects" in reported and "--max-count below 47" in reported


def test_large_parts_with_every_count_have_no_weakness() -> None:
    assert weaknesses(splits(ENOUGH, ENOUGH, ENOUGH)) == []


def test_small_splits_and_counts_without_images_are_reported() -> None:
    reported = weaknesses(splits({1: 500, 2: 500, 3: 20}, ENOUGH, {1: 15, 2: 10}))
    assert len(reported) == 4
    assert "validation has no image of 3 objects" in reported[0]
    assert re.match(r"test\b.* 25 images\b.* 20 points\b", reported[1])
    assert "test has no image of 3 objects" in reported[2]
    assert "train has fewer than 100 images of 3 objects" in reported[3]


def test_images_of_one_block_are_rejected_before_any_is_fetched(
    make_source: Callable[..., Path], tmp_path: Path
) -> None:
    run = begin_by_counts(
        make_source({f"{number:05d}": number % 3 for number in range(60)}), tmp_path / "target"
    )
    with pytest.raises(NotTrainable, match="no image is in validation and test"):
        make_dataset(run, quiet=True)
    assert not (tmp_path / "target" / "datasets").exists()


def test_what_was_rejected_is_read_anew_after_the_change(
    make_source: Callable[..., Path], tmp_path: Path
) -> None:
    source = make_source({f"{number:05d}": 1 for number in range(3)})
    with pytest.raises(NotTrainable):
        make_dataset(begin_by_counts(source, tmp_path), quiet=True)
    for seed, (identity, count) in enumerate(all_splits(1, 2).items()):
        (source / "bin-images" / f"{identity}.jpg").write_bytes(jpeg(seed=100 + seed))
        (source / "metadata" / f"{identity}.json").write_text(json.dumps({"EXPECTED_QUANTITY": count}))
    assert make_dataset(begin_by_counts(source, tmp_path), quiet=True)["images"] == 9


def test_images_that_cannot_be_taken_count_at_the_seal(
    make_source: Callable[..., Path], tmp_path: Path
) -> None:
    source = make_source(all_splits(1, 2))
    for image in (source / "bin-images").glob("004*.jpg"):
        image.write_bytes(b"no image: " + image.name.encode())
    run = begin_by_counts(source, tmp_path)
    plan(run)
    arrange(run, list(remaining(run)))
    with pytest.raises(NotTrainable, match=r"no image is in test.*rejected were not_jpeg: 2"):
        seal(run)
    assert not (tmp_path / run.sealed_key).exists()


def test_weak_points_are_in_the_answer_the_summary_and_the_page(
    make_source: Callable[..., Path], tmp_path: Path
) -> None:
    answer = make_dataset(begin_by_counts(make_source(all_splits(1, 2)), tmp_path), quiet=True)
    folder = tmp_path / answer["prefix"]
    assert len(answer["warnings"]) == 3
    assert json.loads((folder / "dataset.json").read_text())["warnings"] == answer["warnings"]
    page = (folder / "dataset.html").read_text()
    assert all(f"<li>{warning}</li>" in page for warning in answer["warnings"])


@pytest.mark.parametrize("lost", [True, False])
def test_zeros_that_a_spreadsheet_took_from_the_ids_are_named(
    lost: bool, make_source: Callable[..., Path], tmp_path: Path
) -> None:
    labels = all_splits(1, 2)
    source = make_source(labels if lost else {identity.lstrip("0"): n for identity, n in labels.items()})
    listed = {"1": [f"m/{identity.lstrip('0') if lost else identity}.json" for identity in labels]}
    (source / "file_list.json").write_text(json.dumps(listed))
    with pytest.raises(BadRequest, match="leading zeros were lost or added") as error:
        make_dataset(begin(source, tmp_path), quiet=True)
    found = re.search(r"(\d+) has no image, but (\d+) has one", str(error.value))
    assert found and int(found[1]) == int(found[2]) and (len(found[1]) < len(found[2])) == lost


def test_a_list_of_which_most_find_no_image_is_reported_at_the_seal(
    make_source: Callable[..., Path], tmp_path: Path
) -> None:
    source = make_source(all_splits(1, 2))
    listed = json.loads((source / "file_list.json").read_text())
    listed["2"] += [f"data/metadata/{number}.json" for number in range(70_000, 70_020)]
    (source / "file_list.json").write_text(json.dumps(listed))
    run = begin(source, tmp_path)
    assert "20 listed ids have no image" in make_dataset(run, quiet=True)["warnings"][0]

"""What a person should look at next, of images that were kept on a real S3."""

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
import pytest
from PIL import Image

from bincount.propose.propose import Proposals, propose
from bincount.propose.score import SCORES
from bincount.stage.stage import Stage
from tests.unit.client.conftest import Bincount, bincount
from tests.unit.data_prep.conftest import jpeg
from tests.unit.monitoring.conftest import BUCKET, Calls
from tests.unit.monitoring.test_kept_images import SCHEMAS, line, registry, sort, stage

__all__ = ["bincount", "sort", "stage"]
Sort = Callable[..., dict[str, int]]


def answer(request_id: str, *shares: float, review: bool = True) -> dict[str, Any]:
    """An answer with these probabilities of 0, 1, … objects."""
    count = int(np.argmax(shares))
    return {
        "count": count, "confidence": max(shares), "expected_value": 1.0, "interval": [0, count],
        "at_least": False, "probabilities": {str(n): share for n, share in enumerate(shares)},
        "review": review, "model": "m", "request_id": request_id,
    }  # fmt: skip


def captured(request_id: str, *shares: float, image: bytes | None = None, seed: int = 0) -> bytes:
    """A line as SageMaker captures it, with an image that no other seed gives."""
    return line(request_id, image=image or jpeg(seed=seed), answer=answer(request_id, *shares))


def three(sort: Sort) -> None:  # noqa: F811
    """Kept: `sure`, `torn` between two counts, and `lost` among three."""
    sort(
        captured("sure", 0.05, 0.9, 0.05, seed=1),
        captured("torn", 0.02, 0.5, 0.48, seed=2),
        captured("lost", 0.3, 0.3, 0.4, seed=3),
    )


def ids(found: Proposals) -> list[str]:
    return [row.kept.request_id for row in found.rows]


@pytest.mark.parametrize(
    ("rule", "first"), [("margin", "torn"), ("entropy", "lost"), ("interval", "lost"), ("spread", "lost")]
)
def test_the_answer_that_says_least_comes_first(stage: Stage, sort: Sort, rule: str, first: str) -> None:  # noqa: F811
    three(sort)
    found = ids(propose(stage, 3, rule=rule))
    assert (found[0], found[-1]) == (first, "sure")
    assert ids(propose(stage, 1, rule=rule)) == [first]


def test_a_labelled_image_is_not_proposed(stage: Stage, sort: Sort, calls: Calls) -> None:  # noqa: F811
    three(sort)
    calls.label("torn", 2)
    found = propose(stage, 3)
    assert ids(found) == ["lost", "sure"] and found.waiting == 2


def again(seed: int, *, moved: int = 0, quality: int = 60) -> bytes:
    """A bin of `seed`; photographed once more it is a little brighter, and something is gone."""
    pixels = np.kron(np.random.default_rng(seed).integers(40, 200, (16, 17)), np.ones((8, 8)))
    pixels[:moved, :moved] = 90
    data = io.BytesIO()
    Image.fromarray((pixels + moved / 4).astype(np.uint8)).convert("RGB").save(data, "JPEG", quality=quality)
    return data.getvalue()


def test_a_bin_is_proposed_once_however_often_it_was_taken(
    stage: Stage,  # noqa: F811
    sort: Sort,  # noqa: F811
    calls: Calls,
) -> None:
    sort(
        captured("before", 0.02, 0.5, 0.48, image=again(1)),
        captured("after", 0.3, 0.4, 0.3, image=again(1, moved=24, quality=90)),
        captured("other", 0.05, 0.9, 0.05, image=again(2)),
    )
    found = propose(stage, 3)
    assert ids(found) == ["after", "other"] and found.alike == 1
    calls.label("before", 1)
    assert ids(propose(stage, 3)) == ["other"]


def test_two_people_get_different_images_and_each_the_same_again(
    s3: Any,
    stage: Stage,  # noqa: F811
    sort: Sort,  # noqa: F811
) -> None:
    three(sort)
    assert ids(propose(stage, 2, by="Ann")) == ["lost", "torn"]
    ben = propose(stage, 2, by="Ben")
    assert ids(ben) == ["sure"] and ben.others == 2
    assert ids(propose(stage, 2, by="Ann")) == ["lost", "torn"]
    assert ids(propose(stage, 2, by="Cem", keep=False)) == []
    schema = json.loads((SCHEMAS / "proposals.schema.json").read_text())
    validator: Any = jsonschema.Draft202012Validator(schema, registry=registry())
    keys = [each["Key"] for each in s3.list_objects_v2(Bucket=BUCKET, Prefix="proposals/")["Contents"]]
    for key in keys:
        record = json.loads(s3.get_object(Bucket=BUCKET, Key=key)["Body"].read())
        validator.validate(record)
    assert len(keys) == 3


def test_what_is_no_image_or_is_gone_is_left_out(s3: Any, stage: Stage, sort: Sort) -> None:  # noqa: F811
    three(sort)
    sort(captured("text", 0.5, 0.5, image=b"no image"))
    s3.delete_object(Bucket=BUCKET, Key="images/torn/image.jpg")
    found = propose(stage, 5)
    assert ids(found) == ["lost", "sure"] and found.unreadable == 2


def test_an_answer_without_probabilities_comes_last() -> None:
    for score in SCORES.values():
        assert score({}) <= score({1: 1.0}) <= score({1: 0.5, 2: 0.5})


def test_the_command_writes_a_table_that_becomes_labels(
    sort: Sort,  # noqa: F811
    stage: Stage,  # noqa: F811
    bincount: Bincount,  # noqa: F811
    s3_environment: dict[str, str],
    tmp_path: Path,
) -> None:
    cloud = s3_environment | {"AWS_REGION": "us-east-1"}
    assert "capture.inputs" in bincount("propose", "5", check=0, **cloud).stdout
    three(sort)
    done = bincount("propose", "2", "--csv", "next.csv", "--images", "next", check=0, **cloud)
    assert "2 of 3 images" in done.stdout and "bincount label --csv next.csv" in done.stdout
    rows = [*csv.DictReader(io.StringIO((tmp_path / "next.csv").read_text("utf-8-sig")))]
    assert [(row["request_id"], row["count"], row["counted"]) for row in rows] == [
        ("lost", "", "2"),
        ("torn", "", "1"),
    ]
    assert {path.name for path in (tmp_path / "next").iterdir()} == {"torn.jpg", "lost.jpg"}
    lines = bincount("propose", "3", "--json", check=0, **cloud).stdout.splitlines()
    assert [json.loads(each)["request_id"] for each in lines] == ["lost", "torn", "sure"]

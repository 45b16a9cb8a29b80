"""Nights on a real S3: what the embedded cloud captured of the real server, joined to stored labels."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import boto3
import jsonschema
import pytest
from referencing import Registry, Resource

from bincount.labels.live import Live
from bincount.labels.live_page import live_page
from bincount.stage.stage import Stage
from monitoring.labels.body import Label
from monitoring.labels.record import LabelEvent
from monitoring.labels.store import store_of_environment
from monitoring.live.handler import look
from tests.browser.look import complaints
from tests.browser.look import look as look_at
from tests.e2e.tiny_model import bin_image
from tests.unit.client.conftest import Bincount, bincount
from tests.unit.monitoring.conftest import BUCKET
from tests.unit.monitoring.test_kept_images import stage

__all__ = ["bincount", "stage"]

SCHEMAS = Path(__file__).resolve().parents[3] / "docs" / "schemas"
LINES = (Path(__file__).with_name("recordings") / "captured.jsonl").read_bytes().splitlines(keepends=True)
FOLDER = "capture/bincount-dev/AllTraffic/"
KEY = f"{FOLDER}2026/11/28/17/23-58-000-a.jsonl"
ANSWERED = datetime(2026, 11, 28, 17, 23, 58, tzinfo=UTC)
NIGHT = datetime(2026, 11, 29, 1, 20, tzinfo=UTC)
DAY_KEY, WINDOW_KEY = "live/days/2026-11-28.json", "live/window.json"
JOINED_KEY = "joined/2026/11/28/joined.jsonl"
ENVIRONMENT = {
    "BUCKET": BUCKET,
    "CAPTURED": FOLDER,
    "CAPTURE_PERCENT": "100",
    "WINDOW_DAYS": "3",
    "FLOORS": '{"min_accuracy": 0.4, "max_rmse": 1.3, "min_within_one": 0.8, "min_coverage": 0.8}',
    "ENDPOINT": "bincount-dev",
}
Objects = dict[str, bytes]


def registry() -> Any:
    make: Any = Registry
    error = json.loads((SCHEMAS / "error.schema.json").read_text())
    return make().with_resource("error.schema.json", Resource.from_contents(error))


def validate(document: Any, schema: str) -> None:
    validator: Any = jsonschema.Draft202012Validator
    validator(json.loads((SCHEMAS / schema).read_text()), registry=registry()).validate(document)


def label(request_id: str, count: int, *, at: datetime = ANSWERED + timedelta(hours=2)) -> None:
    """Stores a label as the function behind POST /labels does."""
    event = LabelEvent(
        label=Label(request_id=request_id, count=count, by="Ann"),
        previous=None,
        labelled_at=at,
        call=f"call-of-{request_id}-{count}",
    )
    store_of_environment().put(event)


def run(s3: Any, *, now: datetime = NIGHT, **event: bool) -> dict[str, Any]:
    return look(s3, boto3.client("cloudwatch"), environment=ENVIRONMENT, now=now, **event)


def stored(s3: Any, *prefixes: str) -> Objects:
    """All objects that the join wrote."""
    found: Objects = {}
    for prefix in prefixes or ("joined/", "live/"):
        for each in s3.list_objects_v2(Bucket=BUCKET, Prefix=prefix).get("Contents", ()):
            found[each["Key"]] = s3.get_object(Bucket=BUCKET, Key=each["Key"])["Body"].read()
    return found


def document(s3: Any, key: str) -> Any:
    return json.loads(s3.get_object(Bucket=BUCKET, Key=key)["Body"].read())


@pytest.fixture
def traffic(s3: Any) -> Any:
    """The recorded hour, and labels: two right, one wrong by two, one of an id that nobody answered."""
    s3.put_object(Bucket=BUCKET, Key=KEY, Body=b"".join(LINES))
    label("call-01", 1)
    label("call-02", 2)
    label("call-03", 5)
    label("nobodys", 1)
    return s3


def test_a_night_joins_labels_to_what_the_server_answered(traffic: Any):
    assert run(traffic)["joined_days"] == 3
    lines = [json.loads(line) for line in stored(traffic)[JOINED_KEY].splitlines()]
    for line in lines:
        validate(line, "joined.schema.json")
    assert [(line["request_id"], line["error"]) for line in lines] == [
        ("call-01", 0),
        ("call-02", 0),
        ("call-03", -2),
    ]
    day, window = document(traffic, DAY_KEY), document(traffic, WINDOW_KEY)
    validate(day, "live.schema.json")
    validate(window, "live.schema.json")
    assert (day["answers"], day["without_count"], day["unreadable"]) == (27, 3, 0)
    assert window["labels_without_answer"] == 1
    assert [each["request_id"] for each in window["worst"]] == ["call-03"]


def test_figures_have_the_number_behind_them(traffic: Any):
    run(traffic)
    (model,) = document(traffic, DAY_KEY)["models"].values()
    figures = model["figures"]
    assert (model["answers"], model["labels"]) == (27, 3)
    assert figures["review_rate"]["labels"] == 27
    assert figures["accuracy"]["labels"] == 3
    assert figures["accuracy"]["low"] < 2 / 3 < figures["accuracy"]["high"]
    assert figures["false_match"]["labels"] == 2  # call-03 expected no count


def test_a_second_run_writes_nothing(traffic: Any):
    traffic.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
    run(traffic)
    before = traffic.list_object_versions(Bucket=BUCKET, Prefix="live/")["Versions"]
    assert run(traffic)["joined_days"] == 0
    assert run(traffic, joins=True)["hours"] == 0
    assert traffic.list_object_versions(Bucket=BUCKET, Prefix="live/")["Versions"] == before


def test_killed_between_any_two_writes_the_next_run_completes(traffic: Any):
    run(traffic)
    whole = stored(traffic)
    assert len(whole) == 4
    for allowed in range(len(whole)):
        for key in whole:
            traffic.delete_object(Bucket=BUCKET, Key=key)
        with pytest.raises(InterruptedError):
            run(dying_after(allowed))
        assert len(stored(traffic)) == allowed
        run(traffic)
        assert stored(traffic) == whole


def dying_after(writes: int) -> Any:
    """A client of S3 in a process that is killed at its write number `writes` (from 0)."""
    client, left = boto3.client("s3"), [writes]

    def count(**_: Any) -> None:
        if not left[0]:
            raise InterruptedError
        left[0] -= 1

    client.meta.events.register("before-call.s3.PutObject", count)
    return client


def test_a_late_label_changes_the_day_of_its_answer(traffic: Any):
    run(traffic)
    label("call-04", 4, at=NIGHT + timedelta(hours=5))
    label("call-03", 3, at=NIGHT + timedelta(hours=6))  # corrected: the last one counts
    run(traffic, now=NIGHT + timedelta(days=1))
    lines = [json.loads(line) for line in stored(traffic)[JOINED_KEY].splitlines()]
    assert [(line["request_id"], line["label"]) for line in lines] == [
        ("call-01", 1),
        ("call-02", 2),
        ("call-03", 3),
        ("call-04", 4),
    ]
    assert document(traffic, WINDOW_KEY)["worst"] == []


def test_a_label_that_seems_older_than_its_answer_counts(s3: Any):
    s3.put_object(Bucket=BUCKET, Key=f"{FOLDER}2026/11/28/00/00-01-000-a.jsonl", Body=LINES[1])
    label("call-01", 1, at=datetime(2026, 11, 27, 23, 59, 58, tzinfo=UTC))
    run(s3)
    assert document(s3, WINDOW_KEY)["labels_without_answer"] == 0


def test_days_without_traffic_have_no_files_and_a_summary(s3: Any):
    assert run(s3)["below_promise"] == 0
    assert list(stored(s3)) == [WINDOW_KEY]
    window = document(s3, WINDOW_KEY)
    validate(window, "live.schema.json")
    assert (window["model"], window["models"]) == (None, {})


def test_a_file_that_comes_late_is_joined_the_next_night(traffic: Any):
    run(traffic)
    traffic.put_object(Bucket=BUCKET, Key=KEY.replace("-a.", "-b."), Body=LINES[1] + b"no json\n[1]\n")
    run(traffic, now=NIGHT + timedelta(days=1))
    day = document(traffic, DAY_KEY)
    assert (day["answers"], day["repeated"], day["unreadable"]) == (27, 1, 2)


def test_nothing_is_joined_before_the_last_files_have_come(traffic: Any):
    assert run(traffic, now=NIGHT - timedelta(hours=1))["joined_days"] == 0
    assert WINDOW_KEY not in stored(traffic)


def test_a_model_below_its_promise_rings(s3: Any):
    many = [line.replace(b'"call-01', b'"many-%03d' % n).replace(b'\\"call-01', b'\\"many-%03d' % n)
            for n, line in enumerate(LINES[1:2] * 60)]  # fmt: skip
    s3.put_object(Bucket=BUCKET, Key=KEY, Body=b"".join(many))
    for number in range(60):
        label(f"many-{number:03d}", 4)
    found = run(s3)
    assert found["live_accuracy"] == 0
    assert found["below_promise"] == 4


@pytest.mark.parametrize(("captured", "missing"), [(False, 40.0), (True, 0.0)])
def test_capture_that_stopped_is_noticed(
    s3: Any, captured: bool, missing: float, capfd: pytest.CaptureFixture[str]
):
    now = datetime.now(UTC)
    cloudwatch = boto3.client("cloudwatch")
    dimensions = [
        {"Name": "EndpointName", "Value": f"e{captured}"},
        {"Name": "VariantName", "Value": "AllTraffic"},
    ]
    for metric, number in (("Invocations", 50.0), ("Invocation4XXErrors", 10.0)):
        datum = {"MetricName": metric, "Dimensions": dimensions, "Timestamp": now - timedelta(minutes=30)}
        cloudwatch.put_metric_data(Namespace="AWS/SageMaker", MetricData=[datum | {"Value": number}])
    folder = f"capture/e{captured}/AllTraffic/"
    if captured:
        s3.put_object(Bucket=BUCKET, Key=f"{folder}{now:%Y/%m/%d/%H}/00-00-000-a.jsonl", Body=LINES[0])
    environment = ENVIRONMENT | {"CAPTURED": folder}
    found = look(s3, cloudwatch, environment=environment, now=now)
    assert found["capture_missing"] == missing
    line = json.loads(capfd.readouterr().out.splitlines()[-1])
    assert (line["capture_missing"], line["endpoint"]) == (missing, "bincount-dev")


def test_the_page_shows_the_most_wrong_answers_and_their_kept_images(traffic: Any, tmp_path: Path):
    label("call-04", 1)
    run(traffic)
    found = Live(window=document(traffic, WINDOW_KEY), days=[document(traffic, DAY_KEY)])
    images = {"call-03": bin_image(3)}
    text = live_page(found, stage="bincount-dev", image_of=images.get)
    assert text.count("<figure>") == 2 and text.count("data:image/jpeg") == 1
    assert "a person counted 5" in text and "no image was kept" in text
    page = tmp_path / "live.html"
    page.write_text(text, encoding="utf-8")
    views = look_at(page, tmp_path)
    assert complaints(page, views) == []


def test_the_command_line_prints_figures_and_writes_the_page(
    traffic: Any, stage: Stage, s3_environment: dict[str, str], bincount: Bincount, tmp_path: Path
):
    variables = s3_environment | {"AWS_REGION": "us-east-1"}
    assert "live.enabled" in bincount("live", "--stage", stage.name, check=1, **variables).stderr
    run(traffic)
    done = bincount("live", "--days", "3", "--stage", stage.name, check=0, **variables)
    assert "brightness-1" in done.stdout and "66.7 %" in done.stdout
    assert "a person counted 5" in (tmp_path / "live.html").read_text()
    (window, day) = bincount("live", "--json", check=0, **variables).stdout.splitlines()
    assert json.loads(window) == document(traffic, WINDOW_KEY)
    assert json.loads(day) == document(traffic, DAY_KEY)


def test_the_page_of_nothing_says_so(s3: Any):
    run(s3)
    text = live_page(Live(window=document(s3, WINDOW_KEY), days=[]), stage="b", image_of=lambda _: None)
    assert "No answer was captured" in text

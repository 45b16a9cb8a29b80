"""Images of captured answers on a real S3: which are kept, what is left, and what is forgotten."""

import base64
import gzip
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import jsonschema
import pytest
from referencing import Registry, Resource

from bincount.labels.forget import forget
from bincount.stage.stage import Stage
from monitoring.captures.captured import is_sampled
from monitoring.images import handler
from tests.unit.client.conftest import Bincount, bincount
from tests.unit.monitoring.conftest import BUCKET, Calls

__all__ = ["bincount"]

KEY = "capture/bincount-dev/AllTraffic/2026/11/28/13/20-01-abc.jsonl"
SCHEMAS = Path(__file__).resolve().parents[3] / "docs" / "schemas"
SCHEMA = json.loads((SCHEMAS / "kept_image.schema.json").read_text())
Objects = Callable[[str], dict[str, Any]]


def registry() -> Any:
    error = json.loads((SCHEMAS / "error.schema.json").read_text())
    made: Any = Registry()
    return made.with_resource("error.schema.json", Resource.from_contents(error))


def line(
    request_id: str,
    *,
    review: bool = False,
    image: bytes | None = b"an image",
    kind: str = "image/jpeg",
    by_inference_id: bool = True,
    encoding: str = "JSON",
    answer: Any = ...,
) -> bytes:
    """A captured line as SageMaker's developer guide has it ("Data capture")."""
    if answer is ...:
        answer = {"count": 3, "review": review, "request_id": request_id}
    text = json.dumps(answer)
    data = base64.b64encode(text.encode()).decode() if encoding == "BASE64" else text
    parts: dict[str, Any] = {
        "endpointOutput": {
            "observedContentType": "application/json",
            "mode": "OUTPUT",
            "data": data,
            "encoding": encoding,
        }
    }
    if image is not None:
        coded = base64.b64encode(image).decode()
        parts["endpointInput"] = {
            "observedContentType": kind,
            "mode": "INPUT",
            "data": coded,
            "encoding": "BASE64",
        }
    about = {"eventId": f"event-of-{request_id}", "inferenceTime": "2026-11-28T13:20:01Z"}
    if by_inference_id:
        about["inferenceId"] = request_id
    return json.dumps({"captureData": parts, "eventMetadata": about, "eventVersion": "0"}).encode()


@pytest.fixture
def sort(s3: Any, monkeypatch: pytest.MonkeyPatch) -> Callable[..., dict[str, int]]:
    """`sort(lines, share=…)`: SageMaker writes a file of them, and EventBridge calls the function."""
    s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})

    def run(*lines: bytes, share: float = 0.0, key: str = KEY) -> dict[str, int]:
        monkeypatch.setenv("SAMPLED_SHARE", str(share))
        if lines:
            s3.put_object(Bucket=BUCKET, Key=key, Body=b"\n".join(lines) + b"\n")
        detail = {"bucket": {"name": BUCKET}, "object": {"key": key}}
        return handler.handler({"detail": detail}, None)

    return run


def kept(s3: Any) -> dict[str, bytes]:
    listed = s3.list_objects_v2(Bucket=BUCKET, Prefix="images/").get("Contents", ())
    return {each["Key"]: s3.get_object(Bucket=BUCKET, Key=each["Key"])["Body"].read() for each in listed}


def captured(s3: Any) -> list[Any]:
    body = s3.get_object(Bucket=BUCKET, Key=KEY)["Body"].read()
    return [json.loads(each) for each in body.splitlines()]


def test_images_of_answers_that_ask_for_review_are_kept(s3: Any, sort: Any) -> None:
    found = sort(line("a", review=True, image=b"one"), line("b"), line("c", review=True, kind="image/png"))
    assert found == {"lines": 3, "images": 3, "kept": 2}
    images = kept(s3)
    assert set(images) == {
        "images/a/image.jpg",
        "images/a/answer.json",
        "images/c/image.png",
        "images/c/answer.json",
    }
    assert images["images/a/image.jpg"] == b"one"
    about = json.loads(images["images/a/answer.json"])
    jsonschema.Draft202012Validator(SCHEMA, registry=registry()).validate(about)
    assert (about["kept_for"], about["probability"], about["captured_in"]) == ("review", 1.0, KEY)
    assert about["answer"]["count"] == 3 and about["answered_at"] == "2026-11-28T13:20:01Z"


def test_the_captured_file_keeps_every_answer_and_no_image(s3: Any, sort: Any) -> None:
    sort(line("a", review=True), line("b"), line("c", image=None))
    lines = captured(s3)
    assert [each["eventMetadata"]["inferenceId"] for each in lines] == ["a", "b", "c"]
    assert all(list(each["captureData"]) == ["endpointOutput"] for each in lines)


def test_sorting_again_writes_nothing(s3: Any, sort: Any) -> None:
    sort(line("a", review=True))
    before = s3.list_object_versions(Bucket=BUCKET)["Versions"]
    assert sort() == {"lines": 1, "images": 0, "kept": 0}
    assert len(s3.list_object_versions(Bucket=BUCKET)["Versions"]) == len(before)


def test_a_sample_of_the_others_is_the_same_at_every_look(s3: Any, sort: Any) -> None:
    names = [f"id-{number}" for number in range(100)]
    found = sort(*(line(name) for name in names), share=0.2)
    wanted = {name for name in names if is_sampled(name, share=0.2)}
    assert found["kept"] == len(wanted)
    assert {key.split("/")[1] for key in kept(s3)} == wanted
    about = json.loads(kept(s3)[f"images/{sorted(wanted)[0]}/answer.json"])
    assert (about["kept_for"], about["probability"]) == ("sample", 0.2)


def test_a_sample_has_the_share_that_was_asked_for() -> None:
    taken = sum(is_sampled(f"request-{number}", share=0.05) for number in range(20_000))
    assert 880 < taken < 1120  # 1,000, within four standard deviations
    assert not any(is_sampled(str(number), share=0.0) for number in range(1000))
    assert all(is_sampled(str(number), share=1.0) for number in range(1000))


def test_a_call_without_inference_id_has_the_answers_own(s3: Any, sort: Any) -> None:
    sort(line("a/b", review=True, by_inference_id=False, encoding="BASE64"))
    assert "images/a%2Fb/image.jpg" in kept(s3)


@pytest.mark.parametrize("answer", [{"error": {"code": "undecodable_image"}}, 3, [], None, {"count": 3}])
def test_what_was_not_counted_is_not_kept(s3: Any, sort: Any, answer: Any) -> None:
    assert sort(line("a", answer=answer), share=1.0) == {"lines": 1, "images": 1, "kept": 0}
    assert not kept(s3) and "endpointInput" not in captured(s3)[0]["captureData"]


@pytest.mark.parametrize("odd", [b"no json", b"{}", b"[1]", line("x").replace(b'"BASE64"', b'"BASE64"')[:-9]])
def test_a_line_that_cannot_be_read_stays_and_the_others_go_on(s3: Any, sort: Any, odd: bytes) -> None:
    assert sort(odd, line("a", review=True))["kept"] == 1
    first = s3.get_object(Bucket=BUCKET, Key=KEY)["Body"].read().split(b"\n")[0]
    assert first == odd


def test_a_large_image_comes_through_whole(s3: Any, sort: Any) -> None:
    image = bytes(range(256)) * 24_576  # 6 MiB
    sort(line("a", review=True, image=image), line("b"))
    assert kept(s3)["images/a/image.jpg"] == image


@pytest.fixture
def stage(s3: Any, s3_environment: dict[str, str]) -> Iterator[Stage]:  # noqa: F811
    """A stage whose Data stack names the bucket."""
    formation = boto3.client("cloudformation")
    template = {
        "Resources": {"Handle": {"Type": "AWS::CloudFormation::WaitConditionHandle"}},
        "Outputs": {"BucketName": {"Value": BUCKET}},
    }
    formation.create_stack(StackName="bincount-dev-data", TemplateBody=json.dumps(template))
    formation.get_waiter("stack_create_complete").wait(
        StackName="bincount-dev-data", WaiterConfig={"Delay": 1, "MaxAttempts": 30}
    )
    yield Stage("dev", region="us-east-1")
    formation.delete_stack(StackName="bincount-dev-data")
    formation.get_waiter("stack_delete_complete").wait(
        StackName="bincount-dev-data", WaiterConfig={"Delay": 1, "MaxAttempts": 30}
    )


def test_a_forgotten_image_is_gone_with_every_version(s3: Any, stage: Stage, sort: Any) -> None:
    sort(line("a", review=True), line("b", review=True))
    sort(line("a", review=True), line("b", review=True))
    done = forget(stage, "a")
    assert done.left == [] and "images/a/image.jpg" in done.deleted
    versions = s3.list_object_versions(Bucket=BUCKET)
    keys = {each["Key"] for each in versions["Versions"] + versions.get("DeleteMarkers", [])}
    assert not [key for key in keys if key.startswith("images/a/")]
    assert {"images/b/image.jpg", "images/b/answer.json"} <= keys
    of_capture = [each for each in versions["Versions"] if each["Key"] == KEY]
    assert [each["IsLatest"] for each in of_capture] == [True]


def test_an_image_that_was_forgotten_is_not_kept_when_it_comes_later(stage: Stage, sort: Any) -> None:
    assert forget(stage, "a").left
    assert sort(line("a", review=True), line("b", review=True))["kept"] == 1


def test_forgetting_labels_takes_both_of_their_places(stage: Stage, calls: Calls, objects: Objects) -> None:
    for request_id in ("a", "b"):
        calls.label(request_id, 4, by="Ann")
    calls.label("a", 5, by="Ann")
    forget(stage, "a", labels=True)
    left = {**objects("labels/"), **objects("label-history/")}
    assert {record["eventMetadata"]["eventId"] for record in left.values()} == {"b"}
    assert len(left) == 2


def test_the_command_says_what_is_deleted_and_what_is_left(
    stage: Stage, sort: Any, bincount: Bincount, s3_environment: dict[str, str]
) -> None:
    sort(line("a", review=True))
    cloud = s3_environment | {"AWS_REGION": "us-east-1"}
    done = bincount("forget", "a", check=0, **cloud)
    assert "deleted images/a/image.jpg" in done.stdout
    document = json.loads(bincount("forget", "a", "--json", check=4, **cloud).stdout)
    assert document["deleted"] == [] and len(document["left"]) == 1
    for no_id in ("a b", "..", "../..", "/"):
        assert "request_id" in bincount("forget", no_id, check=1, **cloud).stderr


def test_a_sealed_dataset_that_has_the_image_is_named(s3: Any, stage: Stage, sort: Any) -> None:
    sort(line("a", review=True))
    for dataset, name in (
        ("bins-1", "a/image.jpg"),
        ("bins-2", "images/a/image.jpg"),
        ("bins-3", "ba/image.jpg"),
    ):
        lines = gzip.compress(json.dumps({"id": "0" * 16, "name": name}).encode())
        s3.put_object(Bucket=BUCKET, Key=f"datasets/{dataset}/manifest.jsonl.gz", Body=lines)
    left = forget(stage, "a").left
    assert ["bins-1" in left[0], "bins-2" in left[1], len(left)] == [True, True, 2]

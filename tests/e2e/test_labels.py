"""Labels through the deployed API: by HTTPS and by the command line, with the labeller's policy alone."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from embedded_cloud.cloud import Cloud
from embedded_cloud.testing import wait_until

from demo.cloud import BINCOUNT
from monitoring.live.handler import look
from tests.e2e.api_kit import Api, Caller, new_caller
from tests.e2e.api_stack_kit import BUCKET, CAPTURED, ENDPOINT, STACK, deployed_api, serve_a_model
from tests.e2e.test_api import JPEG, LABEL_SNIPPETS, ROOT, error_of, run_snippet
from tests.e2e.tiny_model import bin_image

pytestmark = pytest.mark.e2e
NOBODYS = "00000000-0000-0000-0000-000000000000"


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    with Cloud(data_dir=tmp_path_factory.mktemp("cloud"), project=BINCOUNT) as started:
        yield started


@pytest.fixture(scope="module")
def api(cloud: Cloud) -> Api:
    """The API with a model and the stage's bucket behind it."""
    found = deployed_api(cloud)
    serve_a_model(cloud, captures=True)
    return found


@pytest.fixture(scope="module")
def request_id(cloud: Cloud, api: Api) -> str:
    """Of an answer."""
    count = {"Action": "execute-api:Invoke", "Resource": f"{api.arn[:-1]}POST/count"}
    caller = new_caller(cloud, "counts", count)
    answer = api.ask(caller=caller, body=bin_image(3), headers=JPEG)
    body = b'{"request_id": "a", "count": 1}'
    assert error_of(api.ask("/labels", caller=caller, body=body)) == (403, "forbidden")
    return answer.json()["request_id"]


@pytest.fixture(scope="module")
def labeller(cloud: Cloud, api: Api) -> Caller:
    """A person with the stack's policy and no other right."""
    (stack,) = cloud.client("cloudformation").describe_stacks(StackName=STACK)["Stacks"]
    outputs = {each["OutputKey"]: each["OutputValue"] for each in stack["Outputs"]}
    caller = new_caller(cloud, "labeller")
    cloud.client("iam").attach_user_policy(UserName="labeller", PolicyArn=outputs["LabellerPolicyArn"])
    return caller


def send(api: Api, caller: Caller, **members: Any) -> Any:
    headers = {"Content-Type": "application/json"}
    return api.ask("/labels", caller=caller, body=json.dumps(members).encode(), headers=headers)


def stored(cloud: Cloud, prefix: str) -> list[Any]:
    client = cloud.client("s3")
    listed = client.list_objects_v2(Bucket=BUCKET, Prefix=prefix).get("Contents", [])
    bodies = [client.get_object(Bucket=BUCKET, Key=each["Key"])["Body"].read() for each in listed]
    return [json.loads(body) for body in bodies]


def test_a_label_of_an_answer_is_stored_once_and_the_last_wins(
    cloud: Cloud, api: Api, labeller: Caller, request_id: str
) -> None:
    first = send(api, labeller, request_id=request_id, count=4, note="hinter der Schachtel – zwei", by="Ann")
    assert (first.status_code, first.json()["previous"], first.json()["state"]) == (200, None, "pending")
    again = send(api, labeller, request_id=request_id, count=4, note="hinter der Schachtel – zwei", by="Ann")
    assert again.json() == first.json()
    assert send(api, labeller, request_id=request_id, count=5).json()["previous"] == 4
    history = stored(cloud, f"label-history/{request_id}/")
    assert [each["groundTruthData"]["data"] for each in history] == ["4", "5"]
    assert history[0]["bincount"]["note"] == "hinter der Schachtel – zwei"


def test_wrong_labels_are_errors_of_ours(cloud: Cloud, api: Api, labeller: Caller) -> None:
    before = len(stored(cloud, "labels/"))
    for members in ({"request_id": "a b", "count": 4}, {"request_id": "a", "count": -1}, {}):
        assert error_of(send(api, labeller, **members)) == (422, "bad_label")
    for body in (b"", b"[]", b"\xff\xd8", b'{"request_id": "a", "count": NaN}'):
        for kind in ("application/json", "image/jpeg", "text/plain"):
            answer = api.ask("/labels", caller=labeller, body=body, headers={"Content-Type": kind})
            assert error_of(answer) == (422, "bad_label"), (body, kind)
    large = api.ask("/labels", caller=labeller, body=b" " * 20_000)
    assert error_of(large) == (413, "body_too_large")
    assert len(stored(cloud, "labels/")) == before


def test_an_id_that_nobody_answered_is_kept_as_pending(api: Api, labeller: Caller) -> None:
    assert send(api, labeller, request_id=NOBODYS, count=1).json()["state"] == "pending"


def test_who_may_label_may_nothing_else(cloud: Cloud, api: Api, labeller: Caller) -> None:
    assert error_of(api.ask(caller=labeller, body=bin_image(1), headers=JPEG)) == (403, "forbidden")
    with pytest.raises(Exception, match="AccessDenied"):
        labeller.client(cloud, "s3").list_objects_v2(Bucket=BUCKET)
    with pytest.raises(Exception, match="not authorized|AccessDenied"):
        labeller.client(cloud, "sagemaker").update_model_package(
            ModelPackageArn="arn:aws:sagemaker:us-east-1:000000000000:model-package/bincount-local/1",
            ModelApprovalStatus="Approved",
        )


def bincount(cloud: Cloud, caller: Caller, folder: Path, *arguments: str) -> Any:
    """The command line with the caller's keys, which finds the API by its stage."""
    client = json.loads(cloud.client_file.read_text())
    keys = caller.environment()
    (folder / "client.json").write_text(json.dumps({**client, **keys}))
    variables = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": f"{ROOT}/client:{ROOT}/core",
        "BINCOUNT_CLOUD": str(folder / "client.json"),
    }
    command = [sys.executable, "-m", "bincount", "label", *arguments, "--stage", "local"]
    return subprocess.run(command, env=variables, cwd=folder, capture_output=True, text=True, timeout=300)


def test_the_command_line_labels_one_and_many(
    cloud: Cloud, api: Api, labeller: Caller, request_id: str, tmp_path: Path
) -> None:
    done = bincount(cloud, labeller, tmp_path, request_id, "2", "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["count"] == 2
    (tmp_path / "recount.csv").write_text(f"request_id,count,by\n{request_id},3,Ann\nb-2,1,Bob\n")
    for _ in range(2):
        done = bincount(cloud, labeller, tmp_path, "--csv", "recount.csv")
        assert done.returncode == 0, done.stderr
    assert [each["bincount"]["count"] for each in stored(cloud, "label-history/b-2/")] == [1]
    assert stored(cloud, f"label-history/{request_id}/")[-1]["bincount"]["by"] == "Ann"
    done = bincount(cloud, labeller, tmp_path, "a b", "2")
    assert done.returncode == 1 and "request_id" in done.stderr


def test_the_night_joins_the_label_to_the_captured_answer(
    cloud: Cloud, api: Api, labeller: Caller, request_id: str, tmp_path: Path
) -> None:
    """What went through the API was captured; the night after finds it and its label by the same id."""
    assert send(api, labeller, request_id=request_id, count=1).status_code == 200
    s3 = cloud.client("s3")
    captured = wait_until(
        lambda: s3.list_objects_v2(Bucket=BUCKET, Prefix=CAPTURED), lambda found: found["KeyCount"]
    )
    environment = {
        "BUCKET": BUCKET,
        "CAPTURED": CAPTURED,
        "CAPTURE_PERCENT": "100",
        "WINDOW_DAYS": "2",
        "FLOORS": "{}",
        "ENDPOINT": ENDPOINT,
    }
    day = "/".join(captured["Contents"][0]["Key"].removeprefix(CAPTURED).split("/")[:3])
    night = datetime.strptime(day, "%Y/%m/%d").replace(tzinfo=UTC) + timedelta(days=1, hours=2)
    look(s3, cloud.client("cloudwatch"), environment=environment, now=night)
    (joined,) = stored(cloud, f"joined/{day}/")
    assert (joined["request_id"], joined["count"], joined["label"], joined["error"]) == (request_id, 3, 1, 2)
    assert joined["weight"] == 1.0
    (window,) = stored(cloud, "live/window.json")
    assert [each["request_id"] for each in window["worst"]] == [request_id]


def test_a_caller_without_the_policy_reads_what_is_missing(cloud: Cloud, api: Api, tmp_path: Path) -> None:
    done = bincount(cloud, new_caller(cloud, "passer"), tmp_path, "a-1", "2", "--api-url", api.url)
    assert done.returncode == 1 and "execute-api:Invoke" in done.stderr


@pytest.mark.parametrize("snippet", LABEL_SNIPPETS)
def test_the_snippets_of_the_docs_run(
    cloud: Cloud, api: Api, labeller: Caller, tmp_path: Path, snippet: tuple[str, str]
) -> None:
    variables = {"API_URL": api.url, **labeller.environment()}
    assert run_snippet(cloud, tmp_path, *snippet, variables)["count"] == 4

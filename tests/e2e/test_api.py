"""The API on a strict cloud, by the template that `cdk deploy` would send: answers, errors, docs, keys.

That the real CDK deploys it is shown in test_journeys.py.
"""

import csv
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import schemathesis
from embedded_cloud.cloud import Cloud
from embedded_cloud.testing import wait_until
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from requests import PreparedRequest
from requests.auth import AuthBase
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi import checks

from demo.cloud import BINCOUNT
from tests.e2e.api_kit import Api, Caller, new_caller
from tests.e2e.api_stack_kit import ENDPOINT, deployed_api, serve_a_model
from tests.e2e.tiny_model import bin_image

pytestmark = pytest.mark.e2e

ROOT = Path(__file__).parents[2]
CHECKS = [
    not_a_server_error,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_schema_conformance,
]
JPEG = {"Content-Type": "image/jpeg"}
ERROR_SCHEMA = json.loads((ROOT / "docs" / "schemas" / "error.schema.json").read_text())
ALL_SNIPPETS = re.findall(r"```(bash|python)\n(.*?)```", (ROOT / "docs" / "api.md").read_text(), re.DOTALL)
KEY_SNIPPETS = [snippet for snippet in ALL_SNIPPETS if "API_KEY" in snippet[1]]
LABEL_SNIPPETS = [snippet for snippet in ALL_SNIPPETS if "/labels" in snippet[1]]
SNIPPETS = [snippet for snippet in ALL_SNIPPETS if snippet not in KEY_SNIPPETS + LABEL_SNIPPETS]


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    with Cloud(data_dir=tmp_path_factory.mktemp("cloud"), project=BINCOUNT) as started:
        yield started


@pytest.fixture(scope="module")
def empty_api(cloud: Cloud) -> Api:
    """The API while no endpoint is there."""
    return deployed_api(cloud)


@pytest.fixture(scope="module")
def warehouse(cloud: Cloud, empty_api: Api) -> Caller:
    """May call the API, and nothing else."""
    return new_caller(cloud, "warehouse", {"Action": "execute-api:Invoke", "Resource": empty_api.arn})


def test_while_no_model_serves_the_api_says_so(empty_api: Api, warehouse: Caller) -> None:
    answer = empty_api.ask(caller=warehouse, body=bin_image(2), headers=JPEG)
    assert error_of(answer) == (503, "no_model")


@pytest.fixture(scope="module")
def api(cloud: Cloud, empty_api: Api) -> Api:
    """The API with a model behind it."""
    serve_a_model(cloud)
    return empty_api


def error_of(answer: Any) -> tuple[int, str]:
    """Status and code of an error response that has our form, our id, and no word of AWS's."""
    document = answer.json()
    jsonschema.validate(document, ERROR_SCHEMA)
    assert document["error"]["request_id"] == answer.headers["x-amzn-requestid"]
    assert "000000000000" not in answer.text and "arn:" not in answer.text
    return answer.status_code, document["error"]["code"]


@pytest.mark.parametrize("format", ["jpeg", "png", "webp"])
def test_an_image_is_counted_and_compared(api: Api, warehouse: Caller, format: str) -> None:
    headers = {"Content-Type": f"image/{format}"}
    answer = api.ask("/count?expected=3", caller=warehouse, body=bin_image(3, format=format), headers=headers)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/json"
    assert (answer.json()["count"], answer.json()["verification"]["verdict"]) == (3, "match")
    assert answer.json()["request_id"] == answer.headers["x-amzn-requestid"]


def test_text_is_the_bare_number(api: Api, warehouse: Caller) -> None:
    answer = api.ask(caller=warehouse, body=bin_image(4), headers={**JPEG, "Accept": "text/plain"})
    assert (answer.status_code, answer.text) == (200, "4")
    assert answer.headers["content-type"].startswith("text/plain")
    assert re.fullmatch("review=(true|false),at-least=false", answer.headers["x-bincount-answer"])


@pytest.mark.parametrize("name", ["image/jpg", "image/pjpeg"])
def test_a_jpeg_under_an_old_name_arrives_unchanged(api: Api, warehouse: Caller, name: str) -> None:
    """Of a type that the API does not know as binary, bytes that are not UTF-8 would be lost on the way."""
    answer = api.ask(caller=warehouse, body=bin_image(4), headers={"Content-Type": name})
    assert (answer.status_code, answer.json()["count"]) == (200, 4)


def test_java_s_own_accept_header_gets_json(api: Api, warehouse: Caller) -> None:
    accept = "text/html, image/gif, image/jpeg, *; q=.2, */*; q=.2"
    answer = api.ask(caller=warehouse, body=bin_image(4), headers={**JPEG, "Accept": accept})
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/json")


def test_a_number_that_the_model_cannot_say_is_uncertain(api: Api, warehouse: Caller) -> None:
    answer = api.ask("/count?expected=77", caller=warehouse, body=bin_image(4), headers=JPEG)
    found = answer.json()["verification"]
    assert (found["verdict"], found["reason"][:18]) == ("uncertain", "this model counts ")


@pytest.mark.parametrize(
    ("asked", "verified"), [("3%2Cexplain%3D1", True), ("explain%3D1", False)], ids=["both", "explain"]
)
def test_where_the_model_looked_is_asked_for_behind_the_number(
    api: Api, warehouse: Caller, asked: str, verified: bool
) -> None:
    answer = api.ask(f"/count?expected={asked}", caller=warehouse, body=bin_image(3), headers=JPEG)
    assert answer.status_code == 200
    assert answer.json()["explanation"]["reason"].startswith("this model's network has no exact map")
    assert ("verification" in answer.json()) == verified


@pytest.mark.parametrize(
    ("path", "body", "headers", "expected"),
    [
        ("/count", b"\xff\xd8 not an image", JPEG, (400, "undecodable_image")),
        ("/count", b"", JPEG, (400, "empty_body")),
        ("/count", bin_image(1), {"Content-Type": "application/pdf"}, (415, "unsupported_media_type")),
        ("/count", bin_image(1), {}, (415, "unsupported_media_type")),
        ("/count", bin_image(1), {**JPEG, "Accept": "image/png"}, (406, "not_acceptable")),
        ("/count?expected=many", bin_image(1), JPEG, (422, "bad_expected_count")),
        ("/count?expected=-1", bin_image(1), JPEG, (422, "bad_expected_count")),
        ("/count?expected=%EF%BC%93", bin_image(1), JPEG, (422, "bad_expected_count")),
        ("/count?expected=3%2Cexplain%3Dyes", bin_image(1), JPEG, (422, "bad_explain")),
        (f"/count?expected={'1' * 1100}", bin_image(1), JPEG, (422, "bad_expected_count")),
        ("/count", bytes(6_291_457), JPEG, (413, "body_too_large")),
        ("/count", bytes(10 * 1024 * 1024 + 1), JPEG, (413, "body_too_large")),
        ("/nothing", bin_image(1), JPEG, (403, "forbidden")),
    ],
)
def test_every_error_response_is_ours(
    api: Api, warehouse: Caller, path: str, body: bytes, headers: dict[str, str], expected: tuple[int, str]
) -> None:
    assert error_of(api.ask(path, caller=warehouse, body=body, headers=headers)) == expected


def test_callers_without_a_right_or_a_true_signature_are_rejected(
    cloud: Cloud, api: Api, warehouse: Caller
) -> None:
    everything_else = {"Action": ["s3:*", "sagemaker:*"], "Resource": "*"}
    stranger = new_caller(cloud, "stranger", everything_else)
    ask = {"body": bin_image(1), "headers": JPEG}
    assert error_of(api.ask(**ask)) == (403, "forbidden")
    assert error_of(api.ask(caller=stranger, **ask)) == (403, "forbidden")
    assert error_of(api.ask(caller=replace(warehouse, secret="x" * 40), **ask)) == (403, "bad_signature")
    unknown = replace(warehouse, key=f"AKIA{'A' * 16}")
    assert error_of(api.ask(caller=unknown, **ask)) == (403, "bad_request")
    assert error_of(api.ask("/openapi.json", method="GET", caller=stranger)) == (403, "forbidden")


def test_the_access_log_has_the_caller_and_the_outcome_but_not_what(
    cloud: Cloud, api: Api, warehouse: Caller
) -> None:
    answer = api.ask("/count?expected=4", caller=warehouse, body=bin_image(3), headers=JPEG)
    logs = cloud.client("logs")
    names = [group["logGroupName"] for group in logs.describe_log_groups()["logGroups"]]
    (group,) = [name for name in names if "AccessLog" in name]

    def lines() -> list[dict[str, str]]:
        events = logs.get_log_events(logGroupName=group, logStreamName="access", startFromHead=True)
        records = [json.loads(event["message"]) for event in events["events"]]
        return [record for record in records if record["request_id"] == answer.json()["request_id"]]

    (line,) = wait_until(lines, bool)
    assert (line["method"], line["path"], line["status"]) == ("POST", "/count", "200")
    assert line["caller"].endswith(":user/warehouse")
    assert "expected" not in json.dumps(line)


class Signed(AuthBase):
    """Signs what schemathesis sends, as it is sent."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller

    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        assert request.method and request.url
        body = request.body.encode() if isinstance(request.body, str) else request.body or b""
        # One header is enough, since requests adds others, and drops some, after this.
        signed = self._caller.sign(request.method, request.url, {}, body)  # pyright: ignore
        request.headers.update(signed)
        return request


@pytest.fixture(scope="module")
def described_api(api: Api, warehouse: Caller) -> Any:
    answer = api.ask("/openapi.json", method="GET", caller=warehouse)
    assert answer.status_code == 200
    document = answer.json()
    assert document["servers"] == [{"url": api.aws_url}]
    for kind in ("image/jpeg", "image/png", "image/webp"):
        images = st.sampled_from([bin_image(n, format=kind.removeprefix("image/")) for n in range(6)])
        schemathesis.openapi.media_type(kind, images | st.binary(max_size=64))
    return schemathesis.openapi.from_dict(document)


@pytest.mark.parametrize(
    ("path", "method"), [("/count", "POST"), ("/labels", "POST"), ("/openapi.json", "GET")]
)
def test_the_answers_are_those_of_the_openapi_document(
    described_api: Any, api: Api, warehouse: Caller, path: str, method: str
) -> None:
    bundle = str(api.cloud.certificate_bundle)
    statuses: set[int] = set()

    @settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
    @given(case=described_api[path][method].as_strategy())
    def answers_as_described(case: Any) -> None:
        response = case.call(base_url=api.url, auth=Signed(warehouse), verify=bundle)
        statuses.add(response.status_code)
        case.validate_response(response, checks=CHECKS)

    answers_as_described()
    assert 200 in statuses and 403 not in statuses, "the requests were signed, and some were right"


@pytest.mark.parametrize("number", range(len(SNIPPETS)))
def test_every_snippet_of_the_docs_runs(
    cloud: Cloud, api: Api, warehouse: Caller, tmp_path: Path, number: int
) -> None:
    language, text = SNIPPETS[number]
    caller = warehouse if "API_URL" in text else invoker(cloud)
    answer = run_snippet(cloud, tmp_path, language, text, {"API_URL": api.url, **caller.environment()})
    assert (answer["count"], answer["verification"]["verdict"]) == (3, "match")


def invoker(cloud: Cloud) -> Caller:
    arn = f"arn:aws:sagemaker:us-east-1:000000000000:endpoint/{ENDPOINT}"
    return new_caller(cloud, "invoker", {"Action": "sagemaker:InvokeEndpoint", "Resource": arn})


def run_snippet(cloud: Cloud, folder: Path, language: str, text: str, variables: dict[str, str]) -> Any:
    """The JSON that a snippet prints, run beside a bin.jpg with three objects."""
    (folder / "bin.jpg").write_bytes(bin_image(3))
    command = {"bash": ["bash", "-euo", "pipefail", "-c", text], "python": [sys.executable, "-c", text]}
    trusted = {"CURL_CA_BUNDLE": str(cloud.certificate_bundle)}
    environment = {**os.environ, **cloud.environment(), **trusted, **variables}
    done = subprocess.run(
        command[language], cwd=folder, env=environment, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout) if done.stdout.startswith("{") else done.stdout.strip()


def bincount(cloud: Cloud, caller: Caller, api: Api, *arguments: str | Path) -> Any:
    """`bincount ARGUMENTS --api-url …` as the caller runs it, with no rights and no settings but its own."""
    variables = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": f"{ROOT}/client:{ROOT}/core",
        "AWS_REGION": "us-east-1",
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CA_BUNDLE": str(cloud.certificate_bundle),
        **caller.environment(),
    }
    command = [sys.executable, "-m", "bincount", *map(str, arguments), "--api-url", api.url]
    return subprocess.run(command, env=variables, capture_output=True, text=True, timeout=300)


def test_the_command_line_counts_through_the_api(
    cloud: Cloud, api: Api, warehouse: Caller, tmp_path: Path
) -> None:
    three, broken = tmp_path / "three.png", tmp_path / "broken.jpg"
    three.write_bytes(bin_image(3, format="png"))
    broken.write_bytes(b"\xff\xd8 not an image")

    done = bincount(cloud, warehouse, api, "count", three, "--expect", "3", "--json")
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    assert (answer["count"], answer["verification"]["verdict"]) == (3, "match")

    assert bincount(cloud, warehouse, api, "count", three, "--expect", "5").returncode == 3
    done = bincount(cloud, warehouse, api, "count", broken, three, "--json")
    found = {Path(line["image"]).name: line for line in map(json.loads, done.stdout.splitlines())}
    assert done.returncode == 1
    assert found["broken.jpg"]["error"]["code"] == "undecodable_image"
    assert found["three.png"]["count"] == 3


def test_the_command_line_recounts_a_folder_through_the_api(
    cloud: Cloud, api: Api, warehouse: Caller, tmp_path: Path
) -> None:
    site = tmp_path / "site"
    site.mkdir()
    for count in (1, 2, 4):
        (site / f"bin {count}.jpg").write_bytes(bin_image(count))
    (tmp_path / "consignments.csv").write_text("id,expected\nbin 1,1\nbin 2,2\nbin 4,1\n")
    given = ("--manifest", tmp_path / "consignments.csv", "--out", tmp_path / "recount")
    done = bincount(cloud, warehouse, api, "site", site, *given)
    assert done.returncode == 3, done.stderr
    with (tmp_path / "recount" / "recount.csv").open(newline="") as lines:
        verdicts = {row["id"]: (row["count"], row["verdict"]) for row in csv.DictReader(lines)}
    assert verdicts == {"bin 1": ("1", "match"), "bin 2": ("2", "match"), "bin 4": ("4", "mismatch")}


def test_the_command_line_names_the_right_that_a_caller_misses(
    cloud: Cloud, api: Api, tmp_path: Path
) -> None:
    image = tmp_path / "three.jpg"
    image.write_bytes(bin_image(3))
    done = bincount(cloud, new_caller(cloud, "visitor"), api, "count", image)
    (line,) = done.stderr.splitlines()
    assert done.returncode == 1
    assert line.startswith("error: ") and "needs the right execute-api:Invoke" in line


@pytest.fixture(scope="module")
def api_with_keys(cloud: Cloud, api: Api) -> Api:
    """The same API, updated to API keys; a caller may ask 3 times at once."""
    given = {"api.auth": "api_key", "api.api_keys": '["scanner", "gate"]', "api.key_burst": 3}
    return deployed_api(cloud, **given, **{"api.key_requests_per_second": 1})


def test_with_api_keys_the_snippets_run_and_no_key_is_rejected(
    cloud: Cloud, api_with_keys: Api, tmp_path: Path
) -> None:
    ask = {"body": bin_image(1), "headers": JPEG}
    assert error_of(api_with_keys.ask(**ask)) == (403, "forbidden")
    wrong = {**JPEG, "x-api-key": "a" * 40}
    assert error_of(api_with_keys.ask(body=bin_image(1), headers=wrong)) == (403, "forbidden")
    keys = {key["name"]: key["id"] for key in cloud.client("apigateway").get_api_keys()["items"]}
    show, call = KEY_SNIPPETS
    key = run_snippet(cloud, tmp_path, *show, {"API_KEY_ID": keys["bincount-local-scanner"]})
    answer = run_snippet(cloud, tmp_path, *call, {"API_URL": api_with_keys.url, "API_KEY": key})
    assert answer["count"] == 3


def test_a_caller_that_asks_too_often_gets_too_many_requests(cloud: Cloud, api_with_keys: Api) -> None:
    keys = cloud.client("apigateway").get_api_keys(includeValues=True)["items"]
    (value,) = [key["value"] for key in keys if key["name"] == "bincount-local-gate"]
    headers = {**JPEG, "x-api-key": value}
    answers = [api_with_keys.ask(body=bin_image(1), headers=headers) for _ in range(30)]
    assert answers[0].status_code == 200
    assert error_of([answer for answer in answers if answer.status_code != 200][0]) == (
        429,
        "too_many_requests",
    )

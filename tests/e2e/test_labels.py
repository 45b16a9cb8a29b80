"""Labels through the deployed API: by HTTPS, with the labeller's policy alone."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from embedded_cloud.cloud import Cloud

from demo.cloud import BINCOUNT
from tests.e2e.api_kit import Api, Caller, new_caller
from tests.e2e.api_stack_kit import BUCKET, STACK, deployed_api, serve_a_model
from tests.e2e.test_api import JPEG, error_of
from tests.e2e.tiny_model import bin_image

pytestmark = pytest.mark.e2e


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    with Cloud(data_dir=tmp_path_factory.mktemp("cloud"), project=BINCOUNT) as started:
        yield started


@pytest.fixture(scope="module")
def api(cloud: Cloud) -> Api:
    """The API with a model and the stage's bucket behind it."""
    found = deployed_api(cloud)
    serve_a_model(cloud)
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

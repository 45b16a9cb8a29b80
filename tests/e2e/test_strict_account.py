"""The stage in a strict account: HTTPS only, IAM enforced, and the API in front of the endpoint.

The tests are one journey through one deployment. What the embedded cloud enforces: every call of a user, of
a Lambda, of a job, of an endpoint's server and of the API's integration is judged by its own policies, and a
state machine's sagemaker and aws-sdk tasks by its role; not the CDK's CloudFormation role, and not the role
of a state machine that invokes a Lambda.
"""

from collections.abc import Iterator

import pytest
from tests.e2e.strict_account_kit import ENDPOINT, PARTS, Account, Caller

from local.cloud import Cloud
from tests.e2e.tiny_model import bin_image

pytestmark = pytest.mark.e2e


@pytest.fixture(scope="module")
def account(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Account]:
    out = tmp_path_factory.mktemp("strict")
    with Cloud(data_dir=out / "cloud", strict=True) as cloud:
        account = Account(cloud, out)
        deployment = account.deployment()
        deployment.bootstrap()
        account.outputs = deployment.deploy()
        yield account


@pytest.fixture(scope="module")
def warehouse(account: Account) -> Caller:
    """May call the API, and nothing else."""
    api = account.outputs["bincount-local-front"]["ApiUrl"].removeprefix("https://").split(".")[0]
    resource = f"arn:aws:execute-api:us-east-1:000000000000:{api}/v1/*"
    return account.caller("warehouse", {"Action": "execute-api:Invoke", "Resource": resource})


@pytest.fixture(scope="module")
def stranger(account: Account) -> Caller:
    """May do something, but nothing here."""
    return account.caller("stranger", {"Action": "s3:*", "Resource": "arn:aws:s3:::another-bucket/*"})


def test_the_cdk_deploys_every_stack_over_https(account: Account) -> None:
    assert account.cloud.url.startswith("https://")
    stacks = account.cloud.client("cloudformation").describe_stacks()["Stacks"]
    statuses = {stack["StackName"]: stack["StackStatus"] for stack in stacks}
    assert {f"bincount-local-{part}" for part in PARTS} <= set(statuses)
    assert set(statuses.values()) <= {"CREATE_COMPLETE", "UPDATE_COMPLETE"}


def test_while_no_model_is_approved_the_api_says_so(account: Account, warehouse: Caller) -> None:
    answer = account.ask(caller=warehouse, body=bin_image(2), content_type="image/jpeg")
    assert (answer.status_code, answer.json()["error"]["code"]) == (503, "no_model")
    assert answer.json()["error"]["request_id"] == answer.headers["x-amzn-requestid"]


def test_an_approved_model_serves_with_the_endpoints_own_role(account: Account) -> None:
    uri = account.serve_a_model()
    sagemaker = account.cloud.client("sagemaker")
    assert sagemaker.describe_endpoint(EndpointName=ENDPOINT)["EndpointStatus"] == "InService"
    (model,) = sagemaker.list_models()["Models"]
    described = sagemaker.describe_model(ModelName=model["ModelName"])
    assert described["PrimaryContainer"]["ModelDataUrl"] == uri


@pytest.mark.parametrize(
    ("format", "kind"), [("JPEG", "image/jpeg"), ("PNG", "image/png"), ("WEBP", "image/webp")]
)
def test_an_image_is_counted_and_compared(
    account: Account, warehouse: Caller, format: str, kind: str
) -> None:
    image = bin_image(3, format=format)
    answer = account.ask("/count?expected=3", caller=warehouse, body=image, content_type=kind)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/json"
    assert (answer.json()["count"], answer.json()["verification"]["verdict"]) == (3, "match")
    assert answer.json()["request_id"] == answer.headers["x-amzn-requestid"]


def test_text_is_the_bare_number(account: Account, warehouse: Caller) -> None:
    answer = account.ask(caller=warehouse, body=bin_image(4), content_type="image/jpeg", accept="text/plain")
    assert (answer.status_code, answer.text) == (200, "4")
    assert answer.headers["content-type"].startswith("text/plain")

"""The stage in a strict account: the real CDK over HTTPS, and IAM that is enforced.

The tests are one journey through one deployment. What the embedded cloud judges by policies: every call of a
user, a Lambda, a job, an endpoint's server and the API's integration, and all that a state machine does with
its role. What it does not: the CDK's CloudFormation role, the roles of rules and schedules, KMS.
test_release.py and test_whole_system.py go the rest of the way in the same mode.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local.bins import generate
from local.cloud import Cloud
from local.demo.deployment import Deployment
from local.demo.source import upload
from tests.e2e.api_kit import Api, Caller, new_caller
from tests.e2e.tiny_model import bin_image, model_archive

pytestmark = pytest.mark.e2e

ENDPOINT = "bincount-local"
PARAMETER = "/bincount/local/model"
SERVING = "bincount-local-serving"
JPEG = {"Content-Type": "image/jpeg"}


@dataclass
class Account:
    """The deployed stage `local`."""

    cloud: Cloud
    deployment: Deployment
    outputs: dict[str, dict[str, str]] = field(default_factory=dict)

    @property
    def bucket(self) -> str:
        return self.outputs["bincount-local-data"]["BucketName"]

    @property
    def api(self) -> Api:
        return Api(self.cloud, self.outputs["bincount-local-front"]["ApiUrl"])

    def names(self, service: str, operation: str, key: str, name: str) -> list[str]:
        """Names of what an operation lists, those of this stage only."""
        answer = getattr(self.cloud.client(service), operation)()
        return [item[name] for item in answer[key] if item[name].startswith("bincount-local")]


@pytest.fixture(scope="module")
def account(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Account]:
    out = tmp_path_factory.mktemp("strict")
    with Cloud(data_dir=out / "cloud") as cloud:
        deployment = Deployment(environment=cloud.environment(), out=out, overrides={}, say=lambda _: None)
        deployment.bootstrap()
        yield Account(cloud, deployment, deployment.deploy())


@pytest.fixture(scope="module")
def stranger(account: Account) -> Caller:
    """May do something, but nothing here."""
    return new_caller(account.cloud, "stranger", {"Action": "*", "Resource": "arn:aws:s3:::another/*"})


def test_the_cdk_deploys_every_stack_over_https(account: Account) -> None:
    assert account.cloud.url.startswith("https://")
    stacks = account.cloud.client("cloudformation").describe_stacks()["Stacks"]
    statuses = {stack["StackName"]: stack["StackStatus"] for stack in stacks}
    assert {f"bincount-local-{part}" for part in ("data", "training", "serving", "front")} <= set(statuses)
    assert set(statuses.values()) <= {"CREATE_COMPLETE", "UPDATE_COMPLETE"}


def test_data_preparation_makes_a_dataset_with_its_own_role(account: Account, tmp_path: Path) -> None:
    generate(out=tmp_path / "bins", images=120, seed=5, counts=range(1, 4))
    upload(account.cloud.client("s3"), tmp_path / "bins", progress=lambda done, all_: None)
    (function,) = [
        f["FunctionName"]
        for f in account.cloud.client("lambda").list_functions()["Functions"]
        if f["Handler"] == "data_prep.handler.handler"
    ]

    def step(**event: Any) -> Any:
        payload = json.dumps(event).encode()
        answer = account.cloud.client("lambda").invoke(FunctionName=function, Payload=payload)
        content = json.loads(answer["Payload"].read())
        assert "FunctionError" not in answer, content
        return content

    request = {
        "source": {"bucket": "aft-vbi-pds", "prefix": "", "unsigned": False},
        "file_list": "s3://aft-vbi-pds/file_list.json",
    }
    opened = step(step="open", request=request)
    plan = step(step="plan", dataset_id=opened["dataset_id"])
    work = account.cloud.client("s3").get_object(
        Bucket=plan["work_list"]["bucket"], Key=plan["work_list"]["key"]
    )
    items = json.loads(work["Body"].read())
    batch = {"step": "arrange", "dataset_id": plan["dataset_id"]}
    assert step(Items=items, BatchInput=batch)["accepted"] == 120
    assert step(step="seal", dataset_id=plan["dataset_id"])["images"] == 120


def test_an_approved_model_serves_with_the_endpoints_own_role(account: Account) -> None:
    key = "models/tiny/output/model.tar.gz"
    account.cloud.client("s3").put_object(Bucket=account.bucket, Key=key, Body=model_archive())
    uri = f"s3://{account.bucket}/{key}"
    account.cloud.client("ssm").put_parameter(Name=PARAMETER, Value=uri, Type="String", Overwrite=True)
    formation = account.cloud.client("cloudformation")
    (stack,) = formation.describe_stacks(StackName=SERVING)["Stacks"]
    keep = [{"ParameterKey": p["ParameterKey"], "UsePreviousValue": True} for p in stack["Parameters"]]
    formation.update_stack(
        StackName=SERVING, UsePreviousTemplate=True, Parameters=keep, Capabilities=["CAPABILITY_IAM"]
    )
    waiter = formation.get_waiter("stack_update_complete")
    waiter.wait(StackName=SERVING, WaiterConfig={"Delay": 1, "MaxAttempts": 90})
    endpoint = account.cloud.client("sagemaker").describe_endpoint(EndpointName=ENDPOINT)
    assert endpoint["EndpointStatus"] == "InService"


def test_the_api_invokes_it_with_its_own_role_for_a_caller_who_may_call(account: Account) -> None:
    rights = {"Action": "execute-api:Invoke", "Resource": account.api.arn}
    warehouse = new_caller(account.cloud, "warehouse", rights)
    answer = account.api.ask("/count?expected=2", caller=warehouse, body=bin_image(2), headers=JPEG)
    assert answer.status_code == 200, answer.text
    assert answer.json()["verification"]["verdict"] == "match"
    with pytest.raises(ClientError, match="AccessDenied"):
        invoke(account, warehouse)


def invoke(account: Account, caller: Caller) -> Any:
    runtime = caller.client(account.cloud, "sagemaker-runtime")
    return runtime.invoke_endpoint(EndpointName=ENDPOINT, ContentType="image/jpeg", Body=bin_image(2))


def test_a_caller_without_a_right_is_denied_everywhere(account: Account, stranger: Caller) -> None:
    with pytest.raises(ClientError, match="AccessDenied"):
        invoke(account, stranger)
    answer = account.api.ask(caller=stranger, body=bin_image(2), headers=JPEG)
    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "forbidden")
    s3 = stranger.client(account.cloud, "s3")
    for call in (s3.get_object, s3.head_object, s3.delete_object):
        with pytest.raises(ClientError, match=r"AccessDenied|\(403\)"):
            call(Bucket=account.bucket, Key="models/tiny/output/model.tar.gz")
    with pytest.raises(ClientError, match="AccessDenied"):
        stranger.client(account.cloud, "ssm").get_parameter(Name=PARAMETER)


def test_the_bucket_answers_over_tls_only(account: Account) -> None:
    rights = {"Action": "s3:GetObject", "Resource": f"arn:aws:s3:::{account.bucket}/*"}
    reader = new_caller(account.cloud, "reader", rights)
    where = {"Bucket": account.bucket, "Key": "models/tiny/output/model.tar.gz"}
    assert reader.client(account.cloud, "s3").get_object(**where)["ContentLength"] > 0
    with pytest.raises(ClientError, match="AccessDenied"):
        reader.client(account.cloud, "s3", url=account.cloud.plain_url).get_object(**where)


def test_destroy_leaves_nothing(account: Account) -> None:
    account.deployment.destroy()
    assert account.names("cloudformation", "describe_stacks", "Stacks", "StackName") == []
    assert account.names("s3", "list_buckets", "Buckets", "Name") == []
    assert account.names("sagemaker", "list_endpoints", "Endpoints", "EndpointName") == []
    assert account.names("sagemaker", "list_models", "Models", "ModelName") == []
    assert account.names("lambda", "list_functions", "Functions", "FunctionName") == []
    assert account.names("stepfunctions", "list_state_machines", "stateMachines", "name") == []
    assert account.names("apigateway", "get_rest_apis", "items", "name") == []
    roles = account.cloud.client("iam").list_roles()["Roles"]
    assert [role["RoleName"] for role in roles if role["RoleName"].startswith("bincount-local")] == []
    with pytest.raises(ClientError, match="ParameterNotFound"):
        account.cloud.client("ssm").get_parameter(Name=PARAMETER)

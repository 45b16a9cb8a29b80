"""The whole path on the embedded cloud in its strict mode (HTTPS, IAM enforced), with the real CDK, the real
training toolkit and real HTTP.

The tests are one journey: each goes on where the one before it ended.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local.bins import generate
from local.cloud import Cloud
from local.demo.dataset import Dataset
from local.demo.deployment import Deployment
from local.demo.execution import Execution
from local.demo.predictions import ask
from local.demo.source import upload

pytestmark = pytest.mark.e2e

ENDPOINT = "bincount-local"
PARAMETER = "/bincount/local/model"
TINY = {
    "training.image_size": "32",
    "training.epochs": "[1, 2]",
    "training.batch_sizes": "[16]",
    "training.max_jobs": "2",
    "data_prep.batch_size": "20",
}


class System:
    """The deployed stage, and the questions that the tests ask of it."""

    def __init__(self, cloud: Cloud, out: Path) -> None:
        self.cloud = cloud
        self.out = out
        self.outputs: dict[str, dict[str, str]] = {}

    def deployment(self, **overrides: str) -> Deployment:
        given = {**TINY, **overrides}
        environment = self.cloud.environment()
        return Deployment(environment=environment, out=self.out, overrides=given, say=lambda _: None)

    def endpoint(self) -> dict[str, Any] | None:
        try:
            return self.cloud.client("sagemaker").describe_endpoint(EndpointName=ENDPOINT)
        except ClientError as error:
            assert error.response["Error"]["Code"] == "ValidationException"
            return None

    def approved_model(self) -> str:
        return self.cloud.client("ssm").get_parameter(Name=PARAMETER)["Parameter"]["Value"]

    def stack_statuses(self) -> dict[str, str]:
        stacks = self.cloud.client("cloudformation").describe_stacks()["Stacks"]
        return {stack["StackName"]: stack["StackStatus"] for stack in stacks}

    def follow(self, arn: str) -> Execution:
        execution = Execution(self.cloud.client("stepfunctions"), arn)
        execution.follow(on_state=lambda _: None, on_poll=lambda _: None)
        return execution

    def dataset(self) -> Dataset:
        uri = self.cloud.client("ssm").get_parameter(Name="/bincount/local/dataset")["Parameter"]["Value"]
        return Dataset(self.cloud.client("s3"), uri)


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    out = tmp_path_factory.mktemp("system")
    with Cloud(data_dir=out / "cloud") as cloud:
        yield System(cloud, out)


def test_deploy_without_a_model_brings_every_stack_up_and_no_endpoint(system: System) -> None:
    deployment = system.deployment()
    deployment.bootstrap()
    system.outputs = deployment.deploy()
    statuses = system.stack_statuses()
    assert {f"bincount-local-{part}" for part in ("data", "training", "serving")} <= set(statuses)
    assert set(statuses.values()) <= {"CREATE_COMPLETE", "UPDATE_COMPLETE"}
    assert system.approved_model() == "none"
    assert system.endpoint() is None


def test_the_pipeline_prepares_trains_and_registers(system: System) -> None:
    bins = system.out / "bins"
    generate(out=bins, images=240, seed=3, counts=range(1, 4))
    upload(system.cloud.client("s3"), bins, progress=lambda done, all_: None)
    answer = system.cloud.client("stepfunctions").start_execution(
        stateMachineArn=system.outputs["bincount-local-training"]["PipelineArn"], input="{}"
    )
    output = json.loads(system.follow(answer["executionArn"]).output)
    dataset = system.dataset()
    assert sum(sum(classes.values()) for classes in dataset.counts().values()) == 240
    assert output["dataset"]["dataset_id"] == dataset.id
    package = system.cloud.client("sagemaker").describe_model_package(
        ModelPackageName=output["model_package"]
    )
    assert package["ModelApprovalStatus"] == "Approved"
    jobs = system.cloud.client("sagemaker").list_training_jobs()["TrainingJobSummaries"]
    assert [job["TrainingJobStatus"] for job in jobs] == ["Completed", "Completed"]
    for job in jobs:  # the budget counts by this tag
        assert job["TrainingJobName"].startswith("bins-local-")
        tags = system.cloud.client("sagemaker").list_tags(ResourceArn=job["TrainingJobArn"])["Tags"]
        assert {"Key": "system", "Value": "bincount-local"} in tags


def test_the_approval_releases_the_model_and_the_endpoint_counts(system: System) -> None:
    stepfunctions = system.cloud.client("stepfunctions")
    arn = system.outputs["bincount-local-serving"]["ReleaseArn"]
    (execution,) = stepfunctions.list_executions(stateMachineArn=arn)["executions"]
    system.follow(execution["executionArn"])
    endpoint = system.endpoint()
    assert endpoint is not None and endpoint["EndpointStatus"] == "InService"
    assert system.approved_model().endswith("/output/model.tar.gz")
    runtime = system.cloud.client("sagemaker-runtime")
    predictions = ask(runtime, endpoint=ENDPOINT, bins=system.dataset().report_bins()[:5])
    assert predictions and all(0 <= p.count <= 5 and 0 < p.confidence <= 1 for p in predictions)


def test_an_expected_count_is_verified_and_a_bad_image_is_refused_in_json(system: System) -> None:
    runtime = system.cloud.client("sagemaker-runtime")
    bin_ = system.dataset().report_bins()[0]
    response = runtime.invoke_endpoint(
        EndpointName=ENDPOINT,
        ContentType="image/jpeg",
        CustomAttributes="expected-count=3",
        Body=bin_.jpeg,
    )
    verification = json.loads(response["Body"].read())["verification"]
    assert verification["expected"] == 3
    assert verification["verdict"] in ("match", "mismatch", "uncertain")
    with pytest.raises(ClientError) as refused:
        runtime.invoke_endpoint(EndpointName=ENDPOINT, ContentType="image/jpeg", Body=b"not an image")
    assert refused.value.response["OriginalStatusCode"] == 400
    assert json.loads(refused.value.response["OriginalMessage"])["error"]["code"] == "undecodable_image"


def test_deploying_again_changes_nothing(system: System) -> None:
    before = (system.approved_model(), _config(system), system.stack_statuses())
    system.deployment().deploy()
    assert (system.approved_model(), _config(system), system.stack_statuses()) == before


def test_a_changed_tag_leaves_the_serving_model_as_it_is(system: System) -> None:
    before = (system.approved_model(), _config(system))
    system.deployment(tags='{"owner": "somebody-else"}').deploy()
    assert system.stack_statuses()["bincount-local-data"] == "UPDATE_COMPLETE"
    assert (system.approved_model(), _config(system)) == before
    endpoint = system.endpoint()
    assert endpoint is not None and endpoint["EndpointStatus"] == "InService"


def test_destroy_leaves_nothing(system: System) -> None:
    system.deployment().destroy()
    assert not [name for name in system.stack_statuses() if name.startswith("bincount-")]
    assert system.endpoint() is None
    sagemaker = system.cloud.client("sagemaker")
    assert not sagemaker.list_models()["Models"]
    assert not sagemaker.list_endpoint_configs()["EndpointConfigs"]
    names = [bucket["Name"] for bucket in system.cloud.client("s3").list_buckets()["Buckets"]]
    assert not [name for name in names if name.startswith("bincount-")]
    with pytest.raises(ClientError, match="ParameterNotFound"):
        system.approved_model()


def _config(system: System) -> str:
    endpoint = system.endpoint()
    assert endpoint is not None
    return endpoint["EndpointConfigName"]

"""`python -m infra.tools.teardown` on the embedded cloud: what a stage left goes, another's stays."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from embedded_cloud.cloud import Cloud

from demo.cloud import BINCOUNT
from infra.tools.leftovers import keys_of

pytestmark = pytest.mark.e2e

ROOT = Path(__file__).resolve().parents[2]
OURS = "bincount-dev-data-bucket-1"
OTHERS = "bincount-prod-data-bucket-1"
ELSEWHERE = "bincount-dev-data-bucket-2"  # of a stage dev that is in another region
TRAINING = "/aws/sagemaker/TrainingJobs"


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    with Cloud(data_dir=tmp_path_factory.mktemp("cloud"), project=BINCOUNT) as started:
        s3 = started.client("s3")
        for bucket in (OURS, OTHERS):
            s3.create_bucket(Bucket=bucket)
            s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
            for body in (b"one", b"two"):
                s3.put_object(Bucket=bucket, Key="models/a", Body=body)
            s3.delete_object(Bucket=bucket, Key="models/a")
        s3.create_bucket(Bucket=ELSEWHERE, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
        for stage in ("dev", "prod"):
            started.client("logs").create_log_group(logGroupName=f"/aws/sagemaker/Endpoints/bincount-{stage}")
            for group, streams in (
                (TRAINING, (f"bins-{stage}-1/algo-1", f"try-{stage}-1/algo-1")),
                ("/aws/sagemaker/ProcessingJobs", (f"evaluate-{stage}-1/algo-1",)),
                ("/aws/sagemaker/TransformJobs", (f"bincount-{stage}-recount-1/i-1",)),
                (f"/aws/codebuild/bincount-{stage}-image-amd64", ()),
            ):
                _log(started, group, *streams)
            group = f"bincount-{stage}"
            sagemaker = started.client("sagemaker")
            sagemaker.create_model_package_group(ModelPackageGroupName=group)
            for card in (f"{group}-1", f"{group}-of-a-team"):
                sagemaker.create_model_card(ModelCardName=card, Content="{}", ModelCardStatus="Draft")
            started.client("ecr").create_repository(repositoryName=f"bincount-{stage}-serving-image")
            tags = [{"TagKey": "part", "TagValue": f"bincount-{stage}-data/Key"}]
            started.client("kms").create_key(Tags=tags)
            parameter = f"/bincount/{stage}/model"
            started.client("ssm").put_parameter(Name=parameter, Value="none", Type="String")
        yield started


def _log(cloud: Cloud, group: str, *streams: str) -> None:
    logs = cloud.client("logs")
    found = logs.describe_log_groups(logGroupNamePrefix=group)["logGroups"]
    if group not in [each["logGroupName"] for each in found]:
        logs.create_log_group(logGroupName=group)
    for stream in streams:
        logs.create_log_stream(logGroupName=group, logStreamName=stream)


def _streams(cloud: Cloud, group: str) -> list[str]:
    found = cloud.client("logs").describe_log_streams(logGroupName=group)["logStreams"]
    return sorted(stream["logStreamName"] for stream in found)


def _tear_down(cloud: Cloud, typed: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "infra.tools.teardown", "--stage", "dev"]
    environment = {**os.environ, **cloud.environment()}
    return subprocess.run(
        command, cwd=ROOT, env=environment, input=typed, capture_output=True, text=True, check=False
    )


def _buckets(cloud: Cloud) -> set[str]:
    return {bucket["Name"] for bucket in cloud.client("s3").list_buckets()["Buckets"]}


@pytest.mark.parametrize("typed", ["prod\n", "\n", ""])
def test_without_the_stages_name_nothing_is_removed(cloud: Cloud, typed: str) -> None:
    assert _tear_down(cloud, typed).returncode == 1
    assert {OURS, OTHERS} <= _buckets(cloud)


def test_a_deployed_stage_is_not_torn_down(cloud: Cloud) -> None:
    cloudformation = cloud.client("cloudformation")
    topic = '{"Resources": {"Topic": {"Type": "AWS::SNS::Topic"}}}'
    cloudformation.create_stack(StackName="bincount-dev-data", TemplateBody=topic)
    result = _tear_down(cloud, "dev\n")
    assert result.returncode == 1
    assert "still deployed: bincount-dev-data: run npx cdk destroy" in result.stderr
    cloudformation.delete_stack(StackName="bincount-dev-data")
    cloudformation.get_waiter("stack_delete_complete").wait(
        StackName="bincount-dev-data", WaiterConfig={"Delay": 1}
    )


def test_all_of_the_stage_goes_and_nothing_of_another(cloud: Cloud) -> None:
    result = _tear_down(cloud, "dev\n")
    assert result.returncode == 0, result.stdout + result.stderr
    assert _buckets(cloud) & {OURS, OTHERS, ELSEWHERE} == {OTHERS, ELSEWHERE}
    versions = cloud.client("s3").list_object_versions(Bucket=OTHERS)
    assert len(versions["Versions"]) == 2
    groups = cloud.client("logs").describe_log_groups(logGroupNamePrefix="/aws/sagemaker/Endpoints/")
    assert [g["logGroupName"] for g in groups["logGroups"]] == ["/aws/sagemaker/Endpoints/bincount-prod"]
    groups = cloud.client("logs").describe_log_groups(logGroupNamePrefix="/aws/codebuild/")
    assert [g["logGroupName"] for g in groups["logGroups"]] == ["/aws/codebuild/bincount-prod-image-amd64"]
    assert _streams(cloud, TRAINING) == ["bins-prod-1/algo-1", "try-prod-1/algo-1"]
    assert _streams(cloud, "/aws/sagemaker/ProcessingJobs") == ["evaluate-prod-1/algo-1"]
    assert _streams(cloud, "/aws/sagemaker/TransformJobs") == ["bincount-prod-recount-1/i-1"]
    repositories = cloud.client("ecr").describe_repositories()["repositories"]
    assert [r["repositoryName"] for r in repositories] == ["bincount-prod-serving-image"]
    packages = cloud.client("sagemaker").list_model_package_groups()["ModelPackageGroupSummaryList"]
    assert [group["ModelPackageGroupName"] for group in packages] == ["bincount-prod"]
    cards = cloud.client("sagemaker").list_model_cards()["ModelCardSummaries"]
    kept = ["bincount-dev-of-a-team", "bincount-prod-1", "bincount-prod-of-a-team"]
    assert sorted(card["ModelCardName"] for card in cards) == kept, "those of versions alone are the stage's"
    assert keys_of(cloud.client("kms"), part="bincount-dev-data/Key") == []
    assert len(keys_of(cloud.client("kms"), part="bincount-prod-data/Key")) == 1
    names = [p["Name"] for p in cloud.client("ssm").get_parameters_by_path(Path="/bincount/")["Parameters"]]
    assert not [name for name in names if name.startswith("/bincount/dev")]


def test_a_second_run_finds_nothing_to_remove(cloud: Cloud) -> None:
    result = _tear_down(cloud, "dev\n")
    assert result.returncode == 0, result.stdout + result.stderr
    assert "removed" not in result.stdout.replace("This removes", "")

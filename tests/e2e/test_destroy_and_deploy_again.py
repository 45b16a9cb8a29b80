"""A stage that keeps its data is destroyed, adopted, deployed again, and at last taken down altogether.

One journey with the real CDK command line; each test is a stop on it.
"""

import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from embedded_cloud.cloud import Cloud

from demo.cloud import BINCOUNT
from demo.deployment import Deployment
from infra.tools.leftovers import buckets_of, keys_of, registry_of

pytestmark = pytest.mark.e2e

ROOT = Path(__file__).resolve().parents[2]
KEPT = {"retain_data": "true", "storage.encryption": "kms"}
STACKS = ("bincount-local-data", "bincount-local-training", "bincount-local-api")
GROUP = "bincount-local"


@dataclass
class Account:
    """A stage with retained data on the embedded cloud, and what stood in it before it was destroyed."""

    cloud: Cloud
    deployment: Deployment
    bucket: str
    key: str
    role: str

    def run(self, module: str, *arguments: str, typed: str = "") -> subprocess.CompletedProcess[str]:
        """A program of infra, as `make` calls it."""
        return subprocess.run(
            [sys.executable, "-m", f"infra.tools.{module}", "--stage", "local", *arguments],
            cwd=ROOT,
            env={**os.environ, **self.cloud.environment()},
            input=typed,
            capture_output=True,
            text=True,
            check=False,
        )

    def adopt(self) -> subprocess.CompletedProcess[str]:
        settings = [word for key, value in KEPT.items() for word in ("-c", f"{key}={value}")]
        return self.run("adopt", *settings)

    def kept(self) -> tuple[list[str], list[str], str | None]:
        """Buckets, keys and registry that are there, found as the programs find them."""
        return (
            buckets_of(self.cloud.client("s3"), part="bincount-local-data/Bucket"),
            keys_of(self.cloud.client("kms"), part="bincount-local-data/Key"),
            registry_of(self.cloud.client("sagemaker"), group=GROUP),
        )


@pytest.fixture(scope="module")
def account(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Account]:
    out = tmp_path_factory.mktemp("kept")
    with Cloud(data_dir=out / "cloud", project=BINCOUNT) as cloud:
        deployment = Deployment(environment=cloud.environment(), out=out, overrides=KEPT, say=lambda _: None)
        deployment.bootstrap()
        outputs = deployment.deploy(*STACKS)
        bucket = outputs["bincount-local-data"]["BucketName"]
        cloud.client("s3").put_object(Bucket=bucket, Key="models/a/model.tar.gz", Body=b"a model")
        cloud.client("sagemaker").create_model_package(
            ModelPackageGroupName=GROUP, ModelPackageDescription="the first"
        )
        (key,) = keys_of(cloud.client("kms"), part="bincount-local-data/Key")
        role = cloud.client("apigateway").get_account()["cloudwatchRoleArn"].rsplit("/", 1)[-1]
        yield Account(cloud, deployment, bucket, key, role)


def test_adopting_is_an_error_while_the_stage_is_there(account: Account) -> None:
    result = account.adopt()
    assert result.returncode == 1
    assert "still deployed: bincount-local-api, bincount-local-data" in result.stderr


def test_destroying_it_leaves_data_key_and_registry(account: Account) -> None:
    account.deployment.destroy()
    buckets, keys, registry = account.kept()
    assert (buckets, keys) == ([account.bucket], [account.key])
    assert registry is not None
    policy = account.cloud.client("s3").get_bucket_policy(Bucket=account.bucket)["Policy"]
    assert "aws:SecureTransport" in policy
    aliases = account.cloud.client("kms").list_aliases()["Aliases"]
    assert "alias/bincount-local" not in [alias["AliasName"] for alias in aliases]


def test_the_accounts_logging_role_is_still_set_and_there(account: Account) -> None:
    assert account.cloud.client("apigateway").get_account()["cloudwatchRoleArn"].endswith(account.role)
    assert account.cloud.client("iam").get_role(RoleName=account.role)


def test_adopted_it_deploys_again_onto_what_was_left(account: Account) -> None:
    result = account.adopt()
    assert result.returncode == 0, result.stdout + result.stderr
    assert f"adopted AWS::S3::Bucket {account.bucket}" in result.stdout
    outputs = account.deployment.deploy(*STACKS)
    assert outputs["bincount-local-data"]["BucketName"] == account.bucket
    assert account.kept()[:2] == ([account.bucket], [account.key])
    body = account.cloud.client("s3").get_object(Bucket=account.bucket, Key="models/a/model.tar.gz")["Body"]
    assert body.read() == b"a model"
    packages = account.cloud.client("sagemaker").list_model_packages(ModelPackageGroupName=GROUP)
    assert len(packages["ModelPackageSummaryList"]) == 1


def test_taken_down_after_it_was_destroyed_nothing_is_left(account: Account) -> None:
    """The key has no alias any more, so that it must be found otherwise."""
    account.deployment.destroy()
    result = account.run("teardown", typed="local\n")
    assert result.returncode == 0, result.stdout + result.stderr
    assert account.kept() == ([], [], None)
    state = account.cloud.client("kms").describe_key(KeyId=account.key)["KeyMetadata"]["KeyState"]
    assert state == "PendingDeletion"
    assert f"kept role {account.role}" in result.stdout


def test_with_nothing_left_there_is_nothing_to_adopt(account: Account) -> None:
    result = account.adopt()
    assert result.returncode == 0
    assert "nothing was left of stage local" in result.stdout

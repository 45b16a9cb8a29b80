"""What the judges look at: every stage, combinations of settings, every region with a training image."""

import json
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import aws_cdk as cdk
from aws_cdk.region_info import RegionInfo

from infra import settings, stage
from tests.infra import combinations as everything
from tests.infra.conftest import context
from tests.judges.resolved import Stack, resolve_stacks
from tests.once import once

_VPC = {
    "network.vpc": "existing",
    "network.subnet_ids": ["subnet-0123456789abcdef0", "subnet-0fedcba9876543210"],
    "network.security_group_ids": ["sg-0123456789abcdef0"],
}
STAGES = tuple(json.loads((Path(__file__).parents[2] / "cdk.json").read_text())["context"]["stages"])
PARTITIONS = ("aws",)
"""The partitions that this project claims: isolated ones have other names and no public source."""


@dataclass(frozen=True)
class Combination:
    """A stage with settings laid over, as `-c section.field=value` lays them."""

    name: str
    stage: str
    settings: dict[str, Any] = field(default_factory=dict[str, Any])


EVERYTHING = tuple(
    Combination(name, stage_name, laid_over)
    for name, (stage_name, laid_over) in everything.COMBINATIONS.items()
    if laid_over
)
"""Together they build everything that can be built."""
MLFLOW = Combination(
    "dev with an MLflow tracking server",
    "dev",
    {
        "experiments.mlflow": "arn:aws:sagemaker:us-east-1:123456789012:mlflow-tracking-server/team",
        "experiments.artifacts": "s3://ml-artifacts/mlflow",
    },
)

COMBINATIONS = (
    MLFLOW,
    *(Combination(name, name) for name in STAGES),
    Combination("dev with a key", "dev", {"storage.encryption": "kms"}),
    Combination("dev in a created VPC", "dev", {"network.vpc": "created"}),
    Combination("dev in an existing VPC, with a key", "dev", {"storage.encryption": "kms", **_VPC}),
    Combination("prod in an existing VPC", "prod", _VPC),
    Combination("dev with API keys", "dev", {"api.auth": "api_key", "api.api_keys": ["warehouse", "audit"]}),
    Combination("dev with the page", "dev", {"web.enabled": True, "web.waf": True}),
    Combination("dev without an API", "dev", {"api.enabled": False}),
    Combination("dev on Graviton", "dev", {"serving.instance_type": "ml.c7g.large"}),
    Combination("prod on Graviton", "prod", {"serving.instance_type": "ml.c7g.xlarge"}),
    Combination("dev that keeps its data", "dev", {"retain_data": True}),
    Combination("prod that keeps nothing", "prod", {"retain_data": False}),
    Combination(
        "dev that retrains by itself and notifies a person",
        "dev",
        {
            "operations.retrain": "rate(7 days)",
            "operations.retrain_on_list": True,
            "operations.email": "team@example.com",
            "operations.quiet_hours": 4,
        },
    ),
    Combination(
        "prod that captures inputs",
        "prod",
        {"capture.inputs": True, "capture.percent": 20, "data_prep.field_weight": 5, "gate.part_loss": 0.05},
    ),
    Combination(
        "dev with several training instances",
        "dev",
        {"training.instance_count": 2, "training.instance_type": "ml.g5.12xlarge", "training.max_jobs": 2},
    ),
    Combination(
        "dev with isolated jobs on demand",
        "dev",
        {"training.network_isolation": True, "training.spot": False, "training.early_stopping": False},
    ),
    Combination(
        "prod with linear steps",
        "prod",
        {"serving.canary_percent": 0, "serving.linear_percent": 25, "release.timeout_minutes": 90},
    ),
    Combination("dev with a boundary", "dev", {"security.permissions_boundary": "platform-boundary"}),
    Combination(
        "dev with the largest names",
        "dev",
        {"recount.buckets": ["a" * 63], "tags": {f"key-{n}": "v" * 200 for n in range(8)}},
    ),
    *EVERYTHING,
)


def regions() -> dict[str, bool]:
    """Every region of PARTITIONS in which AWS keeps training images: does it have all types that we deploy?

    So says AWS's CloudFormation validator, which the CDK runs.
    """
    named = [
        info.name
        for info in RegionInfo.regions
        if info.dlc_repository_account and info.partition in PARTITIONS
    ]
    return {name: name not in _WITHOUT_SAGEMAKER for name in named}


_WITHOUT_SAGEMAKER = ("ap-east-2", "ap-south-2", "ap-southeast-4", "ap-southeast-6", "me-central-1")
# Budgets are not made by CloudFormation in every region; a stage there does without.
_NOT_EVERYWHERE = {"operations.monthly_usd": 0}
ELSEWHERE = Combination("dev without a budget", "dev", _NOT_EVERYWHERE)


_QUICK: dict[str, Any] = {"tree_metadata": False, "analytics_reporting": False}
# Nothing is deployed from here: what a template says of its assets does not change with this.
_NO_COPIES = {"aws:cdk:disable-asset-staging": True}


def assembly(
    combination: Combination, *, region: str = "us-east-1", cdk_validates: bool = False
) -> dict[str, Stack]:
    """{stack: resolved} of a combination, without cdk-nag, whose own tests are elsewhere.

    The CDK's own run of AWS's validator is left out: preflight.py runs the same, with more rules. Only with
    `cdk_validates` it runs, and raises RuntimeError where it finds an error.
    """
    given = context(stage=combination.stage, region=region, **combination.settings, **_NO_COPIES)
    templates = once(
        "assembly", given, cdk_validates, make=lambda: _templates(given, cdk_validates=cdk_validates)
    )
    return resolve_stacks(templates, region=region, partition=RegionInfo.get(region).partition or "aws")


def _templates(given: dict[str, Any], *, cdk_validates: bool) -> dict[str, dict[str, Any]]:
    with TemporaryDirectory() as folder:
        kept = {key: value for key, value in given.items() if key != "stages"}
        app = cdk.App(context=kept, outdir=folder, builtin_cloud_formation_validation=cdk_validates, **_QUICK)
        stage.build(app=app, settings=settings.load(given.get))
        return {stack.stack_name: stack.template for stack in app.synth().stacks}

"""Settings that together build everything that can be built; each is synthesized once in a test run."""

import functools
from typing import Any

from aws_cdk.assertions import Template

from infra.settings import STAGES
from tests.infra.conftest import as_it_stands, synthesized_once

_KEYS = {"api.auth": "api_key", "api.api_keys": '["scanner", "gate"]'}
_BY_ITSELF = {"operations.retrain": "rate(7 days)", "operations.retrain_on_list": True}
_EXISTING = {
    "network.vpc": "existing",
    "network.subnet_ids": '["subnet-0123456789abcdef0", "subnet-0123456789abcdef1"]',
    "network.security_group_ids": '["sg-0123456789abcdef0"]',
}
_STEPS = {"serving.linear_percent": 25, "serving.min_instances": 4, "serving.bake_seconds": 300}

COMBINATIONS: dict[str, tuple[str, dict[str, Any]]] = {
    **{stage: (stage, {}) for stage in STAGES},
    "dev with everything on": (
        "dev",
        {
            **_KEYS,
            **_BY_ITSELF,
            **_STEPS,
            "web.enabled": True,
            "web.waf": True,
            "serving.max_instances": 8,
            "serving.scale_on": "concurrency",
            "serving.instance_type": "ml.c7g.large",
            "storage.encryption": "kms",
            "network.vpc": "created",
            "network.availability_zones": '["us-east-1b", "us-east-1c", "us-east-1d"]',
            "operations.quiet_hours": 2,
            "operations.email": "ops@example.com",
            "capture.inputs": True,
            "drift.enabled": True,
            "drift.starts_pipeline": True,
            "release.approval": "manual",
            "live.enabled": True,
            "recount.buckets": '["photos-of-bins"]',
            "data_prep.source_bucket": "photos-of-bins",
            "data_prep.source_key_arn": "arn:aws:kms:us-east-1:123456789012:key/0a1b2c3d-0000-1111-2222-3333",
            "data_prep.source_kind": "table",
            "data_prep.labels": "s3://photos-of-bins/labels.csv",
            "data_prep.unsigned": False,
            "security.permissions_boundary": "Boundary",
            "training.network_isolation": True,
            "training.warm_start": "last",
            "release.model_card": "card",
            "release.risk_rating": "Low",
            "experiments.mlflow": "arn:aws:sagemaker:us-east-1:123456789012:mlflow-app/app-0123456789AB",
            "experiments.artifacts": "s3://ml-artifacts",
        },
    ),
    "prod with everything else": (
        "prod",
        {
            **_EXISTING,
            **_BY_ITSELF,
            "storage.encryption": "s3",
            "api.logging_role": True,
            "web.enabled": True,
            "web.mfa": "off",
            "capture.percent": 0,
            "drift.baseline_images": 0,
            "training.spot": False,
            "training.pretrained": "none",
            "release.model_card": "package",
            "training.warm_start": '["bins-prod-0123456789abcdef", "try-prod-a"]',
            "operations.quiet_hours": 0,
            "operations.monthly_usd": 0,
            "data_prep.file_list": "s3://lists/mine/list.json",
            "experiments.mlflow": "https://mlflow.example.com",
            "experiments.secret": "arn:aws:secretsmanager:us-east-1:123456789012:secret:mlflow-AbCdEf",
            "data_prep.corrections": "s3://lists/mine/corrections.jsonl",
            "serving.canary_percent": 0,
            "serving.bake_seconds": 0,
        },
    ),
}
"""Name of the combination -> stage, and settings laid over it as on the command line."""


@functools.cache
def synthesized(combination: str) -> dict[str, Template]:
    """The templates of a combination's parts; a finding of cdk-nag fails here."""
    stage, overrides = COMBINATIONS[combination]
    return synthesized_once(stage, **overrides) if overrides else as_it_stands(stage)

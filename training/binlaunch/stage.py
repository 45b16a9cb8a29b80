"""A deployed stage as its SSM parameters describe it."""

from __future__ import annotations

import json
from dataclasses import dataclass, fields
from typing import Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from binlaunch.errors import LaunchError


@dataclass(frozen=True, kw_only=True)
class Stage:
    """One stage. `definition` and `tuning` are parts of its pipeline's CreateHyperParameterTuningJob."""

    name: str
    bucket: str
    code: str
    dataset: str
    usd_per_hour: float | None
    max_cost_usd: float
    distributed: bool
    definition: dict[str, Any]
    tuning: dict[str, Any]
    tags: list[dict[str, str]]
    metrics: list[str]

    @property
    def isolated(self) -> bool:
        """True where jobs have no network."""
        return bool(self.definition.get("EnableNetworkIsolation"))

    @property
    def hyperparameters(self) -> dict[str, Any]:
        """The stage's own flags for train.py, without what belongs to SageMaker's toolkit."""
        given = self.definition["StaticHyperParameters"]
        return {name: json.loads(value) for name, value in given.items() if not name.startswith("sagemaker_")}

    def channel(self, name: str) -> str | None:
        """The fixed S3 address of an input channel, or None where the stage has no such channel."""
        for channel in self.definition["InputDataConfig"]:
            if channel["ChannelName"] == name:
                return channel["DataSource"]["S3DataSource"].get("S3Uri")
        return None


def read_stage(*, name: str, dataset: str | None, session: boto3.Session) -> Stage:
    """Ask SSM. Raises LaunchError where the stage is not deployed, or has no dataset yet."""
    wanted = {f"/bincount/{name}/training": "", f"/bincount/{name}/dataset": ""}
    try:
        answer = session.client("ssm").get_parameters(Names=list(wanted))
    except (BotoCoreError, ClientError) as error:
        raise LaunchError(f"stage {name} cannot be asked: {error}") from error
    wanted |= {parameter["Name"]: parameter["Value"] for parameter in answer["Parameters"]}
    described, latest = wanted.values()
    if not described:
        raise LaunchError(
            f"stage {name} is not deployed in {session.region_name} of this account (no parameter "
            f"/bincount/{name}/training): npx cdk deploy --all -c stage={name}, or give another --stage "
            "or --region"
        )
    chosen = dataset or ("" if latest == "none" else latest)
    if not chosen.startswith("s3://"):
        raise LaunchError(
            f"stage {name} has no sealed dataset yet, came {chosen or 'none'!r}: start its pipeline, or "
            "name one with --dataset s3://bucket/datasets/<id>/"
        )
    # Others read the parameter too (bincount its prices): what is not ours is passed over.
    ours = {field.name for field in fields(Stage)}
    values = {member: value for member, value in json.loads(described).items() if member in ours}
    return Stage(name=name, dataset=chosen.rstrip("/") + "/", **values)

"""What `training/launch.py` must know of a stage to start a job as the pipeline does: one SSM parameter."""

from typing import Any

from aws_cdk import Stack
from aws_cdk import aws_ssm as ssm
from constructs import Construct

from infra.names import Names
from infra.settings import Settings
from infra.settings.instances import INSTANCES

# docs.aws.amazon.com/systems-manager/latest/userguide/parameter-store-advanced-parameters.html
MOST_CHARACTERS = 8192
LONGEST_REFERENCE = 150


class LaunchParameter(ssm.StringParameter):
    """`/bincount/<stage>/training`: the pipeline's own tuning request, and the bounds of its cost, as JSON.

    Its value is the template's at every deploy, which is what a description of the stage should be.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        settings: Settings,
        bucket_name: str,
        code_uri: str,
        tuning_job: dict[str, Any],
    ) -> None:
        training = settings.training
        value = Stack.of(scope).to_json_string(
            {
                "bucket": bucket_name,
                "code": code_uri,
                "usd_per_hour": training.price,
                "prices": _prices(settings),
                "max_cost_usd": training.max_cost_usd,
                "distributed": training.is_distributed,
                **_experiments(settings),
                "tags": tuning_job["Tags"],
                "tuning": _without_metrics(tuning_job["HyperParameterTuningJobConfig"]),
                "definition": _without_metrics(tuning_job["TrainingJobDefinition"]),
                "metrics": [
                    metric["Name"]
                    for metric in tuning_job["TrainingJobDefinition"]["AlgorithmSpecification"][
                        "MetricDefinitions"
                    ]
                ],
            }
        )
        _require_room(scope, value)
        super().__init__(
            scope,
            id,
            parameter_name=Names(settings.stage).parameter("training"),
            description="How training jobs of this stage are started (read by training/launch.py)",
            string_value=value,
            # Standard, and free, up to 4,096 characters; above that SSM makes it an advanced one by itself.
            tier=ssm.ParameterTier.INTELLIGENT_TIERING,
        )


def _experiments(settings: Settings) -> dict[str, dict[str, str]]:
    """Where `bincount runs --log-to stage` logs to; nothing without an MLflow."""
    given = settings.experiments
    return {"experiments": {"mlflow": given.mlflow, "secret": given.secret}} if given.mlflow else {}


def _require_room(scope: Construct, value: str) -> None:
    """Raises ValueError where the parameter may be longer than SSM takes: many tags, many fixed flags."""
    longest = longest_length(Stack.of(scope).resolve(value))
    if longest > MOST_CHARACTERS:
        raise ValueError(
            f"what training/launch.py must know of a stage may have {longest} characters, and an SSM "
            f"parameter takes {MOST_CHARACTERS}: shorten tags or training.fixed"
        )


def longest_length(value: Any) -> int:
    """The length of a resolved text whose references may each become as long as an ARN."""
    if isinstance(value, str):
        return len(value)
    parts = value["Fn::Join"][1]
    return sum(len(part) if isinstance(part, str) else LONGEST_REFERENCE for part in parts)


def _prices(settings: Settings) -> dict[str, float]:
    """Dollars an hour of the stage's instance types, those that are known; `bincount` reckons with them."""
    sections = (settings.serving, settings.gate, settings.recount)
    known = {kind: INSTANCES[kind].usd_per_hour for s in sections if (kind := s.instance_type) in INSTANCES}
    known[settings.training.instance_type] = settings.training.price
    return {kind: price for kind, price in sorted(known.items()) if price is not None}


def _without_metrics(part: dict[str, Any]) -> dict[str, Any]:
    """The twelve regexes would fill the 4 KB of a parameter; docs/contracts.md has the one rule for all."""
    if "AlgorithmSpecification" not in part:
        return part
    algorithm = {k: v for k, v in part["AlgorithmSpecification"].items() if k != "MetricDefinitions"}
    return {**part, "AlgorithmSpecification": algorithm}

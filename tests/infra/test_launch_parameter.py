"""What launch.py reads of a stage: complete, and within the 4 KB of a standard parameter."""

import json

import pytest
from aws_cdk.assertions import Template

from infra.settings import STAGES, load
from infra.settings.instances import INSTANCES
from infra.training.launch_parameter import longest_length
from tests.infra.conftest import context, synthesize

LONGEST_TOKEN = 90  # an ARN or a bucket's name in place of a reference


@pytest.mark.parametrize("stage", STAGES)
def test_the_description_of_the_stage_s_jobs_fits_into_its_parameter(
    templates: dict[str, dict[str, Template]], stage: str
) -> None:
    found = templates[stage]["training"].find_resources(
        "AWS::SSM::Parameter", {"Properties": {"Name": f"/bincount/{stage}/training"}}
    )
    (parameter,) = found.values()
    parts = parameter["Properties"]["Value"]["Fn::Join"][1]
    text = "".join(part if isinstance(part, str) else "x" * LONGEST_TOKEN for part in parts)
    assert len(text) <= 4096
    described = json.loads(text)
    assert set(described) == {
        "bucket", "code", "usd_per_hour", "prices", "max_cost_usd", "distributed", "tags", "tuning",
        "definition", "metrics",
    }  # fmt: skip
    assert "validation:rmse" in described["metrics"]
    chosen = load(context(stage=stage).get)
    trained_on, served_by = chosen.training.instance_type, chosen.serving.instance_type
    assert described["prices"][trained_on] == described["usd_per_hour"] == chosen.training.price
    assert described["prices"][served_by] == INSTANCES[served_by].usd_per_hour
    assert described["definition"]["RoleArn"]


def test_a_stage_with_many_tags_gets_an_advanced_parameter_by_itself() -> None:
    tags = {f"cost-center-{number}": "x" * 200 for number in range(10)}
    training = synthesize("prod", tags=json.dumps(tags))["training"]
    (parameter,) = training.find_resources(
        "AWS::SSM::Parameter", {"Properties": {"Name": "/bincount/prod/training"}}
    ).values()
    assert parameter["Properties"]["Tier"] == "Intelligent-Tiering"
    assert longest_length(parameter["Properties"]["Value"]) > 4096


def test_what_no_parameter_can_hold_is_rejected_at_synth() -> None:
    fixed = json.dumps({f"flag-{number}": "x" * 200 for number in range(40)})
    with pytest.raises(ValueError, match="8192"):
        synthesize("prod", **{"training.fixed": fixed})

"""What launch.py reads of a stage: complete, and within the 4 KB of a standard parameter."""

import json

import pytest
from aws_cdk.assertions import Template

from infra.settings import STAGES, load
from infra.settings.instances import INSTANCES
from tests.infra.conftest import context

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
    assert "select:rmse" in described["metrics"]
    chosen = load(context(stage=stage).get)
    trained_on, served_by = chosen.training.instance_type, chosen.serving.instance_type
    assert described["prices"][trained_on] == described["usd_per_hour"] == chosen.training.price
    assert described["prices"][served_by] == INSTANCES[served_by].usd_per_hour
    assert described["definition"]["RoleArn"]

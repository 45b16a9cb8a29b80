"""The judges are awake: each fault that is planted into what is deployed is found by one of them at least."""

import json
from collections.abc import Callable
from copy import deepcopy
from functools import cache
from typing import Any

import pytest

from tests.infra.aws_texts import definition_faults, template_faults
from tests.judges.combinations import Combination, assembly
from tests.judges.preflight import findings
from tests.judges.resolved import definitions

CREATE = ":createHyperParameterTuningJob"
Template = dict[str, Any]
Plant = Callable[[Template], None]


@cache
def _templates() -> dict[str, Template]:
    return assembly(Combination("prod", "prod"))


def _resource(template: Template, kind: str) -> dict[str, Any]:
    return next(r["Properties"] for r in template["Resources"].values() if r["Type"] == kind)


def _in_machine(template: Template, change: Callable[[dict[str, Any]], None]) -> None:
    properties = next(
        resource["Properties"]
        for resource in template["Resources"].values()
        if CREATE in resource["Properties"].get("DefinitionString", "")
    )
    definition = json.loads(properties["DefinitionString"])
    change(definition["States"])
    properties["DefinitionString"] = json.dumps(definition)


def _tuning(states: dict[str, Any]) -> dict[str, Any]:
    """The request of the task that starts the tuning job, wherever in the machine it is."""
    inner = [branch["States"] for state in states.values() for branch in state.get("Branches", [])]
    for level in (states, *inner):
        for state in level.values():
            if CREATE in state.get("Resource", ""):
                return state["Arguments"]
    raise AssertionError(f"no task has {CREATE}")


def apostrophe(template: Template) -> None:
    _resource(template, "AWS::EC2::SecurityGroup")["SecurityGroupEgress"][0]["Description"] = "AWS's services"


def next_to_nowhere(template: Template) -> None:
    def change(states: dict[str, Any]) -> None:
        next(state for state in states.values() if "Next" in state)["Next"] = "Nowhere"

    _in_machine(template, change)


def strategy_bayes(template: Template) -> None:
    _in_machine(
        template, lambda states: _tuning(states)["HyperParameterTuningJobConfig"].update(Strategy="Bayes")
    )


def misspelt_field(template: Template) -> None:
    _in_machine(
        template,
        lambda states: _tuning(states)["TrainingJobDefinition"].update(EnableManagedSpotTrainig=True),
    )


def too_many_retries(template: Template) -> None:
    def change(states: dict[str, Any]) -> None:
        _tuning(states)["TrainingJobDefinition"]["RetryStrategy"] = {"MaximumRetryAttempts": 31}

    _in_machine(template, change)


def long_description(template: Template) -> None:
    _resource(template, "AWS::EC2::SecurityGroup")["GroupDescription"] = "x" * 257


def curly_quotes(template: Template) -> None:
    _resource(template, "AWS::IAM::Role")["Description"] = "the \u201ctraining\u201d role"


def underscore_in_a_variant(template: Template) -> None:
    variants = _resource(template, "AWS::SageMaker::EndpointConfig")["ProductionVariants"]
    variants[0]["VariantName"] = "All_Traffic"


PLANTS = {
    apostrophe: "data",
    next_to_nowhere: "training",
    strategy_bayes: "training",
    misspelt_field: "training",
    too_many_retries: "training",
    long_description: "data",
    curly_quotes: "training",
    underscore_in_a_variant: "serving",
}


def finders(template: Template) -> dict[str, int]:
    """{judge: findings} for a template."""
    machines = definitions(template) if "Next" in json.dumps(template) else {}
    return {
        "cdk-preflight": len(findings(template)),
        "service models, resources": len(template_faults(template)),
        "service models, calls": sum(len(definition_faults(definition)) for definition in machines.values()),
    }


@pytest.mark.parametrize(
    ("plant", "part"), PLANTS.items(), ids=lambda value: getattr(value, "__name__", value)
)
def test_a_planted_fault_is_found(
    plant: Plant, part: str, record_property: Callable[[str, str], None]
) -> None:
    template = deepcopy(_templates()[f"bincount-prod-{part}"])
    before = finders(template)
    plant(template)
    awake = [judge for judge, count in finders(template).items() if count > before[judge]]
    record_property("found by", ", ".join(awake))
    print(f"{plant.__name__}: {', '.join(awake)}")
    assert awake

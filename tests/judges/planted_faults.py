"""Faults that are planted into what is deployed, to see that the judges find them."""

import json
from collections.abc import Callable
from typing import Any

from tests.judges.aws_tasks import states_of
from tests.judges.resolved import Stack

Change = Callable[[dict[str, Any]], None]
_CREATE = ":createHyperParameterTuningJob"


def apostrophe(stack: Stack) -> None:
    """EC2 takes none in the description of a rule: the whole stack is rolled back."""
    _resource(stack, "AWS::EC2::SecurityGroup")["SecurityGroupEgress"][0]["Description"] = "AWS's services"


def next_to_nowhere(stack: Stack) -> None:
    """The state that would follow does not exist."""

    def change(definition: dict[str, Any]) -> None:
        next(state for state in definition["States"].values() if "Next" in state)["Next"] = "Nowhere"

    _in_machine(stack, change)


def strategy_bayes(stack: Stack) -> None:
    """It is called Bayesian."""
    _in_tuning(stack, lambda asked: asked["HyperParameterTuningJobConfig"].update(Strategy="Bayes"))


def misspelt_field(stack: Stack) -> None:
    """A letter is missing."""
    _in_tuning(stack, lambda asked: asked["TrainingJobDefinition"].update(EnableManagedSpotTrainig=True))


def too_many_retries(stack: Stack) -> None:
    """SageMaker takes 30."""
    retries = {"RetryStrategy": {"MaximumRetryAttempts": 31}}
    _in_tuning(stack, lambda asked: asked["TrainingJobDefinition"].update(retries))


def long_description(stack: Stack) -> None:
    """EC2 takes 255 characters."""
    _resource(stack, "AWS::EC2::SecurityGroup")["GroupDescription"] = "x" * 257


def curly_quotes(stack: Stack) -> None:
    """IAM takes Latin-1 alone."""
    _resource(stack, "AWS::IAM::Role")["Description"] = "the \u201ctraining\u201d role"


def underscore_in_a_variant(stack: Stack) -> None:
    """SageMaker's names take hyphens."""
    variants = _resource(stack, "AWS::SageMaker::EndpointConfig")["ProductionVariants"]
    variants[0]["VariantName"] = "All_Traffic"


def partition_of_china(stack: Stack) -> None:
    """A right on something of another partition is a right on nothing."""
    for document in stack.policies.values():
        for statement in document["Statement"]:
            if str(statement.get("Resource", "")).startswith("arn:aws:"):
                statement["Resource"] = statement["Resource"].replace("arn:aws:", "arn:aws-cn:")
                return
    raise AssertionError("no statement on one ARN")


def intrinsic_in_a_wrong_place(stack: Stack) -> None:
    """CloudFormation takes no functions in what a resource depends on."""
    (name, *_) = stack.template["Resources"]
    stack.template["Resources"][name]["DependsOn"] = {"Ref": "AWS::StackName"}


def action_unknown_to_iam(stack: Stack) -> None:
    """The API is called HeadObject, the right GetObject."""
    rights = next(document for path, document in stack.policies.items() if "AssumeRole" not in path)
    rights["Statement"][0]["Action"] = "s3:HeadObject"


def undefined_variable(stack: Stack) -> None:
    """Nobody assigns it."""

    def change(definition: dict[str, Any]) -> None:
        states = [state for _, state in states_of(definition)]
        register = next(s for s in states if s.get("Resource", "").endswith(":createModelPackage"))
        register["Arguments"]["ModelPackageDescription"] = "{% $description %}"

    _in_machine(stack, change)


def field_of_a_wrong_type(stack: Stack) -> None:
    """SageMaker takes a structure there."""
    _in_tuning(stack, lambda asked: asked["TrainingJobDefinition"].update(StoppingCondition=3600))


PLANTS: dict[Callable[[Stack], None], str] = {
    apostrophe: "data",
    next_to_nowhere: "training",
    strategy_bayes: "training",
    misspelt_field: "training",
    too_many_retries: "training",
    long_description: "data",
    curly_quotes: "training",
    underscore_in_a_variant: "serving",
    partition_of_china: "training",
    intrinsic_in_a_wrong_place: "training",
    action_unknown_to_iam: "training",
    undefined_variable: "training",
    field_of_a_wrong_type: "training",
}
"""Plant -> the stack that it goes into."""


def _resource(stack: Stack, kind: str) -> dict[str, Any]:
    return next(r["Properties"] for r in stack.template["Resources"].values() if r["Type"] == kind)


def _in_machine(stack: Stack, change: Change) -> None:
    properties = next(
        resource["Properties"]
        for resource in stack.template["Resources"].values()
        if _CREATE in resource["Properties"].get("DefinitionString", "")
    )
    definition = json.loads(properties["DefinitionString"])
    change(definition)
    properties["DefinitionString"] = json.dumps(definition)


def _in_tuning(stack: Stack, change: Change) -> None:
    """In the request of the task that starts the tuning job."""

    def in_definition(definition: dict[str, Any]) -> None:
        change(next(s["Arguments"] for _, s in states_of(definition) if _CREATE in s.get("Resource", "")))

    _in_machine(stack, in_definition)

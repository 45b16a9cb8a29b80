"""The three rules that keep releases true on real AWS, where an emulator would forgive (DESIGN)."""

import json
import re
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_sagemaker as sagemaker
from aws_cdk.assertions import Match, Template

from infra.settings import STAGES
from infra.stage import SynthesisError, synthesize
from tests.infra.machines import Templates, machine_of, states_of

CONDITION = "AModelIsApproved"


@pytest.mark.parametrize("stage", STAGES)
def test_the_model_parameter_is_no_resource_with_a_value(templates: Templates, stage: str) -> None:
    """An update of such a resource (a tag is enough) would write `none` back and delete the endpoint."""
    for template in templates[stage].values():
        names = [
            resource["Properties"]["Name"]
            for resource in template.find_resources("AWS::SSM::Parameter").values()
        ]
        assert f"/bincount/{stage}/model" not in names
    templates[stage]["data"].has_resource_properties(
        "Custom::ParameterSeed", {"Name": f"/bincount/{stage}/model", "Value": "none"}
    )


@pytest.mark.parametrize("stage", STAGES)
def test_the_serving_stack_reads_the_approved_model_as_a_typed_parameter(
    templates: Templates, stage: str
) -> None:
    templates[stage]["serving"].has_parameter(
        "ApprovedModel",
        {"Type": "AWS::SSM::Parameter::Value<String>", "Default": f"/bincount/{stage}/model"},
    )


@pytest.mark.parametrize("stage", STAGES)
def test_no_image_and_no_model_crosses_stacks_as_an_export(templates: Templates, stage: str) -> None:
    """CloudFormation does not change an export in use: only what never changes may be one."""
    for template in templates[stage].values():
        exports = [
            json.dumps(output["Value"])
            for output in template.find_outputs("*").values()
            if "Export" in output
        ]
        for value in exports:
            assert re.search("Bucket|DataPrep|Key|Network", value), f"unexpected export {value}"


@pytest.mark.parametrize("stage", STAGES)
def test_every_endpoint_resource_is_under_the_condition(templates: Templates, stage: str) -> None:
    resources = templates[stage]["serving"].to_json()["Resources"]
    kinds = ("AWS::SageMaker::", "AWS::ApplicationAutoScaling::")
    under = [resource for resource in resources.values() if resource["Type"].startswith(kinds)]
    assert len(under) == 5
    assert {resource.get("Condition") for resource in under} == {CONDITION}


@pytest.mark.parametrize("stage", STAGES)
def test_nothing_outside_the_condition_refers_inside(templates: Templates, stage: str) -> None:
    template = templates[stage]["serving"].to_json()
    inside = {name for name, r in template["Resources"].items() if r.get("Condition") == CONDITION}
    outside = [r for name, r in template["Resources"].items() if name not in inside]
    assert not inside & set(_references([outside, template.get("Outputs", {})]))


def test_a_reference_that_may_dangle_fails_the_build() -> None:
    app = cdk.App()
    stack = cdk.Stack(app, "Dangling")
    parameter = cdk.CfnParameter(stack, "P", default="none")
    condition = cdk.CfnCondition(
        stack,
        "C",
        expression=cdk.Fn.condition_not(cdk.Fn.condition_equals(parameter.value_as_string, "none")),
    )
    group = sagemaker.CfnModelPackageGroup(stack, "Group", model_package_group_name="g")
    group.cfn_options.condition = condition
    cdk.CfnOutput(stack, "Out", value=group.ref)
    with pytest.raises(SynthesisError, match="W1001"):
        synthesize(app)


@pytest.mark.parametrize("stage", STAGES)
def test_the_release_keeps_the_parameters_when_it_updates_the_stack(templates: Templates, stage: str) -> None:
    release = machine_of(templates, stage, "release")
    arguments = release["States"]["UpdateStack"]["Arguments"]
    declared = set(templates[stage]["serving"].to_json()["Parameters"])
    assert arguments["UsePreviousTemplate"] is True
    assert {p["ParameterKey"] for p in arguments["Parameters"] if p["UsePreviousValue"]} == declared | {
        "BootstrapVersion"
    }


@pytest.mark.parametrize("stage", STAGES)
def test_an_approved_package_of_the_group_starts_the_release(templates: Templates, stage: str) -> None:
    templates[stage]["serving"].has_resource_properties(
        "AWS::Events::Rule",
        {
            "EventPattern": {
                "source": ["aws.sagemaker"],
                "detail-type": ["SageMaker Model Package State Change"],
                "detail": {
                    "ModelPackageGroupName": [f"bincount-{stage}"],
                    "ModelApprovalStatus": ["Approved"],
                },
            },
            "State": "ENABLED",
            "Targets": Match.any_value(),
        },
    )


@pytest.mark.parametrize("stage", STAGES)
def test_what_a_stack_says_to_an_update_is_read_by_the_function(templates: Templates, stage: str) -> None:
    """A busy stack is waited for (tests/unit/release): a second release must not undo the first."""
    states = states_of(templates, stage, "release")
    (catch,) = states["UpdateStack"]["Catch"]
    assert (catch["ErrorEquals"], catch["Next"]) == (["States.ALL"], "CheckEndpoint")
    assert list(catch["Assign"]) == ["update_error"]
    assert states["CheckEndpoint"]["Arguments"]["Payload"]["update_error"] == "{% $update_error %}"
    ways = {rule["Next"] for rule in states["IsServed"]["Choices"]}
    assert {"UpdateStack", "WaitForStack"} <= ways
    assert states["WaitForStack"]["Next"] == "CheckEndpoint"


@pytest.mark.parametrize("stage", STAGES)
def test_every_variable_is_assigned_before_anything_can_fail(templates: Templates, stage: str) -> None:
    """Step Functions rejects an expression that names a variable which was never assigned."""
    release = machine_of(templates, stage, "release")
    states = release["States"]
    assigned = set(states[release["StartAt"]]["Assign"])
    used = set(re.findall(r"\$([a-z_]+)\b(?!\()", json.dumps(states))) - {"states"}
    written = {name for state in states.values() for name in state.get("Assign", {})}
    assert used and used | written <= assigned


@pytest.mark.parametrize("stage", STAGES)
def test_a_bad_end_of_a_release_starts_the_machine_that_puts_things_back(
    templates: Templates, stage: str
) -> None:
    templates[stage]["serving"].has_resource_properties(
        "AWS::Events::Rule",
        {
            "EventPattern": {
                "source": ["aws.states"],
                "detail-type": ["Step Functions Execution Status Change"],
                "detail": {
                    "stateMachineArn": Match.any_value(),
                    "status": ["FAILED", "TIMED_OUT", "ABORTED"],
                },
            },
            "Targets": Match.any_value(),
        },
    )


@pytest.mark.parametrize("stage", STAGES)
def test_nothing_is_changed_before_the_journal_says_what_to_put_back(
    templates: Templates, stage: str
) -> None:
    states = states_of(templates, stage, "release")
    # The journal was written, or an ended execution's was read.
    assert _before(states, "WriteParameter") == {"WriteJournal", "RestorePreviousModel"}
    assert _before(states, "WriteJournal") == {"ShouldDeploy"}
    assert "former = :former" in states["WriteJournal"]["Arguments"]["UpdateExpression"]
    assert states["WriteJournal"]["Arguments"]["ConditionExpression"] == "holder = :me"


@pytest.mark.parametrize("stage", STAGES)
def test_no_execution_reports_a_restore_before_the_model_serves(templates: Templates, stage: str) -> None:
    states = states_of(templates, stage, "release")
    assert _before(states, "RejectPackage") == {"IsAnyToReject"}
    assert _before(states, "IsAnyToReject") == {"CheckPackages"}
    # The endpoint was compared, or a rollback's was: after its smoke test, or it served before.
    seen = {"IsServed", "SettleRollback", "RejectPackage", "ShouldDeploy"}
    assert _before(states, "CheckPackages") == seen
    # A write of an aborted release may land late: the endpoint is looked at again after a pause.
    assert _before(states, "WaitForLateWrites") == {"IsServed"}
    assert states["WaitForLateWrites"]["Next"] == "CheckEndpoint"
    assert _before(states, "HowDidItEnd") == {"ReleaseLock"}
    free = {"ShouldDeploy", "DidSmokeTestPass", "IsAnyToReject"}
    assert _before(states, "ReleaseLock") == free


@pytest.mark.parametrize("stage", STAGES)
def test_a_rollback_rejects_newer_packages_only_once_its_journal_says_so(
    templates: Templates, stage: str
) -> None:
    """What rejects them cannot be put back: from there on the only way is forward."""
    states = states_of(templates, stage, "release")
    kind = states["SettleRollback"]["Arguments"]["ExpressionAttributeValues"][":kind"]
    assert kind == {"S": "{% 'rolled back' %}"}
    # It was seen to serve: after the smoke test, or it served before.
    assert _before(states, "SettleRollback") == {"DidSmokeTestPass", "ShouldDeploy"}


@pytest.mark.parametrize("stage", STAGES)
def test_the_decider_never_writes_and_the_writer_never_decides(templates: Templates, stage: str) -> None:
    template = templates[stage]["serving"]
    reads, writes = _actions(template, "ReleaseStepRole"), _actions(template, "ReleaseRole")
    logs = {"logs:CreateLogStream", "logs:PutLogEvents"}
    assert all(re.match(r"\w+:(Get|List|Describe)", action) for action in reads - logs), reads
    changes = {action for action in writes if re.match("(ssm|cloudformation|sagemaker|dynamodb):", action)}
    assert changes == {
        "ssm:GetParameters",  # CloudFormation's, as the caller of UpdateStack
        "ssm:PutParameter",
        "cloudformation:UpdateStack",
        "sagemaker:UpdateModelPackage",
        "dynamodb:UpdateItem",
        "dynamodb:DeleteItem",
    }


@pytest.mark.parametrize("stage", STAGES)
def test_every_decision_of_the_function_has_a_state(templates: Templates, stage: str) -> None:
    """A word that no rule knows would end an execution as failed."""
    states = states_of(templates, stage, "release")
    known = {
        name: set(re.findall(r"decision = '([a-z ]+)'", json.dumps(state)))
        for name, state in states.items()
        if state["Type"] == "Choice"
    }
    said = {
        "IsLockFree": {"take", "wait", "nothing"},
        "ShouldDeploy": {"deploy", "settle", "finish", "restore", "done"},
        "IsServed": {"wait", "update", "settle", "smoke test", "restored", "restore"},
        "IsAnyToReject": {"reject", "done"},
    }
    assert {name: words for name, words in known.items() if words} == said
    assert {states[name]["Default"] for name in said} == {"Failed"}


@pytest.mark.parametrize("stage", STAGES)
def test_every_write_to_the_lock_is_conditional(templates: Templates, stage: str) -> None:
    states = states_of(templates, stage, "release")
    writes = [
        s for s in states.values() if re.search("dynamodb:(put|update|delete)Item", s.get("Resource", ""))
    ]
    assert len(writes) == 4
    assert all("holder" in write["Arguments"]["ConditionExpression"] for write in writes)


@pytest.mark.parametrize("stage", STAGES)
def test_a_release_that_waits_as_long_as_it_may_fits_into_one_history(
    templates: Templates, stage: str
) -> None:
    """Step Functions ends an execution at 25,000 events."""
    machine = machine_of(templates, stage, "release")
    states = machine["States"]
    seconds = states["WaitForLock"]["Seconds"]
    loop = ["CheckLock", "IsLockFree", "WaitForLock"]
    events = sum(5 if states[name]["Type"] == "Task" else 2 for name in loop)
    assert machine["TimeoutSeconds"] / seconds * events < 24_000


def _actions(template: Template, role: str) -> set[str]:
    """What the policies allow of the role whose logical id begins so."""
    policies = template.find_resources("AWS::IAM::Policy").values()
    of_role = [p["Properties"] for p in policies if p["Properties"]["Roles"][0]["Ref"].startswith(role)]
    listed = [
        statement["Action"] for policy in of_role for statement in policy["PolicyDocument"]["Statement"]
    ]
    return {action for each in listed for action in ([each] if isinstance(each, str) else each)}


def _before(states: dict[str, Any], wanted: str) -> set[str]:
    """The states that can lead to `wanted`."""

    def following(state: dict[str, Any]) -> set[str | None]:
        rules = state.get("Choices", []) + state.get("Catch", [])
        return {state.get("Next"), state.get("Default"), *(rule["Next"] for rule in rules)}

    return {name for name, state in states.items() if wanted in following(state)}


def _references(value: Any) -> list[str]:
    if isinstance(value, dict):
        found = [value["Ref"]] if "Ref" in value else []
        if "Fn::GetAtt" in value:
            found.append(value["Fn::GetAtt"][0])
        if isinstance(value.get("DependsOn"), list):
            found += value["DependsOn"]
        return found + [name for item in value.values() for name in _references(item)]
    if isinstance(value, list):
        return [name for item in value for name in _references(item)]
    return []

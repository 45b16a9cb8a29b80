"""Definitions that AWS refuses are refused here, in its words; those that it takes are taken."""

import json
from typing import Any

import pytest
from embedded_cloud.stepfunctions.definition import findings_of, invalid_definition

LAMBDA = "arn:aws:lambda:us-east-1:000000000000:function:count"
END = {"Type": "Pass", "End": True}


def machine(state: dict[str, Any], **members: Any) -> dict[str, Any]:
    """A machine of one state, which ends."""
    return {"StartAt": "A", "States": {"A": {"End": True, **state}}, **members}


def jsonata(state: dict[str, Any]) -> dict[str, Any]:
    """The same in JSONata."""
    return machine(state, QueryLanguage="JSONata")


def texts(definition: object) -> list[str]:
    """What is wrong with a definition."""
    text = definition if isinstance(definition, str) else json.dumps(definition)
    return [finding.text for finding in findings_of(text)]


def retried(**retrier: Any) -> dict[str, Any]:
    """A task with that retrier."""
    return machine(
        {"Type": "Task", "Resource": LAMBDA, "Retry": [{"ErrorEquals": ["States.ALL"], **retrier}]}
    )


def sdk(action: str, parameters: dict[str, Any]) -> dict[str, Any]:
    """A machine that calls an API."""
    resource = f"arn:aws:states:::aws-sdk:{action}"
    return machine({"Type": "Task", "Resource": resource, "Parameters": parameters})


def mapped(processor: dict[str, Any], **members: Any) -> dict[str, Any]:
    """A machine with a Map over that processor."""
    return machine({"Type": "Map", "ItemProcessor": processor, **members})


class TestWays:
    def test_a_way_to_no_state_and_a_state_without_a_way(self):
        states = {"pass1": {"Type": "Pass", "Next": "pass3"}, "pass2": END}
        # The words of AWS's own answer to this definition (localstack issue 11978).
        assert invalid_definition(json.dumps({"StartAt": "pass1", "States": states})) == (
            "Invalid State Machine Definition: 'MISSING_TRANSITION_TARGET: Missing 'Next' target: pass3 at "
            '/States/pass1/Next, MISSING_TRANSITION_TARGET: State "pass2" is not reachable. '
            "at /States/pass2'"
        )

    def test_a_start_at_no_state(self):
        assert "MISSING_TRANSITION_TARGET: Missing 'Next' target: B at /StartAt" in texts(
            {"StartAt": "B", "States": {"A": END}}
        )

    def test_a_workflow_without_an_end(self):
        states = {"A": {"Type": "Pass", "Next": "B"}, "B": {"Type": "Pass", "Next": "A"}}
        found = texts({"StartAt": "A", "States": states})
        assert found == ["MISSING_END_STATE: Workflow has no terminal state at null"]

    @pytest.mark.parametrize("field", ["Default", "Choices", "Catch"])
    def test_every_kind_of_way_must_lead_to_a_state(self, field: str):
        rule = {"Variable": "$.n", "IsPresent": True, "Next": "B"}
        choice = {"Type": "Choice", "Choices": [rule], "Default": "B"}
        task: dict[str, Any] = {"Type": "Task", "Resource": LAMBDA, "Next": "B"}
        task["Catch"] = [{"ErrorEquals": ["States.ALL"], "Next": "Nowhere"}]
        if field == "Default":
            choice["Default"] = "Nowhere"
        if field == "Choices":
            rule["Next"] = "Nowhere"
        states = {"A": task if field == "Catch" else choice, "B": END}
        found = texts({"StartAt": "A", "States": states})
        assert any(text.startswith("MISSING_TRANSITION_TARGET: Missing 'Next' target: Now") for text in found)

    def test_ways_inside_a_branch_are_its_own(self):
        branch = {"StartAt": "In", "States": {"In": {"Type": "Pass", "Next": "A"}}}
        found = texts(machine({"Type": "Parallel", "Branches": [branch]}))
        assert any("Missing 'Next' target: A at /States/A/Branches[0]/States/In/Next" in t for t in found)

    def test_a_state_neither_ends_nor_goes_on(self):
        found = texts({"StartAt": "A", "States": {"A": {"Type": "Pass"}}})
        assert any("one of [End, Next]" in text for text in found)

    def test_a_name_is_there_once_in_the_whole_machine(self):
        found = texts(mapped({"StartAt": "A", "States": {"A": END}}))
        assert found == ["DUPLICATE_STATE_NAME: Duplicate State name: A at /States/A/ItemProcessor/States/A"]


class TestFields:
    @pytest.mark.parametrize("field", ["TimeoutSeconds", "Catch", "Retry"])
    @pytest.mark.parametrize("kind", ["Pass", "Wait"])
    def test_a_field_that_the_type_does_not_have(self, field: str, kind: str):
        value: Any = 5 if field == "TimeoutSeconds" else []
        state = {"Type": kind, field: value, **({"Seconds": 1} if kind == "Wait" else {})}
        # Seen on AWS for every such pair (floci issue 2735).
        assert texts(machine(state)) == [
            f"SCHEMA_VALIDATION_FAILED: Field '{field}' is not supported at /States/A"
        ]

    def test_an_unknown_type_of_state(self):
        assert "must be one of [Pass, Task" in texts(machine({"Type": "Sleep"}))[0]

    def test_an_unknown_member_of_the_machine(self):
        found = texts({**machine({"Type": "Pass"}), "Coment": "a typing error"})
        assert found == ["SCHEMA_VALIDATION_FAILED: Field 'Coment' is not supported at /"]

    @pytest.mark.parametrize("text", ["{", "[]", "", "null"])
    def test_what_is_no_object_in_json(self, text: str):
        assert texts(text)

    @pytest.mark.parametrize(
        "retrier",
        [
            {"MaxAttempts": 100_000_000},
            {"MaxAttempts": -1},
            {"MaxAttempts": 1.5},
            {"IntervalSeconds": 0},
            {"IntervalSeconds": 100_000_000},
            {"BackoffRate": 0.5},
            {"IntervalSeconds": 10, "MaxDelaySeconds": 10},
            {"MaxDelaySeconds": 31_622_400},
            {"JitterStrategy": "SOME"},
            {"Attempts": 3},
        ],
    )
    def test_a_retrier_out_of_bounds(self, retrier: dict[str, Any]):
        assert len(texts(retried(**retrier))) == 1

    def test_a_retrier_at_its_bounds(self):
        bounds = {"MaxAttempts": 99_999_999, "IntervalSeconds": 1, "BackoffRate": 1, "MaxDelaySeconds": 2}
        assert texts(retried(**bounds, JitterStrategy="FULL")) == []

    def test_states_all_is_alone_and_last(self):
        rules = [{"ErrorEquals": ["States.ALL"]}, {"ErrorEquals": ["Busy"]}]
        assert (
            "must be in the last element"
            in texts(machine({"Type": "Task", "Resource": LAMBDA, "Retry": rules}))[0]
        )
        assert "must appear alone" in texts(retried(ErrorEquals=["States.ALL", "Busy"]))[0]

    def test_a_wait_has_one_time(self):
        assert len(texts(machine({"Type": "Wait"}))) == 1
        assert len(texts(machine({"Type": "Wait", "Seconds": 1, "SecondsPath": "$.n"}))) == 1
        assert texts(machine({"Type": "Wait", "Seconds": 100_000_000})) != []


class TestQueryLanguages:
    def test_a_field_of_jsonata_under_jsonpath(self):
        # Seen on AWS (floci issue 2968).
        assert texts(machine({"Type": "Pass", "Output": "x"})) == [
            "SCHEMA_VALIDATION_FAILED: The QueryLanguage is set to 'JSONPath', but field 'Output' is only "
            "supported for the 'JSONata' QueryLanguage at /States/A"
        ]

    @pytest.mark.parametrize("field", ["InputPath", "OutputPath", "Parameters", "ResultPath"])
    def test_a_field_of_jsonpath_under_jsonata(self, field: str):
        assert "is only supported for the 'JSONPath'" in texts(jsonata({"Type": "Pass", field: "$"}))[0]

    def test_a_state_of_jsonpath_in_a_machine_of_jsonata(self):
        found = texts(jsonata({"Type": "Pass", "QueryLanguage": "JSONPath"}))
        assert "can not be 'JSONPath'" in found[0]

    def test_a_state_of_jsonata_in_a_machine_of_jsonpath(self):
        state = {"Type": "Pass", "QueryLanguage": "JSONata", "Output": "{% $states.input.n + 1 %}"}
        assert texts(machine(state)) == []

    def test_what_is_in_a_map_has_the_language_of_the_machine(self):
        inner = {"StartAt": "In", "States": {"In": {**END, "Output": "x"}}}
        found = texts(mapped(inner, QueryLanguage="JSONata"))
        assert "/States/A/ItemProcessor/States/In" in found[0]

    @pytest.mark.parametrize("expression", ["1 +", "a[1,2)", '"unterminated', '{"a":}', "$x :="])
    def test_an_expression_that_cannot_be_read(self, expression: str):
        found = texts(jsonata({"Type": "Pass", "Output": {"v": f"{{% {expression} %}}"}}))
        assert len(found) == 1
        assert found[0].startswith("INVALID_JSONATA_EXPRESSION")
        assert found[0].endswith("at /States/A/Output/v")

    def test_a_result_before_there_is_one(self):
        task = {"Type": "Task", "Resource": LAMBDA, "Arguments": {"n": "{% $states.result.n %}"}}
        assert texts(jsonata(task))[0].startswith("UNSUPPORTED_JSONATA_EXPRESSION")
        assert texts(jsonata({**task, "Arguments": {}, "Output": "{% $states.result.n %}"})) == []

    def test_an_error_outside_of_a_catcher(self):
        output = "{% $states.errorOutput.Cause %}"
        assert texts(jsonata({"Type": "Pass", "Output": output}))[0].startswith("UNSUPPORTED_JSONATA")
        catch = [{"ErrorEquals": ["States.ALL"], "Next": "A", "Output": output}]
        assert texts(jsonata({"Type": "Task", "Resource": LAMBDA, "Catch": catch})) == []

    @pytest.mark.parametrize(
        ("expression", "name"),
        [("phone", "phone"), ("$string(a.b)", "a"), ("[1, $$]", "$$"), ("$x ? {'k': z} : 1", "z")],
    )
    def test_a_name_without_a_context(self, expression: str, name: str):
        # Seen on AWS (floci issue 2670), where no expression has a context of its own.
        found = texts(jsonata({"Type": "Pass", "Output": {"v": f"{{% {expression} %}}"}}))
        assert found == [
            f"UNSUPPORTED_JSONATA_EXPRESSION: Reference to '{name}' at the top level is not supported. "
            "at /States/A/Output/v"
        ]

    @pytest.mark.parametrize(
        "expression",
        [
            "$states.input.bins[count = 3].id",
            "$map($states.input, function($bin) { $bin.id })",
            "($n := $states.input.n; $n + 1)",
            "$states.input.bins^(>count).id",
            "$states.input ~> $count",
            "$exists($states.input.a) and $states.input.b ? 'yes' : null",
        ],
    )
    def test_names_in_a_context(self, expression: str):
        assert texts(jsonata({"Type": "Pass", "Output": f"{{% {expression} %}}"})) == []

    def test_a_path_that_is_none(self):
        found = texts(machine({"Type": "Pass", "Parameters": {"n.$": "n"}}))
        assert found == [
            "SCHEMA_VALIDATION_FAILED: The value for the field 'n.$' must be a valid JSONPath or a valid "
            "intrinsic function call at /States/A/Parameters/n.$"
        ]
        assert texts(machine({"Type": "Pass", "InputPath": "n"})) != []


class TestResources:
    @pytest.mark.parametrize(
        "resource",
        [
            "count",
            "arn:aws:s3:::bins",
            "arn:aws:states:::lambda:call",
            "arn:aws:states:::sagemaker:deleteEndpoint",
            "arn:aws:states:::sagemaker:createModel.sync",
            "arn:aws:states:::aws-sdk:sagemaker:createTuningJob",
            "arn:aws:states:::aws-sdk:sagemaker:DescribeEndpoint",
            "arn:aws:states:::aws-sdk:stepfunctions:startExecution",
            "arn:aws:states:::aws-sdk:nobody:getThing",
        ],
    )
    def test_a_resource_that_aws_does_not_know(self, resource: str):
        found = texts(machine({"Type": "Task", "Resource": resource}))
        assert len(found) == 1
        assert f"The resource provided {resource} is not recognized" in found[0]

    @pytest.mark.parametrize(
        "resource",
        [
            LAMBDA,
            "arn:aws:states:::lambda:invoke.waitForTaskToken",
            "arn:aws:states:::sagemaker:createTransformJob.sync",
            "arn:aws:states:::states:startExecution.sync:2",
            "arn:aws:states:::aws-sdk:sfn:startExecution",
            "arn:aws:states:::aws-sdk:cloudwatchlogs:createLogGroup",
            "arn:aws:states:us-east-1:000000000000:activity:person",
        ],
    )
    def test_a_resource_that_aws_knows(self, resource: str):
        assert texts(machine({"Type": "Task", "Resource": resource})) == []

    def test_a_parameter_that_the_api_does_not_have(self):
        found = texts(sdk("sagemaker:describeEndpoint", {"EndpointName": "e", "Verbose": True}))
        assert found == [
            "SCHEMA_VALIDATION_FAILED: The field 'Verbose' is not supported by Step Functions at "
            "/States/A/Parameters"
        ]

    def test_a_parameter_in_the_apis_own_camel_case(self):
        assert len(texts(sdk("sfn:startExecution", {"stateMachineArn": "arn"}))) == 1
        assert texts(sdk("sfn:startExecution", {"StateMachineArn.$": "$.arn"})) == []

    def test_a_parameter_far_inside(self):
        container = {"Image": "i", "Url": "s3://b/k"}
        found = texts(sdk("sagemaker:createModel", {"ModelName": "m", "PrimaryContainer": container}))
        assert "The field 'Url' is not supported" in found[0]
        assert found[0].endswith("at /States/A/Parameters/PrimaryContainer")

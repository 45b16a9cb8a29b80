"""What JSON services of the embedded cloud refuse before they act, by AWS's own description of them."""

import json
from typing import Any

import pytest
from embedded_cloud.errors import AwsError
from embedded_cloud.request_checks.json_requests import SERVICES, check_json

PARAMETER = {"Name": "/a", "Value": "x", "Type": "String"}
BUDGET = {"BudgetName": "b", "BudgetType": "COST", "TimeUnit": "MONTHLY"}


def check(service: str, operation: str, request: Any) -> None:
    body = request if isinstance(request, bytes) else json.dumps(request).encode()
    check_json(SERVICES[service], operation=operation, body=body)


@pytest.mark.parametrize(
    ("service", "operation", "request_", "code", "words"),
    [
        ("ssm", "PutParameter", {**PARAMETER, "Value": ""}, "ValidationException", "Value '' at 'value'"),
        ("ssm", "PutParameter", {**PARAMETER, "Value": "x" * 4097}, "ValidationException", "Standard tier"),
        ("ssm", "PutParameter", {**PARAMETER, "Type": "Text"}, "ValidationException", "enum value set"),
        ("ssm", "PutParameter", {"Value": "x"}, "ValidationException", 'Missing required parameter.*"Name"'),
        ("ssm", "GetParameters", {"Names": ["x"] * 11}, "ValidationException", "less than or equal to 10"),
        ("ssm", "PutParameter", b"{", "SerializationException", "not JSON"),
        ("events", "PutRule", {"Name": "a b"}, "ValidationException", "regular expression pattern"),
        ("logs", "CreateLogGroup", {"logGroupName": "a b"}, "InvalidParameterException", "logGroupName"),
        ("dynamodb", "DescribeTable", {"TableName": ""}, "ValidationException", "TableName"),
        ("states", "DescribeExecution", {"executionArn": 3}, "ValidationException", "executionArn"),
        ("kms", "CreateAlias", {"AliasName": "a b", "TargetKeyId": "k"}, "ValidationException", "aliasName"),
        (
            "budgets",
            "CreateBudget",
            {
                "AccountId": "000000000000",
                "Budget": {**BUDGET, "BudgetLimit": {"Amount": "x", "Unit": "USD"}},
            },
            "InvalidParameterException",
            "budgetLimit.amount",
        ),
    ],
)
def test_a_breach_of_the_description_is_an_error(
    service: str, operation: str, request_: Any, code: str, words: str
) -> None:
    with pytest.raises(AwsError, match=words) as caught:
        check(service, operation, request_)
    assert caught.value.code == code


@pytest.mark.parametrize(
    ("service", "operation", "request_"),
    [
        ("ssm", "PutParameter", {**PARAMETER, "Value": "x" * 4096}),
        ("ssm", "PutParameter", {**PARAMETER, "Value": "x" * 8192, "Tier": "Advanced"}),
        ("ssm", "PutParameter", {**PARAMETER, "KeyId": None, "Unknown": 1}),
        ("dynamodb", "GetItem", {"TableName": "abc", "Key": {"id": {"S": "x"}, "raw": {"B": "eHg="}}}),
        (
            "events",
            "PutEvents",
            {"Entries": [{"Source": "a", "DetailType": "b", "Detail": "{}", "Time": 1.5}]},
        ),
        ("ecr", "DescribeRepositories", {}),
    ],
)
def test_what_aws_takes_passes(service: str, operation: str, request_: Any) -> None:
    check(service, operation, request_)

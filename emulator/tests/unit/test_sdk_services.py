"""Services, members and errors have the names that Step Functions gives them."""

from typing import Any

import pytest
from embedded_cloud.stepfunctions.tasks.sdk_services import pascal_case, sdk_service, to_request, to_result


def operation(service: str, action: str) -> Any:
    """The model of an action that is there."""
    known = sdk_service(service)
    assert known is not None
    found = known.operation(action)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("name", "error", "expected"),
    [
        ("sfn", "ExecutionDoesNotExist", "Sfn.ExecutionDoesNotExistException"),
        ("ssm", "ParameterNotFound", "Ssm.ParameterNotFoundException"),
        ("sagemaker", "ResourceLimitExceeded", "SageMaker.ResourceLimitExceededException"),
        ("sagemaker", "ValidationException", "SageMaker.SageMakerException"),
        (
            "dynamodb",
            "ConditionalCheckFailedException",
            "DynamoDb.ConditionalCheckFailedException",
        ),
        ("s3", "NoSuchKey", "S3.NoSuchKeyException"),
        ("cloudwatch", "ResourceNotFound", "CloudWatch.ResourceNotFoundException"),
        ("iam", "Whatever", "Iam.IamException"),
    ],
)
def test_errors_are_named_after_the_java_sdk(name: str, error: str, expected: str):
    service = sdk_service(name)
    assert service is not None
    assert service.error_name(error) == expected


@pytest.mark.parametrize("name", ["stepfunctions", "logs", "events", "nobody", "sagemaker-runtime"])
def test_botos_own_names_are_no_services(name: str):
    assert sdk_service(name) is None


def test_members_are_turned_into_the_apis_and_back():
    start = operation("sfn", "startExecution")
    request = {"StateMachineArn": "arn", "Input": "{}"}
    assert to_request(request, start.input_shape) == {"stateMachineArn": "arn", "input": "{}"}
    described = operation("sfn", "describeExecution").output_shape
    assert to_result({"inputDetails": {"included": True}}, described) == {"InputDetails": {"Included": True}}


def test_keys_of_maps_are_left_alone():
    shape = operation("sagemaker", "createTrainingJob").input_shape
    request = {"HyperParameters": {"learning-rate": "1"}}
    assert to_request(request, shape) == request


@pytest.mark.parametrize(
    ("given", "expected"), [("API Gateway", "ApiGateway"), ("DynamoDB", "DynamoDb"), ("S3", "S3")]
)
def test_names_are_split_into_words(given: str, expected: str):
    assert pascal_case(given) == expected

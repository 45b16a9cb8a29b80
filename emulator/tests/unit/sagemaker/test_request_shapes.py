"""Requests are held to AWS's own model of its API."""

from typing import Any

import pytest
from embedded_cloud.errors import AwsError
from embedded_cloud.sagemaker.shapes import shapes_of

TUNING: dict[str, Any] = {
    "HyperParameterTuningJobName": "tune",
    "HyperParameterTuningJobConfig": {"Strategy": "Random", "ResourceLimits": {"MaxParallelTrainingJobs": 1}},
}


def refused(operation: str, request: dict[str, Any]) -> str:
    with pytest.raises(AwsError) as caught:
        shapes_of("sagemaker").validate(operation=operation, request=request)
    assert caught.value.code == "ValidationException"
    return caught.value.message


def test_a_request_within_the_limits_passes():
    shapes_of("sagemaker").validate(operation="CreateHyperParameterTuningJob", request=TUNING)


def test_a_tuning_job_name_of_33_characters_is_aws_error():
    request = {**TUNING, "HyperParameterTuningJobName": "x" * 33}
    assert refused("CreateHyperParameterTuningJob", request) == (
        f"1 validation error detected: Value '{'x' * 33}' at 'hyperParameterTuningJobName' failed to satisfy "
        "constraint: Member must have length less than or equal to 32"
    )


def test_a_missing_member_is_named():
    assert "HyperParameterTuningJobConfig" in refused(
        "CreateHyperParameterTuningJob", {"HyperParameterTuningJobName": "tune"}
    )


def test_a_wrong_type_is_named():
    request = {**TUNING, "HyperParameterTuningJobName": 3}
    assert "HyperParameterTuningJobName" in refused("CreateHyperParameterTuningJob", request)


def test_a_member_that_does_not_exist_is_named():
    assert "Banana" in refused("DescribeEndpoint", {"EndpointName": "e", "Banana": 1})


def test_a_value_outside_the_enumeration_is_an_error_with_the_choices():
    request = {
        **TUNING,
        "HyperParameterTuningJobConfig": {**TUNING["HyperParameterTuningJobConfig"], "Strategy": "Luck"},
    }
    assert "satisfy enum value set: [Bayesian, Random, Hyperband, Grid]" in refused(
        "CreateHyperParameterTuningJob", request
    )


def test_a_name_with_an_underscore_breaks_the_pattern():
    assert "regular expression pattern" in refused("DescribeEndpoint", {"EndpointName": "no_underscore"})


def test_a_pattern_that_python_cannot_read_holds_nothing_back():
    shapes_of("application-autoscaling").validate(
        operation="DescribeScalableTargets",
        request={"ServiceNamespace": "sagemaker", "ResourceIds": ["endpoint/e"]},
    )


def test_an_answer_holds_the_members_of_its_shape_and_no_others():
    record = {"EndpointName": "e", "EndpointArn": "arn", "_settled": object(), "FailureReason": None}
    answer = shapes_of("sagemaker").answer(operation="DescribeEndpoint", record=record)
    assert answer == {"EndpointName": "e", "EndpointArn": "arn"}


def test_cloudformation_text_becomes_numbers_and_truth_values():
    properties = {
        "ProductionVariants": [
            {"VariantName": "AllTraffic", "InitialInstanceCount": "2", "InitialVariantWeight": "1"}
        ],
        "EnableNetworkIsolation": "true",
    }
    coerced = shapes_of("sagemaker").coerce(operation="CreateEndpointConfig", properties=properties)
    assert coerced["ProductionVariants"][0]["InitialInstanceCount"] == 2
    assert coerced["ProductionVariants"][0]["InitialVariantWeight"] == 1.0
    assert coerced["EnableNetworkIsolation"] is True

"""What AWS answers to a release's questions, in boto3's form, and what starts an execution."""

from datetime import UTC, datetime, timedelta
from typing import Any

Facts = dict[str, Any]

NOW = datetime(2026, 11, 27, 12, 0, tzinfo=UTC)
ME = "arn:aws:states:us-east-1:1:execution:bincount-dev-release:me"
OTHER = "arn:aws:states:us-east-1:1:execution:bincount-dev-release:other"
GROUP = "arn:aws:sagemaker:us-east-1:1:model-package/bincount-dev"
OLD, NEW = "s3://bins/models/old/model.tar.gz", "s3://bins/models/new/model.tar.gz"
VERDICT = "s3://bins/evaluations/one/verdict.json"
MINUTE = 60_000


def arn(version: int) -> str:
    """The ARN of a model package."""
    return f"{GROUP}/{version}"


def approval(version: int = 2) -> Facts:
    """The registry's event."""
    return {"detail": {"ModelPackageArn": arn(version), "ModelApprovalStatus": "Approved"}}


def rollback(version: int = 1) -> Facts:
    """What `bincount models rollback` sends."""
    return {"rollback": {"model_package": arn(version)}}


def bad_end(execution: str = OTHER, *, started_by: str = "{}") -> Facts:
    """The event of an execution's end."""
    return {"detail": {"executionArn": execution, "status": "ABORTED", "input": started_by}}


def event(given: Facts, **variables: Any) -> Facts:
    """What the state machine hands to the function."""
    return {"me": ME, "input": given, **variables}


def aws_error(code: str = "ValidationException", message: str = "it is not there") -> Facts:
    """An error in the form of boto3."""
    return {"Error": {"Code": code, "Message": message}, "ResponseMetadata": {"HTTPStatusCode": 400}}


def package(version: int = 2, *, model: str = NEW, status: str = "Approved", verdict: str = VERDICT) -> Facts:
    """DescribeModelPackage."""
    evaluated = {"ContentType": "application/json", "S3Uri": verdict}
    return {
        "ModelPackageArn": arn(version),
        "ModelPackageVersion": version,
        "ModelApprovalStatus": status,
        "InferenceSpecification": {"Containers": [{"Image": "image", "ModelDataUrl": model}]},
        **({"ModelMetrics": {"ModelQuality": {"Statistics": evaluated}}} if verdict else {}),
    }


def approved(*versions: int) -> Facts:
    """ListModelPackages."""
    return {
        "ModelPackageSummaryList": [
            {"ModelPackageVersion": each, "ModelPackageArn": arn(each)} for each in versions
        ]
    }


def parameter(value: str = OLD) -> Facts:
    """GetParameter."""
    return {"Parameter": {"Name": "/bincount/dev/model", "Value": value}}


def stack(status: str = "UPDATE_COMPLETE") -> Facts:
    """DescribeStacks."""
    return {"Stacks": [{"StackName": "bincount-dev-serving", "StackStatus": status}]}


def execution(status: str, *, ended_seconds_ago: float | None = None) -> Facts:
    """DescribeExecution."""
    if ended_seconds_ago is None:
        return {"status": status}
    return {"status": status, "stopDate": NOW - timedelta(seconds=ended_seconds_ago)}


def journal(kind: str = "release", *, former: str = OLD, version: int = 2, holder: str = ME) -> Facts:
    """The lock's item of a release that has begun."""
    return {
        "id": "release",
        "holder": holder,
        "former": former,
        "package": arn(version),
        "kind": kind,
        "version": str(version),
    }

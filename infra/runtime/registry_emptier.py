"""Custom resource: deletes the packages of a model package group when the stack is destroyed.

SageMaker does not delete a group that holds packages, and CloudFormation does not empty it.
"""

from typing import Any

import boto3
from custom_resource import answer, log


def handler(event: dict[str, Any], context: object) -> None:
    """Answers CloudFormation; only Delete does anything."""
    answer(event, _apply, physical_id=f"packages-of-{event['ResourceProperties']['Group']}")


def _apply(request: str, properties: dict[str, Any]) -> None:
    if request != "Delete":
        return
    sagemaker = boto3.client("sagemaker")
    pages = sagemaker.get_paginator("list_model_packages").paginate(ModelPackageGroupName=properties["Group"])
    for package in [item for page in pages for item in page["ModelPackageSummaryList"]]:
        sagemaker.delete_model_package(ModelPackageName=package["ModelPackageArn"])
        log.info("deleted %s", package["ModelPackageArn"])

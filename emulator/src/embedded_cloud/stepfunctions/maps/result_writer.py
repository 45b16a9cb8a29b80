"""A Distributed Map's ResultWriter: the children's results as files in S3."""

import json
from typing import Any

_FILES = {"SUCCEEDED": "SUCCEEDED_0.json", "FAILED": "FAILED_0.json"}
_MEMBERS = {
    "ExecutionArn": "executionArn",
    "Input": "input",
    "InputDetails": "inputDetails",
    "Name": "name",
    "Output": "output",
    "OutputDetails": "outputDetails",
    "Error": "error",
    "Cause": "cause",
    "StartDate": "startDate",
    "StateMachineArn": "stateMachineArn",
    "Status": "status",
    "StopDate": "stopDate",
}


def write_results(
    *, children: list[dict[str, Any]], map_run_arn: str, bucket: str, prefix: str, s3: Any
) -> dict[str, Any]:
    """Writes manifest.json and a file for each outcome that occurred; returns what the state then puts out.

    `children` are ministack's records of the child executions.
    """
    folder = "/".join(part for part in (prefix.strip("/"), map_run_arn.rsplit(":", 1)[-1]) if part)
    listed: dict[str, list[dict[str, Any]]] = {"FAILED": [], "PENDING": [], "SUCCEEDED": []}
    for status, name in _FILES.items():
        rows = [_row(child) for child in children if child["status"] == status]
        if rows:
            content = json.dumps(rows).encode()
            s3.put_object(Bucket=bucket, Key=f"{folder}/{name}", Body=content, ContentType="application/json")
            listed[status].append({"Key": f"{folder}/{name}", "Size": len(content)})
    manifest = {"DestinationBucket": bucket, "MapRunArn": map_run_arn, "ResultFiles": listed}
    key = f"{folder}/manifest.json"
    s3.put_object(Bucket=bucket, Key=key, Body=json.dumps(manifest).encode(), ContentType="application/json")
    return {"MapRunArn": map_run_arn, "ResultWriterDetails": {"Bucket": bucket, "Key": key}}


def _row(child: dict[str, Any]) -> dict[str, Any]:
    row = {name: child[key] for name, key in _MEMBERS.items() if child.get(key) is not None}
    if child["status"] == "FAILED":
        row["RedriveStatus"] = "REDRIVABLE"
    return row

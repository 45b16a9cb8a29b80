"""Prints MLflow's own definition of the calls that bincount makes, out of an installed mlflow.

build/mlflow-venv/bin/python benchmarks/mlflow/definitions.py > tests/e2e/mlflow_calls_3.json
"""

import json
from importlib.metadata import PackageNotFoundError, version

from google.protobuf.descriptor import Descriptor, FieldDescriptor
from mlflow.protos import databricks_pb2, mlflow_artifacts_pb2, service_pb2

TYPES = {
    FieldDescriptor.TYPE_DOUBLE: "number",
    FieldDescriptor.TYPE_INT64: "integer",
    FieldDescriptor.TYPE_INT32: "integer",
    FieldDescriptor.TYPE_BOOL: "truth",
    FieldDescriptor.TYPE_STRING: "text",
}
CALLS = {
    service_pb2: (
        "createExperiment",
        "getExperimentByName",
        "createRun",
        "updateRun",
        "deleteRun",
        "logBatch",
        "logInputs",
        "searchRuns",
        "getRun",
        "getMetricHistory",
        "listArtifacts",
    ),
    mlflow_artifacts_pb2: ("uploadArtifact", "downloadArtifact"),
}


def fields_of(message: Descriptor) -> dict[str, object]:
    """{name: type, or the members of a message}; a list has one element, `!` marks what must be there."""
    return {
        field.name + ("!" if _required(field) else ""): [_kind(field)] if _repeated(field) else _kind(field)
        for field in message.fields
    }


def _kind(field: object) -> object:
    if field.message_type:
        return fields_of(field.message_type)
    if field.enum_type:
        return "|".join(value.name for value in field.enum_type.values)
    return TYPES[field.type]


def _repeated(field: object) -> bool:
    return field.label == field.LABEL_REPEATED if hasattr(field, "label") else field.is_repeated


def _required(field: object) -> bool:
    return field.GetOptions().Extensions[databricks_pb2.validate_required]


calls = {}
for file in (service_pb2, mlflow_artifacts_pb2):
    for service in file.DESCRIPTOR.services_by_name.values():
        for method in service.methods:
            if method.name in CALLS[file]:
                endpoint = method.GetOptions().Extensions[databricks_pb2.rpc].endpoints[0]
                calls[f"{endpoint.method} /api/2.0{endpoint.path}"] = fields_of(method.input_type)
missing = sum(map(len, CALLS.values())) - len(calls)
assert not missing, f"{missing} calls of {CALLS} are not in this mlflow"
try:
    source = f"mlflow {version('mlflow')}"
except PackageNotFoundError:
    source = f"mlflow-skinny {version('mlflow-skinny')}"
print(json.dumps({"source": f"{source}, mlflow/protos/*.proto (Apache-2.0)", "calls": calls}, indent=1))

"""`arn:aws:states:::aws-sdk:<service>:<action>`: any operation of a service, as Step Functions calls it."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, cast

from botocore import xform_name
from botocore.exceptions import ClientError, ParamValidationError
from botocore.response import StreamingBody

from local.aws import Aws
from local.stepfunctions.task_context import current

FailTask = Callable[[str, str], Exception]
# Step Functions names errors after the classes of the AWS SDK for Java 2.
SDK_SERVICES = {
    "cloudformation": "CloudFormation",
    "s3": "S3",
    "sagemaker": "SageMaker",
    "sfn": "Sfn",
    "ssm": "Ssm",
}
_BOTO_NAMES = {"sfn": "stepfunctions"}
# Services whose API writes members in camelCase: a state machine writes them in PascalCase, as all others.
_CAMEL_CASE = ("sfn",)


class SdkTasks:
    """Runs such a task with boto3 against this cloud, with the state machine's role.

    `fail(error, cause)` makes the exception that fails a task.
    """

    def __init__(self, *, aws: Aws, fail: FailTask) -> None:
        self._aws = aws
        self._fail = fail

    def __call__(self, resource: str, parameters: dict[str, Any]) -> dict[str, Any]:
        """The operation's answer with PascalCase members and ISO timestamps."""
        service, action = resource.split("aws-sdk:", 1)[1].split(":", 1)
        return self.call(service=service, action=action.split(".")[0], parameters=parameters)

    def call(self, *, service: str, action: str, parameters: dict[str, Any]) -> dict[str, Any]:
        """One operation, its name in camelCase."""
        client = self._aws.client(_BOTO_NAMES.get(service, service), role=current().role)
        operation = f"{action[:1].upper()}{action[1:]}"
        if operation not in client.meta.service_model.operation_names:
            raise self._fail("States.Runtime", f"The service {service} has no action {action}.")
        if service in _CAMEL_CASE:
            parameters = {f"{key[:1].lower()}{key[1:]}": value for key, value in parameters.items()}
        try:
            answer = getattr(client, xform_name(operation))(**parameters)
        except ParamValidationError as error:
            raise self._fail(
                "States.Runtime", f"The Parameters of {action} cannot be used: {error}"
            ) from error
        except ClientError as error:
            raise self._fail(
                sdk_error_name(service=service, client=client, error=error), str(error)
            ) from error
        members = {key: value for key, value in answer.items() if key != "ResponseMetadata"}
        if service in _CAMEL_CASE:
            members = {f"{key[:1].upper()}{key[1:]}": value for key, value in members.items()}
        return as_json(members)


def sdk_error_name(*, service: str, client: Any, error: ClientError) -> str:
    """`CloudFormation.CloudFormationException` and the like: the service's own class, or its general one."""
    prefix = SDK_SERVICES[service]
    code = error.response["Error"]["Code"]
    shapes = {shape.error_code: shape.name for shape in client.meta.service_model.error_shapes}
    name = shapes.get(code)
    if name is None:
        return f"{prefix}.{prefix}Exception"
    return f"{prefix}.{name if name.endswith('Exception') else f'{name}Exception'}"


def as_json(value: Any) -> Any:
    """An answer of boto3 as JSON values; times in ISO 8601 with milliseconds, UTC."""
    if isinstance(value, dict):
        return {key: as_json(item) for key, item in cast("dict[str, object]", value).items()}
    if isinstance(value, list):
        return [as_json(item) for item in cast("list[object]", value)]
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    if isinstance(value, StreamingBody):
        value = value.read()
    return value.decode("utf-8") if isinstance(value, bytes) else value

"""`arn:aws:states:::aws-sdk:<service>:<action>`: any operation of a service, as Step Functions calls it."""

from datetime import UTC, datetime
from typing import Any, cast

from botocore import xform_name
from botocore.exceptions import ClientError, ParamValidationError
from botocore.response import StreamingBody

from embedded_cloud.stepfunctions.tasks.context import Integration, current
from embedded_cloud.stepfunctions.tasks.sdk_services import (
    sdk_service,
    to_request,
    to_result,
    unknown_members,
)


class SdkTasks(Integration):
    """Runs such a task with boto3 against this cloud, with the state machine's role."""

    def __call__(self, resource: str, parameters: dict[str, Any]) -> dict[str, Any]:
        """The operation's answer with PascalCase members and ISO timestamps."""
        service, action = resource.split("aws-sdk:", 1)[1].split(":", 1)
        return self.call(service=service, action=action.split(".")[0], parameters=parameters)

    def call(self, *, service: str, action: str, parameters: dict[str, Any]) -> dict[str, Any]:
        """One operation, its name in camelCase."""
        known = sdk_service(service)
        operation = known.operation(action) if known else None
        if known is None or operation is None:
            raise self.fail("States.Runtime", f"The service {service} has no action {action}.")
        self._refuse_unknown(action, parameters, operation)
        client = self.aws.client(known.boto_name, role=current().role)
        request: dict[str, Any] = (
            to_request(parameters, operation.input_shape) if operation.input_shape else {}
        )
        try:
            answer = getattr(client, xform_name(operation.name))(**request)
        except ParamValidationError as error:
            raise self.fail(
                "States.Runtime", f"The Parameters of {action} cannot be used: {error}"
            ) from error
        except ClientError as error:
            raise self.fail(known.error_name(error.response["Error"]["Code"]), str(error)) from error
        members = {key: value for key, value in answer.items() if key != "ResponseMetadata"}
        shape = operation.output_shape
        return as_json(to_result(members, shape) if shape else members)

    def _refuse_unknown(self, action: str, parameters: dict[str, Any], operation: Any) -> None:
        """What only the running execution knows (a path to a whole object) is looked at here."""
        for path in unknown_members(parameters, operation.input_shape):
            message = f"The field {path.strip('/')!r} of the Parameters of {action} is not supported"
            raise self.fail("States.Runtime", f"{message} by Step Functions.")


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

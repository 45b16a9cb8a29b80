"""`arn:aws:states:::sagemaker:<action>` and `….sync`: the optimised integration with SageMaker."""

import json
import time
from typing import Any

from botocore import xform_name
from botocore.exceptions import ClientError, ParamValidationError

from embedded_cloud.stepfunctions.tasks.context import Integration, current
from embedded_cloud.stepfunctions.tasks.sdk_tasks import as_json

_ACTIONS = (
    "createTrainingJob",
    "createHyperParameterTuningJob",
    "createModel",
    "createEndpointConfig",
    "createEndpoint",
    "updateEndpoint",
    "createProcessingJob",
    "createTransformJob",
)
_JOBS = {
    "createTrainingJob": "TrainingJob",
    "createHyperParameterTuningJob": "HyperParameterTuningJob",
    "createTransformJob": "TransformJob",
    "createProcessingJob": "ProcessingJob",
}
_POLL_SECONDS = 0.3


class SageMakerTasks(Integration):
    """Starts what the task names and, for `.sync`, waits for its end; an abandoned task stops its job."""

    def __call__(self, resource: str, parameters: dict[str, Any]) -> dict[str, Any]:
        """The answer of the request, or for `.sync` the job's description once it has completed."""
        action, _, pattern = resource.rsplit(":", 1)[1].partition(".")
        if action not in _ACTIONS or (pattern == "sync" and action not in _JOBS):
            raise self.fail("States.Runtime", f"The resource provided {resource} is not recognized.")
        answer = self._request(action, parameters)
        if pattern != "sync":
            return answer
        kind = _JOBS[action]
        return self._wait(kind, parameters[f"{kind}Name"])

    def _wait(self, kind: str, name: str) -> dict[str, Any]:
        key, status = {f"{kind}Name": name}, f"{kind}Status"
        while True:
            description = self._request(f"describe{kind}", key)
            if description[status] == "Completed":
                return description
            if description[status] in ("Failed", "Stopped"):
                raise self.fail("States.TaskFailed", json.dumps(description))
            if current().abandoned and description[status] == "InProgress":
                self._request(f"stop{kind}", key)
                raise self.fail("States.TaskFailed", f"{kind} {name} was stopped with its task.")
            time.sleep(_POLL_SECONDS)

    def _request(self, action: str, parameters: dict[str, Any]) -> dict[str, Any]:
        client = self.aws.client("sagemaker", role=current().role)
        try:
            answer = getattr(client, xform_name(f"{action[:1].upper()}{action[1:]}"))(**parameters)
        except ParamValidationError as error:
            raise self.fail(
                "States.Runtime", f"The Parameters of {action} cannot be used: {error}"
            ) from error
        except ClientError as error:
            raise self.fail(_error_name(error), str(error)) from error
        return as_json({key: value for key, value in answer.items() if key != "ResponseMetadata"})


def _error_name(error: ClientError) -> str:
    """SageMaker's modelled errors by name, everything else as the integration's general error."""
    code = error.response["Error"]["Code"]
    if code in ("ResourceInUse", "ResourceLimitExceeded", "ResourceNotFound"):
        return f"SageMaker.{code}Exception"
    return "SageMaker.AmazonSageMakerException"

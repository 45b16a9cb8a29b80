"""The gate: the challenger and the champion on the same bins, then the registry, whichever way it went."""

from typing import Any

from aws_cdk import Stack
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from infra.names import Names
from infra.settings import Settings
from infra.shared.sagemaker_job import job_name, job_state
from infra.shared.state_language import any_fault

CONTENT_TYPES = ["image/jpeg", "image/png", "image/webp"]
FIGURES = ("accuracy", "rmse", "within_one", "coverage")


class Gate(Construct):
    """States of the pipeline; `start` is the first. Input: `dataset` and `candidate`.

    A refusal is an answer, not a fault: the execution succeeds with `verdict.accepted` false and its reasons,
    the package stands in the registry as Rejected, and nothing else changes. The execution fails only where
    there is no verdict.
    """

    def __init__(
        self, scope: Construct, id: str, *, settings: Settings, evaluation_job: dict[str, Any]
    ) -> None:
        super().__init__(scope, id)
        self._names = Names(settings.stage)
        self._approval = settings.release.approval
        self._partition = Stack.of(self).partition
        self.start = self._read_parameter("ReadEvaluationImage", "evaluation-image", "image")
        (
            self.start.next(self._read_parameter("ReadServingImage", "image", "serving_image"))
            .next(self._read_parameter("ReadChampion", "model", "champion"))
            .next(self._judge(evaluation_job))
            .next(self._read_verdict())
            .next(self._register())
            .next(
                sfn.Choice.jsonata(self, "IsAccepted", state_name="IsAccepted")
                .when(
                    sfn.Condition.jsonata("{% $states.input.verdict.accepted %}"),
                    sfn.Succeed(self, "Registered"),
                )
                .otherwise(sfn.Succeed(self, "Refused"))
            )
        )

    def _read_parameter(self, id: str, parameter: str, member: str) -> sfn.CustomState:
        return self._task(
            id,
            "aws-sdk:ssm:getParameter",
            {"Name": self._names.parameter(parameter)},
            f"{{'{member}': $states.result.Parameter.Value}}",
        )

    def _judge(self, request: dict[str, Any]) -> sfn.CustomState:
        state = job_state(
            partition=self._partition,
            kind="ProcessingJob",
            name=job_name(self._names.evaluation_jobs),
            request=request,
            keep={"evaluation": "$states.result.ProcessingOutputConfig.Outputs[0].S3Output.S3Uri"},
            error="EvaluationFailed",
            where="Its log is in /aws/sagemaker/ProcessingJobs. The input candidate judges the model again.",
        )
        return sfn.CustomState(self, "Evaluate", state_json={**state, "ResultPath": "$.evaluated"})

    def _read_verdict(self) -> sfn.CustomState:
        evaluation = "$states.input.evaluated.job.evaluation"
        path = f"$substringAfter({evaluation}, 's3://')"
        return self._task(
            "ReadVerdict",
            "aws-sdk:s3:getObject",
            {
                "Bucket": f"{{% $substringBefore({path}, '/') %}}",
                "Key": f"{{% $substringAfter({path}, '/') & '/verdict.json' %}}",
            },
            f"{{'evaluation': {evaluation}, 'verdict': $parse($states.result.Body)}}",
        )

    def _register(self) -> sfn.CustomState:
        status = {"automatic": "Approved", "manual": "PendingManualApproval"}[self._approval]
        verdict = "$states.input.verdict"
        doubts = f"$count({verdict}.needs_person)"
        accepted = f"({doubts} = 0 ? '{status}' : 'PendingManualApproval')"
        approval = f"({verdict}.accepted ? {accepted} : 'Rejected')"
        container = {
            "Image": "{% $states.input.serving_image %}",
            "ModelDataUrl": "{% $states.input.candidate.model_data %}",
        }
        quality = {
            "ContentType": "application/json",
            "S3Uri": "{% $states.input.evaluation & '/verdict.json' %}",
        }
        # A value may hold letters, digits, spaces and _.:/=+-@ only: the reasons stand in the description.
        properties = {
            "dataset_id": "{% $states.input.dataset.dataset_id %}",
            "training_job": "{% $states.input.candidate.training_job %}",
            "champion": "{% $states.input.champion %}",
            "verdict": f"{{% {verdict}.accepted ? 'accepted' : 'refused' %}}",
            "report": "{% $states.input.evaluation & '/report.html' %}",
            **{name: f"{{% $string({verdict}.challenger.metrics.{name}) %}}" for name in FIGURES},
        }
        words = (
            "'Trained by ' & $states.input.candidate.training_job & "
            f"({verdict}.accepted ? '. Accepted by the gate' & "
            f"({doubts} = 0 ? '.' : ', a person must decide: ' & $join({verdict}.needs_person, '; ')) "
            f": '. Refused by the gate: ' & $join({verdict}.reasons, '; '))"
        )
        return self._task(
            "Register",
            "aws-sdk:sagemaker:createModelPackage",
            {
                # The same in each attempt, so that a second one answers with the first one's package.
                "ClientToken": "{% $substring($hash($states.context.Execution.Id, 'SHA-256'), 0, 36) %}",
                "ModelPackageGroupName": self._names.model_package_group,
                "ModelPackageDescription": f"{{% $substring({words}, 0, 1024) %}}",
                "ModelApprovalStatus": f"{{% {approval} %}}",
                "InferenceSpecification": {
                    "Containers": [container],
                    "SupportedContentTypes": CONTENT_TYPES,
                    "SupportedResponseMIMETypes": ["application/json", "text/plain"],
                },
                "ModelMetrics": {"ModelQuality": {"Statistics": quality}},
                "CustomerMetadataProperties": properties,
            },
            f"{{'model_package': $states.result.ModelPackageArn, 'approval': {approval}}}",
        )

    def _task(self, id: str, action: str, arguments: dict[str, Any], adds: str) -> sfn.CustomState:
        """A JSONata task whose output is its input with the members of `adds` laid over."""
        state: dict[str, Any] = {
            "QueryLanguage": "JSONata",
            "Type": "Task",
            "Resource": f"arn:{self._partition}:states:::{action}",
            "Arguments": arguments,
            "Retry": any_fault(),
            "Output": f"{{% $merge([$states.input, {adds}]) %}}",
        }
        return sfn.CustomState(self, id, state_json=state)

"""The Serving stack: the image, the release, and the endpoint once a model is approved."""

from aws_cdk import CfnCondition, CfnOutput, CfnParameter, Fn, Stack
from aws_cdk import aws_ssm as ssm
from constructs import Construct

from infra.data.stack import DataStack
from infra.names import NO_MODEL, Names
from infra.serving.endpoint import EndpointRole, ModelEndpoint
from infra.serving.image import ServingImage
from infra.serving.quiet_alarm import QuietAlarm
from infra.serving.release.construct import Release
from infra.serving.release.update_and_smoke_test import MODEL_PARAMETER
from infra.serving.rollback_alarms import RollbackAlarms
from infra.settings import Settings
from infra.shared.functions import lambda_python
from infra.shared.logs import StageLogs


class ServingStack(Stack):
    """Image, endpoint under the Condition "a model is approved", release."""

    def __init__(
        self, scope: Construct, id: str, *, settings: Settings, data: DataStack, **kwargs: object
    ) -> None:
        super().__init__(scope, id, **kwargs)  # pyright: ignore[reportArgumentType]
        names = Names(settings.stage)
        image = ServingImage(self, "Image", settings=settings, key=data.key)
        self._publish("ImageParameter", names.parameter("image"), image.uri)
        self._publish("EvaluationImageParameter", names.parameter("evaluation-image"), image.evaluation_uri)
        model = CfnParameter(
            self,
            MODEL_PARAMETER,
            type="AWS::SSM::Parameter::Value<String>",
            default=names.parameter("model"),
            description="Names the SSM parameter that holds the approved model; only the release writes it",
        )
        is_approved = CfnCondition(
            self,
            "AModelIsApproved",
            expression=Fn.condition_not(Fn.condition_equals(model.value_as_string, NO_MODEL)),
        )
        role = EndpointRole(self, "EndpointRole", bucket=data.bucket, network=data.network)
        image.grant_pull(role)
        watch: RollbackAlarms | None = None
        if settings.serving.bake_seconds:  # without a bake time nobody looks at them
            watch = RollbackAlarms(self, "RollbackAlarms", settings=settings.serving, endpoint=names.endpoint)
            watch.grant_describe(role)
        # SageMaker would make this group itself, keep its lines without end and without the stage's key.
        logs = StageLogs(
            self,
            "EndpointLogs",
            days=settings.log_retention_days,
            key=data.key,
            name=f"/aws/sagemaker/Endpoints/{names.endpoint}",
        )
        model_endpoint = ModelEndpoint(
            self,
            "Model",
            settings=settings,
            data=data,
            image=image.uri,
            model_data=model.value_as_string,
            role=role,
            alarms=watch.names if watch else [],
            condition=is_approved,
        )
        # Both are there before the first instance starts and until the last one has ended.
        model_endpoint.endpoint.node.add_dependency(logs, *([watch] if watch else []))
        if settings.operations.quiet_hours:
            QuietAlarm(
                self, "QuietAlarm", names=names, hours=settings.operations.quiet_hours, condition=is_approved
            )
        runtime, _ = lambda_python()
        release = Release(
            self, "Release", settings=settings, bucket=data.bucket, runtime=runtime, key=data.key
        )
        CfnOutput(self, "EndpointName", value=names.endpoint)
        CfnOutput(self, "ReleaseArn", value=release.state_machine.state_machine_arn)

    def _publish(self, id: str, name: str, value: str) -> None:
        """A value that changes never crosses stacks as an export: it goes through an SSM parameter."""
        ssm.StringParameter(self, id, parameter_name=name, string_value=value)

"""What drift needs of a stage: function, job's role, state machine, schedule."""

from aws_cdk import Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_scheduler as scheduler
from aws_cdk import aws_scheduler_targets as scheduler_targets
from constructs import Construct

from infra.data.network import StageNetwork
from infra.data.stack import DataStack
from infra.monitoring.drift.definition import Job, drift_definition
from infra.names import VARIANT, Names, Prefix
from infra.packaging import lambda_package
from infra.settings import Settings
from infra.shared.functions import PackagedFunction, lambda_python
from infra.shared.grants import (
    grant_pull_serving_image,
    grant_read,
    grant_volume_encryption,
    grant_write,
    parameter_arn,
    sagemaker_arn,
)
from infra.shared.logs import StageLogs
from infra.shared.nag import explain_wildcards
from infra.shared.sagemaker_role import SageMakerRole, volume_key
from infra.shared.state_machine import StageStateMachine, StateMachineRole, Undelivered, machine_arn
from infra.shared.tags import job_tags

_ARCHITECTURE = "arm64"
_MEMORY_MIB = (
    3_008  # baseline and night with their features, and half a million random divisions' rows at a time
)


class ObserverRole(SageMakerRole):
    """Assumed by SageMaker for the processing jobs that observe a night's images."""

    def __init__(
        self, scope: Construct, id: str, *, names: Names, bucket: s3.IBucket, network: StageNetwork
    ) -> None:
        super().__init__(scope, id, log_groups="/aws/sagemaker/ProcessingJobs*", network=network)
        grant_read(self, bucket, Prefix.MODELS, Prefix.IMAGES, Prefix.NIGHTS)
        grant_write(self, bucket, Prefix.NIGHTS)
        grant_volume_encryption(self, bucket)
        grant_pull_serving_image(self, names=names)


class Drift(Construct):
    """Every night: a day's answers and images against the baseline of the model that gave them."""

    def __init__(self, scope: Construct, id: str, *, settings: Settings, data: DataStack) -> None:
        super().__init__(scope, id)
        names = Names(settings.stage)
        function = self._function(settings, data, names)
        role = ObserverRole(self, "ObserverRole", names=names, bucket=data.bucket, network=data.network)
        machine_role = StateMachineRole(self, "MachineRole", name=names.drift)
        pipeline = machine_arn(self, names.pipeline)
        machine = StageStateMachine(
            self,
            "StateMachine",
            name=names.drift,
            role=machine_role,
            definition=drift_definition(
                settings=settings,
                partition=Stack.of(self).partition,
                function=function.function_arn,
                pipeline=pipeline,
                job=_job(settings, data, role),
            ),
            settings=settings,
            key=data.key,
            logs_id="MachineLogs",
        )
        machine.grant_invoke_of(function)
        machine.grant_pass_role(role)
        jobs = f"{names.drift_jobs}*"
        machine.allow(
            *(f"sagemaker:{verb}" for verb in ("CreateProcessingJob", "DescribeProcessingJob", "AddTags")),
            on=[sagemaker_arn(self, "processing-job", jobs)],
        )
        explain_wildcards(machine_role, {f":processing-job/{jobs}": "jobs are named as they start"})
        machine.allow("ssm:GetParameter", on=[parameter_arn(self, names.parameter("evaluation-image"))])
        if settings.drift.starts_pipeline:
            machine.allow("states:StartExecution", on=[pipeline])
        scheduler.Schedule(
            self,
            "Schedule",
            schedule=scheduler.ScheduleExpression.expression(settings.drift.schedule),
            target=scheduler_targets.StepFunctionsStartExecution(  # pyright: ignore[reportArgumentType]
                machine,
                input=scheduler.ScheduleTargetInput.from_object({}),
                dead_letter_queue=Undelivered(self, "Undelivered", name=names.undelivered("drift")),
            ),
            description="Compares yesterday's answers and images with the model's baseline",
        )

    def _function(self, settings: Settings, data: DataStack, names: Names) -> PackagedFunction:
        runtime, python = lambda_python()
        drift, capture = settings.drift, settings.capture
        function = PackagedFunction(
            self,
            "Function",
            directory=lambda_package.build(
                package="monitoring",
                requirements="monitoring/requirements-drift.txt",
                architecture=_ARCHITECTURE,
                python=python,
            ),
            architecture=_ARCHITECTURE,
            handler="monitoring.drift.handler.handler",
            memory_mib=_MEMORY_MIB,
            bucket_name=data.bucket.bucket_name,
            environment={
                "CAPTURES": f"{Prefix.CAPTURE}{names.endpoint}/{VARIANT}/",
                "ENDPOINT": names.endpoint,
                "MOST_ANSWERS": str(drift.answers),
                "MOST_IMAGES": str(drift.images if capture.keeps_images else 0),
                "IMAGE_SHARE": str(capture.sampled_share),
                "NIGHTS_PER_ALARM": str(drift.nights_per_alarm),
            },
            runtime=runtime,
            log_group=StageLogs(self, "Logs", days=settings.log_retention_days, key=data.key),
        )
        grant_read(function.own_role, data.bucket, Prefix.CAPTURE, Prefix.BASELINES, Prefix.NIGHTS)
        grant_write(function.own_role, data.bucket, Prefix.NIGHTS)
        function.own_role.add_to_policy(
            iam.PolicyStatement(
                actions=["cloudwatch:PutMetricData"],
                resources=["*"],
                conditions={"StringEquals": {"cloudwatch:namespace": "BinCount"}},
            )
        )
        explain_wildcards(
            function.own_role, {"Resource::*": "PutMetricData knows no resources; its namespace bounds it"}
        )
        return function


def _job(settings: Settings, data: DataStack, role: ObserverRole) -> Job:
    return Job(
        role_arn=role.role_arn,
        tags=job_tags(settings),
        network=data.network.vpc_config(),
        volume_key=volume_key(data.key, instance_type=settings.drift.instance_type),
        output_key=data.key.key_arn if data.key else None,
    )

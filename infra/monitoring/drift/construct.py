"""What drift needs of a stage: function, job's role, state machine, schedule."""

from aws_cdk import Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_scheduler as scheduler
from aws_cdk import aws_scheduler_targets as scheduler_targets
from constructs import Construct

from infra.data.network import StageNetwork
from infra.data.stack import DataStack
from infra.monitoring.drift.definition import drift_definition, observation_job
from infra.names import VARIANT, Names, Prefix
from infra.settings import Settings
from infra.shared.grants import (
    grant_pull_serving_image,
    grant_read,
    grant_volume_encryption,
    grant_write,
    parameter_arn,
    sagemaker_arn,
)
from infra.shared.monitoring_function import MonitoringFunction
from infra.shared.nag import explain_wildcards
from infra.shared.sagemaker_role import SageMakerRole
from infra.shared.state_machine import StageStateMachine, StateMachineRole, Undelivered, machine_arn

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
                job=observation_job(settings=settings, data=data, role=role),
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

    def _function(self, settings: Settings, data: DataStack, names: Names) -> MonitoringFunction:
        drift, capture = settings.drift, settings.capture
        function = MonitoringFunction(
            self,
            "Function",
            part="drift",
            settings=settings,
            bucket=data.bucket,
            key=data.key,
            requirements="monitoring/requirements-drift.txt",
            memory_mib=_MEMORY_MIB,
            environment={
                "CAPTURES": f"{Prefix.CAPTURE}{names.endpoint}/{VARIANT}/",
                "ENDPOINT": names.endpoint,
                "MOST_ANSWERS": str(drift.answers),
                "MOST_IMAGES": str(drift.images if capture.keeps_images else 0),
                "IMAGE_SHARE": str(capture.sampled_share),
                "NIGHTS_PER_ALARM": str(drift.nights_per_alarm),
            },
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

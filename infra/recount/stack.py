"""The Recount stack: a state machine that counts a whole site, with its Lambda and its roles."""

from aws_cdk import CfnOutput, Stack
from aws_cdk import aws_s3 as s3
from constructs import Construct

from infra.data.network import StageNetwork
from infra.data.stack import DataStack
from infra.names import Names, Prefix
from infra.recount.definition import Isolation, recount_definition
from infra.settings import Settings
from infra.shared.functions import ClientFunction
from infra.shared.grants import (
    grant_pull_serving_image,
    grant_read,
    grant_read_address,
    grant_volume_encryption,
    grant_write,
    parameter_arn,
    sagemaker_arn,
)
from infra.shared.job_stopper import JobStopper
from infra.shared.logs import StageLogs
from infra.shared.nag import explain_wildcards
from infra.shared.sagemaker_role import SageMakerRole, volume_key
from infra.shared.state_machine import StageStateMachine, StateMachineRole
from infra.shared.tags import job_tags

RUN = f"{Prefix.RECOUNTS}*/"


class RecountRole(SageMakerRole):
    """Assumed by SageMaker for the models and transform jobs of this stage's recounts."""

    def __init__(
        self, scope: Construct, id: str, *, names: Names, bucket: s3.IBucket, network: StageNetwork
    ) -> None:
        super().__init__(scope, id, log_groups="/aws/sagemaker/TransformJobs*", network=network)
        grant_read(self, bucket, Prefix.MODELS, Prefix.SITES, RUN + "work/images.json")
        grant_write(self, bucket, RUN + "answers/")
        grant_volume_encryption(self, bucket)
        grant_pull_serving_image(self, names=names)


class RecountStack(Stack):
    """Lambda, transform role, state machine."""

    def __init__(
        self, scope: Construct, id: str, *, settings: Settings, data: DataStack, **kwargs: object
    ) -> None:
        super().__init__(scope, id, **kwargs)  # pyright: ignore[reportArgumentType]
        self._names = Names(settings.stage)
        function = self._function(settings, data)
        role = RecountRole(self, "Role", names=self._names, bucket=data.bucket, network=data.network)
        grant_read(function.own_role, data.bucket, Prefix.SITES, Prefix.RECOUNTS)
        grant_write(function.own_role, data.bucket, Prefix.RECOUNTS)
        for name in settings.recount.buckets:
            for reader in (function.own_role, role):
                grant_read_address(reader, f"s3://{name}/*", reason="the setting recount.buckets names it")
        machine = self._state_machine(settings, function, role, data)
        self._grant(machine, function, role, data.bucket)
        JobStopper(
            self,
            "Stopper",
            name=self._names.recount,
            jobs={"TransformJob": self._names.recount_jobs},
            settings=settings,
            key=data.key,
        )
        CfnOutput(self, "RecountArn", value=machine.state_machine_arn)

    def _function(self, settings: Settings, data: DataStack) -> ClientFunction:
        return ClientFunction(
            self,
            "Function",
            handler="bincount.recount.handler.handler",
            memory_mib=settings.recount.memory_mib,
            disk_mib=512,
            bucket_name=data.bucket.bucket_name,
            log_group=StageLogs(self, "Logs", days=settings.log_retention_days, key=data.key),
        )

    def _state_machine(
        self, settings: Settings, function: ClientFunction, role: RecountRole, data: DataStack
    ) -> StageStateMachine:
        definition = recount_definition(
            names=self._names,
            settings=settings.recount,
            partition=self.partition,
            function_arn=function.function_arn,
            role_arn=role.role_arn,
            tags=job_tags(settings),
            isolation=Isolation(
                vpc_config=data.network.vpc_config(),
                volume_key=volume_key(data.key, instance_type=settings.recount.instance_type),
                output_key=data.key.key_arn if data.key else None,
            ),
        )
        self._machine_role = StateMachineRole(self, "MachineRole", name=self._names.recount)
        return StageStateMachine(
            self,
            "StateMachine",
            name=self._names.recount,
            role=self._machine_role,
            definition=definition,
            settings=settings,
            key=data.key,
            logs_id="MachineLogs",
        )

    def _grant(
        self, machine: StageStateMachine, function: ClientFunction, role: RecountRole, bucket: s3.IBucket
    ) -> None:
        """What the definition's tasks need; CDK derives no rights from a definition that is text."""
        recounts = f"{self._names.recount_jobs}*"
        machine.grant_invoke_of(function)
        machine.grant_map_runs()
        grant_read(self._machine_role, bucket, RUN + "work/chunks.json", RUN + "work/map*")
        grant_write(self._machine_role, bucket, RUN + "work/map*")
        model, job = (sagemaker_arn(self, kind, recounts) for kind in ("model", "transform-job"))
        verbs = ("CreateTransformJob", "DescribeTransformJob", "AddTags")
        grants = [
            (
                ["ssm:GetParameter"],
                [parameter_arn(self, self._names.parameter(p)) for p in ("model", "evaluation-image")],
            ),
            ([f"sagemaker:{verb}Model" for verb in ("Create", "Describe", "Delete")], [model]),
            ([f"sagemaker:{verb}" for verb in verbs], [job]),
        ]
        named = "recounts, their models and jobs are named as they start"
        explain_wildcards(
            self._machine_role,
            {
                f":model/{recounts}": named,
                f":transform-job/{recounts}": named,
            },
        )
        for actions, resources in grants:
            machine.allow(*actions, on=resources)
        machine.grant_pass_role(role)

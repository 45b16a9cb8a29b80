"""Brings approved models to the endpoint: the registry's event starts the release state machine."""

from aws_cdk import Duration, RemovalPolicy, Stack
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_s3 as s3
from constructs import Construct

from infra.names import Names, Prefix
from infra.serving.release.definition import release_definition
from infra.settings import Settings
from infra.shared.functions import PlainFunction
from infra.shared.grants import grant_read, parameter_arn, sagemaker_arn
from infra.shared.logs import StageLogs
from infra.shared.nag import acknowledge, explain_wildcards
from infra.shared.state_machine import (
    StageStateMachine,
    StateMachineRole,
    Undelivered,
    bad_ends,
    executions_arn,
)


class Release(Construct):
    """State machine, lock, two functions, the two rules that start it, and exactly what each may do."""

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        settings: Settings,
        bucket: s3.IBucket,
        runtime: lambda_.Runtime,
        key: kms.Key | None,
    ) -> None:
        super().__init__(scope, id)
        self._names = Names(settings.stage)
        stack = Stack.of(self)
        self._settings, self._key = settings, key
        table = self._lock_table()
        smoke_test = self._smoke_test(bucket, runtime)
        step = self._step(table, runtime)
        definition = release_definition(
            names=self._names,
            settings=settings.release,
            partition=stack.partition,
            table=table.table_name,
            step_function=step.function_arn,
            smoke_function=smoke_test.function_arn,
        )
        role = StateMachineRole(self, "Role", name=self._names.release)
        self.state_machine = StageStateMachine(
            self,
            "StateMachine",
            name=self._names.release,
            role=role,
            definition=definition,
            settings=settings,
            key=key,
            logs_id="Logs",
        )
        table.grant(self.state_machine, "dynamodb:UpdateItem", "dynamodb:DeleteItem")
        for function in (step, smoke_test):
            self.state_machine.grant_invoke_of(function)
        self._grant_writes()
        self._undelivered = Undelivered(self, "Undelivered", name=self._names.undelivered("release"))
        self._on_approval()
        self._on_bad_end()

    def _lock_table(self) -> dynamodb.Table:
        """One item (lock.py), gone whenever no release runs."""
        table = dynamodb.Table(
            self,
            "Lock",
            partition_key=dynamodb.Attribute(name="id", type=dynamodb.AttributeType.STRING),
            billing_mode=dynamodb.BillingMode.PAY_PER_REQUEST,
            removal_policy=RemovalPolicy.DESTROY,
        )
        reason = "its one item is gone whenever no release runs: there is nothing to recover"
        acknowledge(table, rule="AwsSolutions-DDB3", reason=reason)
        return table

    def _smoke_test(self, bucket: s3.IBucket, runtime: lambda_.Runtime) -> lambda_.Function:
        log_group = StageLogs(self, "SmokeTestLogs", days=self._settings.log_retention_days, key=self._key)
        function = PlainFunction(
            self,
            "SmokeTest",
            module="smoke_test",
            runtime=runtime,
            log_group=log_group,
            timeout=Duration.minutes(2),
        )
        grant_read(function.own_role, bucket, Prefix.EVALUATIONS)
        endpoint = sagemaker_arn(self, "endpoint", self._names.endpoint)
        function.own_role.add_to_policy(
            iam.PolicyStatement(actions=["sagemaker:InvokeEndpoint"], resources=[endpoint])
        )
        return function

    def _step(self, table: dynamodb.Table, runtime: lambda_.Runtime) -> lambda_.Function:
        """What decides: it reads everything and writes nothing."""
        names = self._names
        function = PlainFunction(
            self,
            "Step",
            module="release_step",
            along=("release_plan", "release_outcome"),
            runtime=runtime,
            log_group=StageLogs(self, "StepLogs", days=self._settings.log_retention_days, key=self._key),
            timeout=Duration.minutes(2),
            memory_mib=256,
            environment={
                "TABLE": table.table_name,
                "PARAMETER": names.parameter("model"),
                "STACK": names.stack("serving"),
                "ENDPOINT": names.endpoint,
                "GROUP": names.model_package_group,
            },
        )
        table.grant(function.own_role, "dynamodb:GetItem")
        self._grant_reads(function.own_role)
        return function

    def _starts(self) -> targets.SfnStateMachine:
        """A rule's target; what cannot be delivered within a day waits in the queue."""
        return targets.SfnStateMachine(self.state_machine, dead_letter_queue=self._undelivered)

    def _on_approval(self) -> None:
        events.Rule(
            self,
            "OnApproval",
            description="A model package was approved: release it",
            event_pattern=events.EventPattern(
                source=["aws.sagemaker"],
                detail_type=["SageMaker Model Package State Change"],
                detail={
                    "ModelPackageGroupName": [self._names.model_package_group],
                    "ModelApprovalStatus": ["Approved"],
                },
            ),
            targets=[self._starts()],  # pyright: ignore[reportArgumentType]
        )

    def _on_bad_end(self) -> None:
        """Nothing inside an execution can act on its abort or timeout: another one puts things back."""
        events.Rule(
            self,
            "OnBadEnd",
            description="A release ended without success: put back what it left",
            event_pattern=bad_ends(self, self._names.release),
            targets=[self._starts()],  # pyright: ignore[reportArgumentType]
        )

    def _serving_stack(self) -> str:
        return Stack.of(self).format_arn(
            service="cloudformation", resource="stack", resource_name=f"{self._names.stack('serving')}/*"
        )

    def _grant_writes(self) -> None:
        """What the state machine changes; all of it is named."""
        names = self._names
        parameter = parameter_arn(self, names.parameter("model"))
        bootstrap = f"/cdk-bootstrap/{Stack.of(self).synthesizer.bootstrap_qualifier}/version"
        packages = sagemaker_arn(self, "model-package", f"{names.model_package_group}/*")
        grants = [
            # CloudFormation reads typed parameters as the caller of UpdateStack.
            (["ssm:GetParameters"], [parameter, parameter_arn(self, bootstrap)]),
            (["ssm:PutParameter"], [parameter]),
            (["cloudformation:UpdateStack"], [self._serving_stack()]),
            (["sagemaker:UpdateModelPackage"], [packages]),
        ]
        for actions, resources in grants:
            self.state_machine.allow(*actions, on=resources)
        explain_wildcards(self.state_machine.role, self._wildcards())

    def _grant_reads(self, role: iam.Role) -> None:
        """What the deciding function looks at."""
        names = self._names
        executions = executions_arn(self, f"{names.release}:*")
        grants = {
            "ssm:GetParameter": parameter_arn(self, names.parameter("model")),
            "cloudformation:DescribeStacks": self._serving_stack(),
            "sagemaker:DescribeModelPackage": sagemaker_arn(
                self, "model-package", f"{names.model_package_group}/*"
            ),
            "sagemaker:DescribeEndpoint": sagemaker_arn(self, "endpoint", names.endpoint),
            # CloudFormation names these two after the stack.
            "sagemaker:DescribeEndpointConfig": sagemaker_arn(self, "endpoint-config", "*"),
            "sagemaker:DescribeModel": sagemaker_arn(self, "model", "*"),
            "states:DescribeExecution": executions,
            "sagemaker:ListModelPackages": "*",  # it knows no resources
        }
        for action, resource in grants.items():
            role.add_to_policy(iam.PolicyStatement(actions=[action], resources=[resource]))
        unnamed = "CloudFormation names it, not after the stack"
        explain_wildcards(
            role,
            {
                **self._wildcards(),
                executions: "executions are named as they start",
                "Resource::*": "sagemaker:ListModelPackages knows no resources",
                ":endpoint-config/*": unnamed,
                ":model/*": unnamed,
            },
        )

    def _wildcards(self) -> dict[str, str]:
        names = self._names
        return {
            f":stack/{names.stack('serving')}/*": "a stack's ARN ends with an id of its own",
            f":model-package/{names.model_package_group}/*": "versions are numbered as they are registered",
        }

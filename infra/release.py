"""Brings approved models to the endpoint: the registry's event starts the release state machine."""

from aws_cdk import ArnFormat, Duration, RemovalPolicy, Stack
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_s3 as s3
from constructs import Construct

from infra.acknowledge import acknowledge
from infra.bucket_access import let_read
from infra.names import Names
from infra.plain_function import PlainFunction
from infra.release_definition import PHASES, STATUS_CHANGE, release_definition
from infra.settings import Settings
from infra.stage_logs import StageLogs
from infra.stage_state_machine import StageStateMachine
from infra.state_machine_role import StateMachineRole
from infra.undelivered import Undelivered
from infra.wildcards import explain_wildcards


class Release(Construct):
    """State machine, lock, smoke test, the two rules that start it, and exactly what it may do."""

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
        definition = release_definition(
            names=self._names,
            settings=settings.release,
            partition=stack.partition,
            table=table.table_name,
            smoke_function=smoke_test.function_arn,
        )
        role = StateMachineRole(self, "Role", name=self._names.release)
        self.state_machine = StageStateMachine(
            self,
            "StateMachine",
            name=self._names.release,
            role=role,
            definition=stack.to_json_string(definition),
            timeout=Duration.minutes(PHASES * settings.release.timeout_minutes),
            settings=settings,
            key=key,
            logs_id="Logs",
        )
        table.grant(
            self.state_machine,
            "dynamodb:GetItem",
            "dynamodb:PutItem",
            "dynamodb:UpdateItem",
            "dynamodb:DeleteItem",
        )
        smoke_test.grant_invoke(self.state_machine)
        explain_wildcards(role, {f"{smoke_test.function_arn}:*": "the CDK adds the function's versions"})
        self._grant(stack)
        self._undelivered = Undelivered(self, "Undelivered", name=self._names.undelivered("release"))
        self._on_approval()
        self._on_bad_end(stack)

    def _lock_table(self) -> dynamodb.Table:
        """One item (release_lock.py), gone whenever no release runs."""
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
        let_read(function.own_role, bucket, "evaluations/")
        endpoint = Stack.of(self).format_arn(
            service="sagemaker", resource="endpoint", resource_name=self._names.endpoint
        )
        function.own_role.add_to_policy(
            iam.PolicyStatement(actions=["sagemaker:InvokeEndpoint"], resources=[endpoint])
        )
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

    def _on_bad_end(self, stack: Stack) -> None:
        """Nothing inside an execution can act on its abort or timeout: another one puts things back."""
        machine = stack.format_arn(
            service="states",
            resource="stateMachine",
            resource_name=self._names.release,
            arn_format=ArnFormat.COLON_RESOURCE_NAME,
        )
        events.Rule(
            self,
            "OnBadEnd",
            description="A release ended without success: put back what it left",
            event_pattern=events.EventPattern(
                source=["aws.states"],
                detail_type=[STATUS_CHANGE],
                detail={"stateMachineArn": [machine], "status": ["FAILED", "TIMED_OUT", "ABORTED"]},
            ),
            targets=[self._starts()],  # pyright: ignore[reportArgumentType]
        )

    def _grant(self, stack: Stack) -> None:
        def arn(service: str, resource: str, name: str) -> str:
            return stack.format_arn(
                service=service,
                resource=resource,
                resource_name=name,
                arn_format=ArnFormat.SLASH_RESOURCE_NAME,
            )

        names = self._names
        parameter = arn("ssm", "parameter", names.parameter("model").removeprefix("/"))
        serving = arn("cloudformation", "stack", f"{names.stack('serving')}/*")
        bootstrap = arn("ssm", "parameter", f"cdk-bootstrap/{stack.synthesizer.bootstrap_qualifier}/version")
        arn_of_executions = stack.format_arn(
            service="states",
            resource="execution",
            resource_name=f"{names.release}:*",
            arn_format=ArnFormat.COLON_RESOURCE_NAME,
        )
        grants = [
            (["ssm:GetParameter", "ssm:GetParameters", "ssm:PutParameter"], [parameter]),
            # CloudFormation reads typed parameters as the caller of UpdateStack.
            (["ssm:GetParameters"], [bootstrap]),
            (["cloudformation:UpdateStack", "cloudformation:DescribeStacks"], [serving]),
            (
                ["sagemaker:DescribeModelPackage", "sagemaker:UpdateModelPackage"],
                [arn("sagemaker", "model-package", f"{names.model_package_group}/*")],
            ),
            (["sagemaker:ListModelPackages"], ["*"]),  # the action knows no resources
            (["states:DescribeExecution"], [arn_of_executions]),
            (["sagemaker:DescribeEndpoint"], [arn("sagemaker", "endpoint", names.endpoint)]),
            # CloudFormation names these two after the stack.
            (["sagemaker:DescribeEndpointConfig"], [arn("sagemaker", "endpoint-config", "*")]),
            (["sagemaker:DescribeModel"], [arn("sagemaker", "model", "*")]),
        ]
        for actions, resources in grants:
            self.state_machine.add_to_role_policy(iam.PolicyStatement(actions=actions, resources=resources))
        versions = "versions are numbered as they are registered"
        unnamed = "CloudFormation names it, not after the stack"
        explain_wildcards(
            self.state_machine.role,
            {
                f":stack/{names.stack('serving')}/*": "a stack's ARN ends with an id of its own",
                f":model-package/{names.model_package_group}/*": versions,
                arn_of_executions: "executions are named as they start",
                "Resource::*": "sagemaker:ListModelPackages knows no resources",
                ":endpoint-config/*": unnamed,
                ":model/*": unnamed,
            },
        )

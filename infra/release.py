"""Brings approved models to the endpoint: the registry's event starts the release state machine."""

from aws_cdk import ArnFormat, Duration, Stack
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_iam as iam
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from infra.names import Names
from infra.release_definition import release_definition
from infra.settings import Settings
from infra.stage_logs import StageLogs


class Release(Construct):
    """State machine, its rule, and exactly what it may do."""

    def __init__(self, scope: Construct, id: str, *, settings: Settings) -> None:
        super().__init__(scope, id)
        self._names = Names(settings.stage)
        stack = Stack.of(self)
        definition = release_definition(
            names=self._names, settings=settings.release, partition=stack.partition
        )
        self.state_machine = sfn.StateMachine(
            self,
            "StateMachine",
            state_machine_name=self._names.release,
            definition_body=sfn.DefinitionBody.from_string(stack.to_json_string(definition)),
            tracing_enabled=True,
            timeout=Duration.minutes(settings.release.timeout_minutes),
            logs=sfn.LogOptions(
                destination=StageLogs(
                    self,
                    "Logs",
                    days=settings.log_retention_days,
                    name=f"/aws/vendedlogs/states/{self._names.release}",
                ),
                level=sfn.LogLevel.ALL,
            ),
        )
        self._grant(stack)
        self._on_approval()

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
            targets=[targets.SfnStateMachine(self.state_machine)],  # pyright: ignore[reportArgumentType]
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
        bootstrap = arn("ssm", "parameter", "cdk-bootstrap/*")
        grants = [
            (["ssm:GetParameter", "ssm:GetParameters", "ssm:PutParameter"], [parameter]),
            # CloudFormation reads typed parameters as the caller of UpdateStack.
            (["ssm:GetParameters"], [bootstrap]),
            (["cloudformation:UpdateStack", "cloudformation:DescribeStacks"], [serving]),
            (
                ["sagemaker:DescribeModelPackage"],
                [arn("sagemaker", "model-package", f"{names.model_package_group}/*")],
            ),
            (["sagemaker:DescribeEndpoint"], [arn("sagemaker", "endpoint", names.endpoint)]),
            # CloudFormation names these two after the stack.
            (["sagemaker:DescribeEndpointConfig"], [arn("sagemaker", "endpoint-config", "*")]),
            (["sagemaker:DescribeModel"], [arn("sagemaker", "model", "*")]),
        ]
        for actions, resources in grants:
            self.state_machine.add_to_role_policy(iam.PolicyStatement(actions=actions, resources=resources))

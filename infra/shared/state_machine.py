"""A state machine of a stage: role, logs, rights of its tasks, events that it could not take."""

from collections.abc import Mapping, Sequence
from typing import Any

from aws_cdk import ArnFormat, Duration, RemovalPolicy, Stack
from aws_cdk import aws_events as events
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sqs as sqs
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from infra.settings import Settings
from infra.shared.logs import StageLogs
from infra.shared.nag import acknowledge, explain_wildcards


def machine_arn(scope: Construct, name: str) -> str:
    """The state machine `name` of this account and region."""
    return _arn(scope, "stateMachine", name)


def executions_arn(scope: Construct, names: str) -> str:
    """Executions: `names` is `<machine>:<execution>`, and may hold a star."""
    return _arn(scope, "execution", names)


def _arn(scope: Construct, resource: str, name: str) -> str:
    return Stack.of(scope).format_arn(
        service="states",
        resource=resource,
        resource_name=name,
        arn_format=ArnFormat.COLON_RESOURCE_NAME,
    )


class StateMachineRole(iam.Role):
    """Assumed by Step Functions for the state machine `name` of this account alone."""

    def __init__(self, scope: Construct, id: str, *, name: str) -> None:
        arn = machine_arn(scope, name)
        # The children of a Distributed Map run as <machine>/<map>.
        this = {"ArnLike": {"aws:SourceArn": [arn, f"{arn}/*"]}}
        principal = iam.ServicePrincipal("states.amazonaws.com", conditions=this)
        super().__init__(scope, id, assumed_by=principal)  # pyright: ignore[reportArgumentType]
        reason = (
            "the actions with which Step Functions sends traces and sets up log delivery know no resources"
        )
        explain_wildcards(self, {"Resource::*": reason})


class StageStateMachine(sfn.StateMachine):
    """Traced, and logged in full into `logs_id`, a group of its own beside it.

    `definition` holds its time limit too (TimeoutSeconds): the CDK ignores one beside a text.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        name: str,
        role: StateMachineRole,
        definition: Mapping[str, Any],
        settings: Settings,
        key: kms.Key | None,
        logs_id: str,
    ) -> None:
        # Step Functions writes to groups below this prefix without a policy on each of them.
        group = f"/aws/vendedlogs/states/{name}"
        logs = StageLogs(scope, logs_id, days=settings.log_retention_days, key=key, name=group)
        super().__init__(
            scope,
            id,
            state_machine_name=name,
            role=role,  # pyright: ignore[reportArgumentType]
            definition_body=sfn.DefinitionBody.from_string(Stack.of(scope).to_json_string(definition)),
            tracing_enabled=True,
            logs=sfn.LogOptions(destination=logs, level=sfn.LogLevel.ALL),
        )
        self._own_name, self._own_role = name, role

    def allow(self, *actions: str, on: Sequence[str]) -> None:
        """Allow the machine's tasks these actions on the ARNs `on`."""
        self.add_to_role_policy(iam.PolicyStatement(actions=list(actions), resources=list(on)))

    def grant_pass_role(self, *roles: iam.Role) -> None:
        """Allow handing `roles` to SageMaker, and to nobody else."""
        self.add_to_role_policy(
            iam.PolicyStatement(
                actions=["iam:PassRole"],
                resources=[role.role_arn for role in roles],
                conditions={"StringEquals": {"iam:PassedToService": "sagemaker.amazonaws.com"}},
            )
        )

    def grant_invoke_of(self, function: lambda_.Function) -> None:
        """Allow running `function` and its versions."""
        function.grant_invoke(self)
        explain_wildcards(
            self._own_role, {f"{function.function_arn}:*": "the CDK adds the function's versions"}
        )

    def grant_map_runs(self) -> None:
        """Allow Distributed Maps, which start their children as executions of this machine."""
        # AWS's page of policies for a Distributed Map and the CDK's own grant name one form each.
        children = [f"{self._own_name}/*", f"{self._own_name}:*"]
        verbs = ["states:DescribeExecution", "states:StopExecution", "states:RedriveExecution"]
        for actions, resources in (
            (["states:StartExecution"], [machine_arn(self, self._own_name)]),
            (verbs, [executions_arn(self, child) for child in children]),
        ):
            self.allow(*actions, on=resources)
        reason = "map runs are named as they start"
        explain_wildcards(self._own_role, {f":execution:{child}": reason for child in children})


def bad_ends(scope: Construct, name: str) -> events.EventPattern:
    """The events of executions of the state machine `name` that ended without success."""
    return events.EventPattern(
        source=["aws.states"],
        detail_type=["Step Functions Execution Status Change"],
        detail={
            "stateMachineArn": [machine_arn(scope, name)],
            "status": ["FAILED", "TIMED_OUT", "ABORTED"],
        },
    )


class Undelivered(sqs.Queue):
    """A dead-letter queue for rules and schedules; an alarm rings while something waits in it.

    SQS's own key encrypts it: an event holds names and no data, and EventBridge needs no right to a key.
    """

    def __init__(self, scope: Construct, id: str, *, name: str) -> None:
        super().__init__(
            scope,
            id,
            queue_name=name,
            encryption=sqs.QueueEncryption.SQS_MANAGED,
            enforce_ssl=True,
            retention_period=Duration.days(14),  # the longest that SQS keeps a message
            removal_policy=RemovalPolicy.DESTROY,
        )
        acknowledge(self, rule="AwsSolutions-SQS3", reason="it is a dead-letter queue itself")

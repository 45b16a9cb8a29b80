"""A state machine of a stage."""

from aws_cdk import Duration
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from infra.settings import Settings
from infra.stage_logs import StageLogs
from infra.state_machine_role import StateMachineRole


class StageStateMachine(sfn.StateMachine):
    """Traced, and logged in full into `logs_id`, a group of its own beside it.

    `definition` is a chain of the CDK's, or text.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        name: str,
        role: StateMachineRole,
        definition: sfn.IChainable | str,
        timeout: Duration,
        settings: Settings,
        key: kms.Key | None,
        logs_id: str,
    ) -> None:
        # Step Functions writes to groups below this prefix without a policy on each of them.
        group = f"/aws/vendedlogs/states/{name}"
        logs = StageLogs(scope, logs_id, days=settings.log_retention_days, key=key, name=group)
        body = sfn.DefinitionBody
        super().__init__(
            scope,
            id,
            state_machine_name=name,
            role=role,  # pyright: ignore[reportArgumentType]
            definition_body=body.from_string(definition)
            if isinstance(definition, str)
            else body.from_chainable(definition),
            timeout=timeout,
            tracing_enabled=True,
            logs=sfn.LogOptions(destination=logs, level=sfn.LogLevel.ALL),
        )

    def let_pass(self, *roles: iam.Role) -> None:
        """Allow handing `roles` to SageMaker, and to nobody else."""
        self.add_to_role_policy(
            iam.PolicyStatement(
                actions=["iam:PassRole"],
                resources=[role.role_arn for role in roles],
                conditions={"StringEquals": {"iam:PassedToService": "sagemaker.amazonaws.com"}},
            )
        )

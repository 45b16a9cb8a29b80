"""The role of a state machine."""

from aws_cdk import ArnFormat, Stack
from aws_cdk import aws_iam as iam
from constructs import Construct

from infra.wildcards import explain_wildcards


class StateMachineRole(iam.Role):
    """Assumed by Step Functions for the state machine `name` of this account alone."""

    def __init__(self, scope: Construct, id: str, *, name: str) -> None:
        arn = Stack.of(scope).format_arn(
            service="states",
            resource="stateMachine",
            resource_name=name,
            arn_format=ArnFormat.COLON_RESOURCE_NAME,
        )
        # The children of a Distributed Map run as <machine>/<map>.
        this = {"ArnLike": {"aws:SourceArn": [arn, f"{arn}/*"]}}
        principal = iam.ServicePrincipal("states.amazonaws.com", conditions=this)
        super().__init__(scope, id, assumed_by=principal)  # pyright: ignore[reportArgumentType]
        reason = (
            "the actions with which Step Functions sends traces and sets up log delivery know no resources"
        )
        explain_wildcards(self, {"Resource::*": reason})

"""The role with which API Gateway writes logs: one an account and region."""

from aws_cdk import RemovalPolicy
from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_iam as iam
from constructs import Construct

from infra.acknowledge import acknowledge

_POLICY = "service-role/AmazonAPIGatewayPushToCloudWatchLogs"


class GatewayLogging(Construct):
    """Sets the region's logging role; stages depend on it, since a stage with logs is refused without.

    API Gateway checks the role's rights when it is set, hence AWS's own policy for this one purpose.
    Role and setting outlive the stack, even one whose deployment fails: all other APIs of the account write
    their logs with it. Several stages may set it, since each one's role does and none takes it away.
    """

    def __init__(self, scope: Construct, id: str, *, api: apigateway.RestApi) -> None:
        super().__init__(scope, id)
        role = iam.Role(
            self,
            "Role",
            assumed_by=iam.ServicePrincipal("apigateway.amazonaws.com"),  # pyright: ignore[reportArgumentType]
            managed_policies=[iam.ManagedPolicy.from_aws_managed_policy_name(_POLICY)],
        )
        acknowledge(
            role,
            rule=f"AwsSolutions-IAM4[Policy::arn:<AWS::Partition>:iam::aws:policy/{_POLICY}]",
            reason="API Gateway checks for these rights when the role is set",
        )
        account = apigateway.CfnAccount(self, "Account", cloud_watch_role_arn=role.role_arn)
        # An account that never had an API refuses the setting before it has one (CloudFormation's page).
        account.node.add_dependency(api.node.default_child)
        role.apply_removal_policy(RemovalPolicy.RETAIN)
        account.apply_removal_policy(RemovalPolicy.RETAIN)

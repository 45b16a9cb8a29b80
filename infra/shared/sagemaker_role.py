"""What every role that SageMaker assumes for this stage has in common, and the key of a job's disk."""

import re

from aws_cdk import ArnFormat, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from constructs import Construct

from infra.data.network import StageNetwork
from infra.shared.nag import explain_wildcards

# These have disks of their own, which the hardware encrypts; SageMaker rejects a key for them.
_INSTANCE_STORE = re.compile(r"^ml\.(g4dn|g5|g6e?|p4de?|p5e?n?|trn1n?|[a-z]+\d+[a-z]*d[a-z]*)\.")


def volume_key(key: kms.Key | None, *, instance_type: str) -> str | None:
    """The ARN of `key` for an instance with an EBS disk, else None."""
    return None if key is None or _INSTANCE_STORE.match(instance_type) else key.key_arn


class SageMakerRole(iam.Role):
    """Assumed by SageMaker for this account's own jobs and endpoints; may log to `log_groups`.

    `log_groups` is the name of a log group, or a pattern of such names.
    """

    def __init__(self, scope: Construct, id: str, *, log_groups: str, network: StageNetwork) -> None:
        stack = Stack.of(scope)
        super().__init__(
            scope,
            id,
            # Without the condition another account's job could be made to use the role (confused deputy).
            assumed_by=iam.ServicePrincipal(  # pyright: ignore[reportArgumentType]
                "sagemaker.amazonaws.com", conditions={"StringEquals": {"aws:SourceAccount": stack.account}}
            ),
        )
        arn = stack.format_arn(
            service="logs",
            resource="log-group",
            resource_name=log_groups,
            arn_format=ArnFormat.COLON_RESOURCE_NAME,
        )
        actions = ("CreateLogGroup", "CreateLogStream", "PutLogEvents", "DescribeLogStreams")
        self.add_to_policy(
            iam.PolicyStatement(actions=[f"logs:{action}" for action in actions], resources=[arn])
        )
        self.add_to_policy(
            iam.PolicyStatement(
                actions=["cloudwatch:PutMetricData"],
                resources=["*"],  # the action knows no resources; the namespace bounds it
                conditions={"StringLike": {"cloudwatch:namespace": ["AWS/SageMaker", "/aws/sagemaker/*"]}},
            )
        )
        explain_wildcards(
            self,
            {
                f":log-group:{log_groups}": "SageMaker names groups and streams after jobs and endpoints",
                "Resource::*": "PutMetricData (bounded by its namespace), Describe of networks and "
                "ecr:GetAuthorizationToken know no resources",
            },
        )
        if network.subnets:
            self._grant_network_interfaces(network)

    def _grant_network_interfaces(self, network: StageNetwork) -> None:
        """SageMaker puts the job's network interfaces into the VPC with the role's rights."""
        stack = Stack.of(self)
        interfaces = stack.format_arn(service="ec2", resource="network-interface", resource_name="*")
        places = [
            stack.format_arn(service="ec2", resource="subnet", resource_name=i) for i in network.subnets
        ]
        groups = [
            stack.format_arn(service="ec2", resource="security-group", resource_name=i)
            for i in network.security_groups
        ]
        changes = ("CreateNetworkInterface", "DeleteNetworkInterface")
        permissions = ("CreateNetworkInterfacePermission", "DeleteNetworkInterfacePermission")
        looks = ("NetworkInterfaces", "Vpcs", "DhcpOptions", "Subnets", "SecurityGroups")
        for actions, resources in (
            ([*changes, *permissions], [interfaces]),
            (changes[:1], [*places, *groups]),
            ([f"Describe{what}" for what in looks], ["*"]),
        ):
            names = [f"ec2:{action}" for action in actions]
            self.add_to_policy(iam.PolicyStatement(actions=names, resources=resources))
        explain_wildcards(self, {":network-interface/*": "interfaces get their ids as they are made"})

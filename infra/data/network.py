"""The network of endpoint and training jobs: none of ours, a VPC made here, or one that exists."""

from typing import Any

from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_kms as kms
from constructs import Construct

from infra.settings import Settings
from infra.shared.logs import StageLogs

# S3 has a gateway endpoint. Images of bins, models and images of containers come through these or S3 alone.
SERVICES = {
    "Ecr": ec2.InterfaceVpcEndpointAwsService.ECR,
    "EcrDocker": ec2.InterfaceVpcEndpointAwsService.ECR_DOCKER,
    "Logs": ec2.InterfaceVpcEndpointAwsService.CLOUDWATCH_LOGS,
    "Metrics": ec2.InterfaceVpcEndpointAwsService.CLOUDWATCH_MONITORING,
    "Kms": ec2.InterfaceVpcEndpointAwsService.KMS,
}


class StageNetwork(Construct):
    """`subnets` and `security_groups` are ids for a VpcConfig; both are empty where the setting is off."""

    def __init__(self, scope: Construct, id: str, *, settings: Settings, key: kms.Key | None) -> None:
        super().__init__(scope, id)
        network = settings.network
        self.subnets, self.security_groups = [*network.subnet_ids], [*network.security_group_ids]
        if network.vpc == "created":
            self._create(settings, key)

    def vpc_config(self) -> dict[str, Any]:
        """A SageMaker job's `VpcConfig` as a member of its request, or nothing."""
        if not self.subnets:
            return {}
        return {"VpcConfig": {"Subnets": self.subnets, "SecurityGroupIds": self.security_groups}}

    def _create(self, settings: Settings, key: kms.Key | None) -> None:
        """Isolated subnets, one a zone, without NAT or internet gateway: nothing gets out but to AWS."""
        private = ec2.SubnetConfiguration(
            name="private", subnet_type=ec2.SubnetType.PRIVATE_ISOLATED, cidr_mask=24
        )
        zones = list(settings.network.availability_zones)
        vpc = ec2.Vpc(
            self,
            "Vpc",
            max_azs=None if zones else 2,
            availability_zones=zones or None,
            nat_gateways=0,
            subnet_configuration=[private],
        )
        logs = StageLogs(self, "FlowLogs", days=settings.log_retention_days, key=key)
        vpc.add_flow_log("Flow", destination=ec2.FlowLogDestination.to_cloud_watch_logs(logs))
        vpc.add_gateway_endpoint("S3", service=ec2.GatewayVpcEndpointAwsService.S3)
        group = ec2.SecurityGroup(
            self,
            "Jobs",
            vpc=vpc,
            description="Endpoint and training jobs",
            allow_all_outbound=False,
        )
        # The only addresses with a route are those of the VPC itself and of S3.
        group.add_egress_rule(ec2.Peer.any_ipv4(), ec2.Port.tcp(443), "endpoints of AWS services")
        # Not TCP alone: instances with Elastic Fabric Adapter do not start without all protocols.
        group.connections.allow_internally(ec2.Port.all_traffic(), "instances of one training job")
        for name, service in SERVICES.items():
            vpc.add_interface_endpoint(name, service=service, open=False).connections.allow_from(
                group,
                ec2.Port.tcp(443),
                "from jobs",
            )
        self.subnets = vpc.select_subnets(subnet_type=ec2.SubnetType.PRIVATE_ISOLATED).subnet_ids
        self.security_groups = [group.security_group_id]

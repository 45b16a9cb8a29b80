"""Settings of the network."""

from typing import Annotated, Literal

from pydantic import Field

from infra.settings.section import Section, rule

# EC2's ids: 8 hex digits for old ones, 17 for those made since 2018.
SubnetId = Annotated[str, Field(pattern=r"^subnet-([0-9a-f]{8}|[0-9a-f]{17})$")]
SecurityGroupId = Annotated[str, Field(pattern=r"^sg-([0-9a-f]{8}|[0-9a-f]{17})$")]

Zone = Annotated[str, Field(pattern=r"^[a-z]{2}(-[a-z]+)+-\d[a-z]$")]


class Network(Section):
    """The network of the endpoint and the training jobs."""

    vpc: Literal["off", "created", "existing"] = Field(
        "off",
        description="off: SageMaker's own; created: a VPC without a way to the internet; existing: yours",
    )
    availability_zones: tuple[Zone, ...] = Field(
        (),
        max_length=6,
        description="with vpc created: the zones of its subnets, such as us-east-1b; empty: the region's "
        "first two. Name those that have your instance types (`aws ec2 describe-instance-type-offerings "
        "--location-type availability-zone`)",
    )
    subnet_ids: tuple[SubnetId, ...] = Field(
        (), max_length=16, description="with vpc existing: private subnets"
    )
    security_group_ids: tuple[SecurityGroupId, ...] = Field(
        (), max_length=5, description="with vpc existing: security groups"
    )

    @rule("availability_zones", "vpc")
    def _names_zones_of_its_own_vpc(self) -> str | None:
        zones = self.availability_zones
        if zones and self.vpc != "created":
            return f'needs network.vpc "created", which is "{self.vpc}": set it, or remove these'
        if len(set(zones)) < len(zones):
            return "must differ from one another"
        return "must be of one region" if len({zone[:-1] for zone in zones}) > 1 else None

    @rule("subnet_ids", "vpc")
    def _names_subnets(self) -> str | None:
        return _needed_by_existing(self.vpc, self.subnet_ids, such_as="subnet-0123456789abcdef0")

    @rule("security_group_ids", "vpc")
    def _names_groups(self) -> str | None:
        return _needed_by_existing(self.vpc, self.security_group_ids, such_as="sg-0123456789abcdef0")


def _needed_by_existing(vpc: str, ids: tuple[str, ...], *, such_as: str) -> str | None:
    if vpc == "existing" and not ids:
        return f'network.vpc "existing" needs at least one here, such as ["{such_as}"]'
    if vpc != "existing" and ids:
        return f'needs network.vpc "existing", which is "{vpc}": set it, or remove these'
    return None

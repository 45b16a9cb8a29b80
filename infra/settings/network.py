"""Settings of the network."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from infra.settings.section import Section

Zone = Annotated[str, Field(pattern=r"^[a-z]{2}(-[a-z]+)+-\d[a-z]$")]


class Network(Section):
    """Where the endpoint and the training jobs stand."""

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
    subnet_ids: tuple[str, ...] = Field((), description="with vpc existing: private subnets")
    security_group_ids: tuple[str, ...] = Field((), description="with vpc existing: security groups")

    @model_validator(mode="after")
    def _is_consistent(self) -> "Network":
        given = bool(self.subnet_ids) and bool(self.security_group_ids)
        faults: list[str] = []
        if self.vpc == "existing" and not given:
            faults.append("vpc existing needs subnet_ids and security_group_ids: name both")
        if self.vpc != "existing" and (self.subnet_ids or self.security_group_ids):
            faults.append("subnet_ids and security_group_ids need vpc existing: set it, or remove them")
        if self.vpc != "created" and self.availability_zones:
            faults.append("availability_zones need vpc created: set it, or remove them")
        if len(set(self.availability_zones)) < len(self.availability_zones):
            faults.append("availability_zones must differ from one another")
        if len({zone[:-1] for zone in self.availability_zones}) > 1:
            faults.append("availability_zones must be of one region")
        if faults:
            raise ValueError("; ".join(faults))
        return self

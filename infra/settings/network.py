"""Settings of the network."""

from typing import Literal

from pydantic import Field, model_validator

from infra.settings.section import Section


class Network(Section):
    """Where the endpoint and the training jobs stand."""

    vpc: Literal["off", "created", "existing"] = Field(
        "off",
        description="off: SageMaker's own; created: a VPC without a way to the internet; existing: yours",
    )
    subnet_ids: tuple[str, ...] = Field((), description="with vpc existing: private subnets")
    security_group_ids: tuple[str, ...] = Field((), description="with vpc existing: security groups")

    @model_validator(mode="after")
    def _is_consistent(self) -> "Network":
        given = bool(self.subnet_ids) and bool(self.security_group_ids)
        if self.vpc == "existing" and not given:
            raise ValueError("vpc existing needs subnet_ids and security_group_ids: name both")
        if self.vpc != "existing" and (self.subnet_ids or self.security_group_ids):
            raise ValueError("subnet_ids and security_group_ids need vpc existing: set it, or remove them")
        return self

"""What the doctor asks about: a stage's settings, in the account and with the rights of the caller."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from infra.names import Names
from infra.settings import Settings


@dataclass(frozen=True, kw_only=True)
class Subject:
    """`client` makes a boto3 client of a service in the stage's region; `caller` is an ARN."""

    client: Callable[[str], Any]
    settings: Settings
    caller: str
    account: str

    @property
    def names(self) -> Names:
        """The fixed names of the stage."""
        return Names(self.settings.stage)

    @property
    def region(self) -> str:
        """The stage's region."""
        return self.settings.region

    @property
    def partition(self) -> str:
        """The caller's: aws, aws-cn, aws-us-gov, …"""
        return self.caller.split(":")[1]

    def arn(self, service: str, resource: str) -> str:
        """The ARN of something of the caller's account in the stage's region."""
        return f"arn:{self.partition}:{service}:{self.region}:{self.account}:{resource}"

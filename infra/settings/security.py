"""Settings of the roles."""

from pydantic import Field

from infra.settings.section import Section


class Security(Section):
    """What the account's owner demands of every role."""

    permissions_boundary: str = Field(
        "",
        pattern=r"^(arn:aws[a-z-]*:iam::\d{12}:policy/[\w+=,.@/-]+|[\w+=,.@/-]+)?$",
        description="managed policy (ARN, or a name in this account) that bounds every role; empty: none",
    )

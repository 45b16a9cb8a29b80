"""Names that CloudFormation makes up where a template gives none."""

import secrets
import string

_LONGEST_NAME = 63


def generated_name(logical_id: str) -> str:
    """A physical name as CloudFormation makes one: the logical id and 12 random characters."""
    suffix = "".join(secrets.choice(string.ascii_letters + string.digits) for _ in range(12))
    return f"{logical_id[: _LONGEST_NAME - 13]}-{suffix}"

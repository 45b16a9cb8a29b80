"""Which key encrypts the disk of a SageMaker instance."""

import re

from aws_cdk import aws_kms as kms

# These have disks of their own, which the hardware encrypts; SageMaker refuses a key for them.
_INSTANCE_STORE = re.compile(r"^ml\.(g4dn|g5|g6e?|p4de?|p5e?n?|trn1n?|[a-z]+\d+[a-z]*d[a-z]*)\.")


def volume_key(key: kms.Key | None, *, instance_type: str) -> str | None:
    """The ARN of `key` for an instance with an EBS disk, else None."""
    return None if key is None or _INSTANCE_STORE.match(instance_type) else key.key_arn

"""What a role may do with a prefix of the stage's bucket; CDK's own grants have wildcard actions."""

from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_s3_assets as s3_assets

from infra.wildcards import explain_wildcards


def let_read(role: iam.Role, bucket: s3.IBucket, *prefixes: str) -> None:
    """Allow reading objects below `prefixes`, listing the bucket's keys, and the key's use.

    A prefix ends with a slash (`models/`); anything else is a pattern (`recounts/*/work/map*`). Listing
    covers the whole bucket: S3 says "not there" of a missing object only to those who may list.
    """
    _allow(role, bucket.bucket_arn, "s3:ListBucket")
    _allow_objects(role, bucket, prefixes, "s3:GetObject")
    if bucket.encryption_key:
        _allow(role, bucket.encryption_key.key_arn, "kms:Decrypt")


def let_write(role: iam.Role, bucket: s3.IBucket, *prefixes: str) -> None:
    """Allow writing objects below `prefixes`, never deleting any, and the key's use."""
    # Large objects go in parts; the map's results are finished from a list of theirs.
    parts = ("s3:AbortMultipartUpload", "s3:ListMultipartUploadParts")
    _allow_objects(role, bucket, prefixes, "s3:PutObject", *parts)
    if bucket.encryption_key:
        # Each part of a multipart upload is decrypted again by S3 when they are joined.
        _allow(role, bucket.encryption_key.key_arn, "kms:Decrypt", "kms:GenerateDataKey")


def let_read_asset(role: iam.Role, asset: s3_assets.Asset) -> None:
    """Allow reading the CDK's assets of this account, `asset` among them.

    Not that file alone: a tuning job that is under way while another version is deployed starts its next
    trials with the former one.
    """
    _allow(role, asset.bucket.bucket_arn, "s3:ListBucket")
    _allow(role, asset.bucket.arn_for_objects("*"), "s3:GetObject")
    explain_wildcards(
        role, {f"{asset.s3_bucket_name}/*": "jobs under way read the former version of an asset"}
    )


def let_encrypt_volumes(role: iam.Role, bucket: s3.IBucket) -> None:
    """Allow SageMaker, on the role's behalf, to attach disks that the stage's key encrypts."""
    if not bucket.encryption_key:
        return
    role.add_to_principal_policy(
        iam.PolicyStatement(
            actions=["kms:CreateGrant"],
            resources=[bucket.encryption_key.key_arn],
            conditions={"Bool": {"kms:GrantIsForAWSResource": "true"}},
        )
    )
    _allow(role, bucket.encryption_key.key_arn, "kms:DescribeKey")


def _allow_objects(role: iam.Role, bucket: s3.IBucket, prefixes: tuple[str, ...], *actions: str) -> None:
    for prefix in prefixes:
        pattern = f"{prefix}*" if prefix.endswith("/") else prefix
        _allow(role, bucket.arn_for_objects(pattern), *actions)
        explain_wildcards(role, {f"/{pattern}": "these objects have names that only a run knows"})


def _allow(role: iam.Role, resource: str, *actions: str) -> None:
    role.add_to_principal_policy(iam.PolicyStatement(actions=list(actions), resources=[resource]))

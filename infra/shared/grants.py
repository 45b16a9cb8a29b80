"""Grants with the least actions, and the ARNs of what has a name of ours: S3, images, SSM, SageMaker."""

from aws_cdk import Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_s3_assets as s3_assets
from constructs import Construct

from infra.names import Names
from infra.shared.nag import explain_wildcards


def grant_read(role: iam.Role, bucket: s3.IBucket, *prefixes: str) -> None:
    """Allow reading objects below `prefixes`, listing the bucket's keys, and the key's use.

    A prefix ends with a slash (`models/`); anything else is a pattern (`recounts/*/work/map*`). Listing
    covers the whole bucket: S3 says "not there" of a missing object only to callers that may list.
    """
    _allow(role, bucket.bucket_arn, "s3:ListBucket")
    _allow_objects(role, bucket, prefixes, "s3:GetObject")
    if bucket.encryption_key:
        _allow(role, bucket.encryption_key.key_arn, "kms:Decrypt")


def grant_write(role: iam.Role, bucket: s3.IBucket, *prefixes: str) -> None:
    """Allow writing objects below `prefixes`, never deleting any, and the key's use."""
    # Large objects go in parts; the map's results are finished from a list of theirs.
    parts = ("s3:AbortMultipartUpload", "s3:ListMultipartUploadParts")
    _allow_objects(role, bucket, prefixes, "s3:PutObject", *parts)
    if bucket.encryption_key:
        # Each part of a multipart upload is decrypted again by S3 when they are joined.
        _allow(role, bucket.encryption_key.key_arn, "kms:Decrypt", "kms:GenerateDataKey")


def grant_read_address(role: iam.Role, address: str, *, reason: str = "") -> None:
    """Allow reading what lies at `address` in a bucket that is not the stage's, and listing that bucket.

    `address` is `s3://bucket/key`; a star in the key is allowed for `reason`.
    """
    name, _, keys = address.removeprefix("s3://").partition("/")
    bucket = f"arn:{Stack.of(role).partition}:s3:::{name}"
    role.add_to_policy(
        iam.PolicyStatement(actions=["s3:GetObject", "s3:ListBucket"], resources=[bucket, f"{bucket}/{keys}"])
    )
    if "*" in keys:
        explain_wildcards(role, {f":::{name}/{keys}": reason})


def grant_read_asset(role: iam.Role, asset: s3_assets.Asset) -> None:
    """Allow reading the CDK's assets of this account, `asset` among them.

    Not that file alone: a tuning job that is under way while another version is deployed starts its next
    trials with the former one.
    """
    _allow(role, asset.bucket.bucket_arn, "s3:ListBucket")
    _allow(role, asset.bucket.arn_for_objects("*"), "s3:GetObject")
    explain_wildcards(
        role, {f"{asset.s3_bucket_name}/*": "jobs under way read the former version of an asset"}
    )


def grant_volume_encryption(role: iam.Role, bucket: s3.IBucket) -> None:
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


NAMED_BY_CLOUDFORMATION = "CloudFormation names the repository"


def grant_pull(role: iam.Role, *, repository_arn: str) -> None:
    """Allow `role` to pull the images of one repository."""
    role.add_to_policy(
        iam.PolicyStatement(
            actions=[
                "ecr:BatchCheckLayerAvailability",
                "ecr:BatchGetImage",
                "ecr:GetDownloadUrlForLayer",
            ],
            resources=[repository_arn],
        )
    )
    # GetAuthorizationToken knows no resources.
    role.add_to_policy(iam.PolicyStatement(actions=["ecr:GetAuthorizationToken"], resources=["*"]))


def serving_repository(scope: Construct, *, names: Names) -> str:
    """ARN pattern of the serving image's repository: CloudFormation names it after the Serving stack."""
    return Stack.of(scope).format_arn(
        service="ecr", resource="repository", resource_name=f"{names.stack('serving')}-*"
    )


def grant_pull_serving_image(role: iam.Role, *, names: Names) -> None:
    """Allow `role` to pull the image that serves."""
    images = serving_repository(role, names=names)
    grant_pull(role, repository_arn=images)
    explain_wildcards(role, {images: NAMED_BY_CLOUDFORMATION})


def parameter_arn(scope: Construct, name: str) -> str:
    """`name` begins with a slash, as in /bincount/dev/model; the ARN has one slash there, not two."""
    return Stack.of(scope).format_arn(
        service="ssm", resource="parameter", resource_name=name.removeprefix("/")
    )


def sagemaker_arn(scope: Construct, kind: str, name: str) -> str:
    """`kind` as ARNs spell it (`training-job`); `name` may end with a star."""
    return Stack.of(scope).format_arn(service="sagemaker", resource=kind, resource_name=name)

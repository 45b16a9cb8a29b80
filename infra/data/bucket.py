"""The one bucket of a stage: datasets, models, checkpoints, weights, captured answers."""

from aws_cdk import Duration
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from constructs import Construct

from infra.names import Prefix
from infra.settings import Storage
from infra.shared.nag import acknowledge
from infra.shared.tags import kept_on_destroy, tag_part


class PrivateBucket(s3.Bucket):
    """TLS only, no public access, versioned. `retain` keeps it when the stack is destroyed."""

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        retain: bool,
        key: kms.Key | None = None,
        logs: s3.IBucket | None = None,
        lifecycle_rules: list[s3.LifecycleRule],
    ) -> None:
        super().__init__(
            scope,
            id,
            encryption=s3.BucketEncryption.KMS if key else s3.BucketEncryption.S3_MANAGED,
            encryption_key=key,  # pyright: ignore[reportArgumentType]
            bucket_key_enabled=key is not None or None,
            enforce_ssl=True,
            minimum_tls_version=1.2,
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            object_ownership=s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
            versioned=True,
            removal_policy=kept_on_destroy(retain),
            auto_delete_objects=not retain,
            server_access_logs_bucket=logs,
            lifecycle_rules=lifecycle_rules,
        )
        tag_part(self)
        if retain and self.policy:  # a bucket that is kept stays closed to plain HTTP, and open to its logs
            self.policy.apply_removal_policy(kept_on_destroy(retain))


class StageBucket(PrivateBucket):
    """The stage's bucket, with a second one for its access logs."""

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        settings: Storage,
        retain: bool,
        key: kms.Key | None,
        sends_events: bool,
    ) -> None:
        logs = PrivateBucket(
            scope,
            f"{id}Logs",
            retain=retain,
            lifecycle_rules=[_leftovers(1), _expiry("", settings.access_logs_days)],
        )
        acknowledge(logs, rule="AwsSolutions-S1", reason="it holds access logs; logging itself would not end")
        expiries = {
            Prefix.DATASETS: settings.datasets_days,
            Prefix.RUNS: settings.runs_days,
            Prefix.CHECKPOINTS: settings.checkpoints_days,
            Prefix.CAPTURE: settings.captures_days,
            Prefix.IMAGES: settings.images_days,
            Prefix.NIGHTS: settings.images_days,
            Prefix.LABELS: settings.labels_days,
            Prefix.LABEL_HISTORY: settings.labels_days,
            Prefix.PROPOSALS: _PROPOSALS_DAYS,
            Prefix.JOINED: settings.labels_days,
            Prefix.LIVE_ANSWERS: settings.captures_days,
        }
        # Each save of a job replaces its checkpoint, and only the last one is ever read. A captured file is
        # replaced by one without images, and a deleted image is to be gone.
        rules = [
            _expiry(prefix, days, old_versions_days=1 if prefix in _SHORT else None)
            for prefix, days in expiries.items()
            if days
        ]
        rules = [_leftovers(settings.old_versions_days), *rules]
        super().__init__(scope, id, retain=retain, key=key, logs=logs, lifecycle_rules=rules)
        if sends_events:
            # The L2's own switch would add a Lambda that may change every bucket of the account.
            bucket = self.node.default_child
            assert isinstance(bucket, s3.CfnBucket)
            switch = "NotificationConfiguration.EventBridgeConfiguration.EventBridgeEnabled"
            bucket.add_property_override(switch, True)


_SHORT = (Prefix.CHECKPOINTS, Prefix.CAPTURE, Prefix.IMAGES, Prefix.PROPOSALS)
_PROPOSALS_DAYS = 2
"""What was proposed to whom matters for 12 hours; it names people."""


def _leftovers(old_versions_days: int) -> s3.LifecycleRule:
    return s3.LifecycleRule(
        id="leftovers",
        abort_incomplete_multipart_upload_after=Duration.days(1),
        noncurrent_version_expiration=Duration.days(old_versions_days),
        expired_object_delete_marker=True,
    )


def _expiry(prefix: str, days: int, *, old_versions_days: int | None = None) -> s3.LifecycleRule:
    return s3.LifecycleRule(
        id=f"expired {prefix or 'logs'}",
        prefix=prefix or None,
        expiration=Duration.days(days),
        noncurrent_version_expiration=Duration.days(old_versions_days) if old_versions_days else None,
    )

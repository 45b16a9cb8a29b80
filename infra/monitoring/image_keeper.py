"""Keeps images of captured answers: all that asked for review, a sample of the others."""

from aws_cdk import Duration
from aws_cdk import aws_events as events
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from constructs import Construct

from infra.names import Names, Prefix
from infra.settings import Settings
from infra.shared.grants import grant_read, grant_write
from infra.shared.monitoring_function import MonitoringFunction
from infra.shared.state_machine import Undelivered

_MEMORY_MIB = 1_769  # one vCPU; a line of 8 MB is held some five times


class ImageKeeper(Construct):
    """The function, called for every file below capture/, and a queue for files that it could not sort."""

    def __init__(
        self, scope: Construct, id: str, *, settings: Settings, bucket: s3.Bucket, key: kms.Key | None
    ) -> None:
        super().__init__(scope, id)
        function = MonitoringFunction(
            self,
            "Function",
            part="images",
            settings=settings,
            bucket=bucket,
            key=key,
            memory_mib=_MEMORY_MIB,
            environment={"SAMPLED_SHARE": str(settings.capture.sampled_share)},
        )
        grant_read(function.own_role, bucket, Prefix.CAPTURE, Prefix.FORGOTTEN)
        grant_write(function.own_role, bucket, Prefix.CAPTURE, Prefix.IMAGES)
        unsorted = Undelivered(self, "Unsorted", name=Names(settings.stage).undelivered("images"))
        events.Rule(
            self,
            "OnCapture",
            description="SageMaker captured answers: keep some of their images",
            event_pattern=events.EventPattern(
                source=["aws.s3"],
                detail_type=["Object Created"],
                detail={
                    "bucket": {"name": [bucket.bucket_name]},
                    "object": {"key": [{"prefix": Prefix.CAPTURE}]},
                },
            ),
            targets=[function.called_by_events(failed=unsorted, within=Duration.hours(6))],
        )

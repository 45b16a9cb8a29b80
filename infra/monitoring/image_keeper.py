"""Keeps images of captured answers: all that asked for review, a sample of the others."""

from aws_cdk import Duration
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda_destinations as destinations
from aws_cdk import aws_s3 as s3
from constructs import Construct

from infra.names import Names, Prefix
from infra.packaging import lambda_package
from infra.settings import Settings
from infra.shared.functions import PackagedFunction, lambda_python
from infra.shared.grants import grant_read, grant_write
from infra.shared.logs import StageLogs
from infra.shared.state_machine import Undelivered

_ARCHITECTURE = "arm64"
_MEMORY_MIB = 1_769  # one vCPU; a line of 8 MB is held some five times


class ImageKeeper(Construct):
    """The function, called for every file below capture/, and a queue for files that it could not sort."""

    def __init__(
        self, scope: Construct, id: str, *, settings: Settings, bucket: s3.Bucket, key: kms.Key | None
    ) -> None:
        super().__init__(scope, id)
        runtime, python = lambda_python()
        directory = lambda_package.build(package="monitoring", architecture=_ARCHITECTURE, python=python)
        function = PackagedFunction(
            self,
            "Function",
            directory=directory,
            architecture=_ARCHITECTURE,
            handler="monitoring.images.handler.handler",
            memory_mib=_MEMORY_MIB,
            bucket_name=bucket.bucket_name,
            environment={"SAMPLED_SHARE": str(settings.capture.sampled_share)},
            runtime=runtime,
            log_group=StageLogs(self, "Logs", days=settings.log_retention_days, key=key),
        )
        grant_read(function.own_role, bucket, Prefix.CAPTURE, Prefix.FORGOTTEN)
        grant_write(function.own_role, bucket, Prefix.CAPTURE, Prefix.IMAGES)
        unsorted = Undelivered(self, "Unsorted", name=Names(settings.stage).undelivered("images"))
        function.configure_async_invoke(
            on_failure=destinations.SqsDestination(unsorted),  # pyright: ignore[reportArgumentType]
            max_event_age=Duration.hours(6),
            retry_attempts=2,
        )
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
            targets=[
                targets.LambdaFunction(  # pyright: ignore[reportArgumentType]
                    function,  # pyright: ignore[reportArgumentType]
                    dead_letter_queue=unsorted,
                )
            ],
        )

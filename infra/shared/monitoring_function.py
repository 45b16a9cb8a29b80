"""Functions of the package monitoring/: one architecture, a log group of their own, the stage's bucket."""

from aws_cdk import Duration
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda_destinations as destinations
from aws_cdk import aws_s3 as s3
from constructs import Construct

from infra.packaging import lambda_package
from infra.settings import Settings
from infra.shared.functions import PackagedFunction, lambda_python
from infra.shared.logs import StageLogs
from infra.shared.state_machine import Undelivered

_ARCHITECTURE = "arm64"


class MonitoringFunction(PackagedFunction):
    """`monitoring.<part>.handler.handler`, with what `requirements` (None: requirements.txt) has."""

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        part: str,
        settings: Settings,
        bucket: s3.IBucket,
        key: kms.Key | None,
        memory_mib: int,
        environment: dict[str, str],
        requirements: str | None = None,
        timeout: Duration | None = None,
        logs_id: str = "Logs",
    ) -> None:
        runtime, python = lambda_python()
        super().__init__(
            scope,
            id,
            directory=lambda_package.build(
                package="monitoring", architecture=_ARCHITECTURE, python=python, requirements=requirements
            ),
            architecture=_ARCHITECTURE,
            handler=f"monitoring.{part}.handler.handler",
            memory_mib=memory_mib,
            bucket_name=bucket.bucket_name,
            environment=environment,
            timeout=timeout,
            runtime=runtime,
            log_group=StageLogs(scope, logs_id, days=settings.log_retention_days, key=key),
        )

    def called_by_events(self, *, failed: Undelivered, within: Duration) -> events.IRuleTarget:
        """A rule's target. What fails three times, or is not taken `within`, goes to the queue `failed`."""
        self.configure_async_invoke(
            on_failure=destinations.SqsDestination(failed),  # pyright: ignore[reportArgumentType]
            max_event_age=within,
            retry_attempts=2,
        )
        return targets.LambdaFunction(  # pyright: ignore[reportReturnType]
            self,  # pyright: ignore[reportArgumentType]
            dead_letter_queue=failed,
        )

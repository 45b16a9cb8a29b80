"""The endpoint's alarms that stop a rollout."""

from aws_cdk import Stack
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_iam as iam
from constructs import Construct

from infra.names import VARIANT
from infra.settings import Serving

PERIOD_SECONDS = 60


class RollbackAlarms(Construct):
    """Server errors and latency of the endpoint, both fleets together; `names` are the alarms' names.

    They name the endpoint by its fixed name and refer to no resource, so they may exist while there is none.
    """

    def __init__(self, scope: Construct, id: str, *, settings: Serving, endpoint: str) -> None:
        super().__init__(scope, id)
        # Of Invocation5XXErrors, 0 or 1 for each request, the average is the share of failed requests.
        errors = self._alarm(
            "Errors",
            f"{endpoint}-rollback-errors",
            endpoint,
            metric="Invocation5XXErrors",
            threshold=settings.rollback_error_share,
            statistic="Average",
        )
        latency = self._alarm(
            "Latency",
            f"{endpoint}-rollback-latency",
            endpoint,
            metric="ModelLatency",
            threshold=settings.rollback_latency_ms * 1000,  # the metric counts microseconds
            extended_statistic="p99",
        )
        self.names = [errors, latency]

    def grant_describe(self, role: iam.Role) -> None:
        """SageMaker looks at the alarms with the role of the model."""
        alarms = [
            Stack.of(self).format_arn(service="cloudwatch", resource=f"alarm:{name}") for name in self.names
        ]
        role.add_to_policy(iam.PolicyStatement(actions=["cloudwatch:DescribeAlarms"], resources=alarms))

    def _alarm(
        self,
        id: str,
        name: str,
        endpoint: str,
        *,
        metric: str,
        threshold: float,
        statistic: str | None = None,
        extended_statistic: str | None = None,
    ) -> str:
        dimensions = {"EndpointName": endpoint, "VariantName": VARIANT}
        cloudwatch.CfnAlarm(
            self,
            id,
            alarm_name=name,
            alarm_description="Stops the rollout of a model to the endpoint (SageMaker's automatic rollback)",
            namespace="AWS/SageMaker",
            metric_name=metric,
            dimensions=[
                cloudwatch.CfnAlarm.DimensionProperty(name=key, value=value)
                for key, value in dimensions.items()
            ],
            period=PERIOD_SECONDS,
            evaluation_periods=1,
            threshold=threshold,
            comparison_operator="GreaterThanThreshold",
            treat_missing_data="notBreaching",
            statistic=statistic,
            extended_statistic=extended_statistic,
        )
        return name

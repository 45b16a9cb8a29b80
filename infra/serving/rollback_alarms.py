"""The endpoint's alarms: those that stop a rollout, and the one for an endpoint without requests."""

from aws_cdk import CfnCondition, Stack
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_iam as iam
from aws_cdk import aws_sns as sns
from constructs import Construct

from infra.names import VARIANT, Names
from infra.operations.alarms import FixedAlarm
from infra.operations.metrics import endpoint_metric
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


class QuietAlarm(Construct):
    """Rings after `hours` without a request. It is there under `condition`, as the endpoint is.

    Where no model serves there are no requests and no metric, which it could not distinguish from silence.
    """

    def __init__(
        self, scope: Construct, id: str, *, names: Names, hours: int, condition: CfnCondition
    ) -> None:
        super().__init__(scope, id)
        arn = Stack.of(self).format_arn(service="sns", resource=names.alarm_topic)
        alarm = FixedAlarm(
            self,
            "NoInvocations",
            names=names,
            what="no-invocations",
            topic=sns.Topic.from_topic_arn(self, "Topic", arn),
            metric=endpoint_metric(names, "Invocations", "Sum", minutes=60),
            threshold=1,
            periods=hours,
            comparison=cloudwatch.ComparisonOperator.LESS_THAN_THRESHOLD,
            missing=cloudwatch.TreatMissingData.BREACHING,
        )
        resource = alarm.node.default_child
        assert isinstance(resource, cloudwatch.CfnAlarm)
        resource.cfn_options.condition = condition

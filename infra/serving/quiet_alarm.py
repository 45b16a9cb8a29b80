"""The alarm for an endpoint that nobody asks."""

from aws_cdk import CfnCondition, Stack
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_sns as sns
from constructs import Construct

from infra.names import Names
from infra.operations.alarms import FixedAlarm
from infra.operations.metrics import endpoint_metric


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

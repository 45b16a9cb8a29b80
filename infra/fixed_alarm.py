"""An alarm that tells a person."""

from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_sns as sns
from constructs import Construct

from infra.names import Names


class FixedAlarm(cloudwatch.Alarm):
    """`bincount-<stage>-<what>`, whose section of docs/runbook.md says what to do; it tells `topic`.

    In ALARM when `of` (default: all) of the last `periods` periods break the threshold. Missing data break
    nothing by default, so that an alarm is OK, not without data, where nothing happens.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        names: Names,
        what: str,
        topic: sns.ITopic,
        metric: cloudwatch.IMetric,
        threshold: float,
        periods: int,
        of: int | None = None,
        comparison: cloudwatch.ComparisonOperator = cloudwatch.ComparisonOperator.GREATER_THAN_THRESHOLD,
        missing: cloudwatch.TreatMissingData = cloudwatch.TreatMissingData.NOT_BREACHING,
    ) -> None:
        super().__init__(
            scope,
            id,
            alarm_name=names.stack(what),
            alarm_description=f"docs/runbook.md, section {what}",
            metric=metric,
            threshold=threshold,
            comparison_operator=comparison,
            evaluation_periods=periods,
            datapoints_to_alarm=of or periods,
            treat_missing_data=missing,
        )
        action = actions.SnsAction(topic)
        self.add_alarm_action(action)  # pyright: ignore[reportArgumentType]
        self.add_ok_action(action)  # pyright: ignore[reportArgumentType]

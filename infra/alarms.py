"""Everything that may tell a person; docs/runbook.md has a section for each."""

from aws_cdk import ArnFormat, Stack
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_sns as sns
from constructs import Construct

from infra.metrics import endpoint_metric, executions_metric, server_metric
from infra.names import Names
from infra.settings import Operations

ABOVE = cloudwatch.ComparisonOperator.GREATER_THAN_THRESHOLD
ENDS = {"Failed": "failed", "TimedOut": "timed-out", "Aborted": "aborted"}
BELOW = cloudwatch.ComparisonOperator.LESS_THAN_THRESHOLD


class Alarms(Construct):
    """Alarms named `bincount-<stage>-<what>`, each with the topic as its action; `all` of them.

    They watch metrics by fixed names and refer to no resource, so that they stand before the first model.
    Those that roll an endpoint back are the release's own (infra/rollback_alarms.py).
    """

    def __init__(
        self, scope: Construct, id: str, *, settings: Operations, names: Names, topic: sns.ITopic
    ) -> None:
        super().__init__(scope, id)
        self._names, self._topic = names, topic
        self.all: list[cloudwatch.Alarm] = []
        self._watch_endpoint(settings)
        self._watch_answers(settings)
        for what in ("pipeline", "release"):
            arn = Stack.of(self).format_arn(
                service="states",
                resource="stateMachine",
                resource_name=names.stack(what),
                arn_format=ArnFormat.COLON_RESOURCE_NAME,
            )
            for end, said in ENDS.items():
                metric = executions_metric(arn, end)
                self._alarm(f"{what}-{said}", metric=metric, threshold=0, periods=1)

    def _watch_endpoint(self, settings: Operations) -> None:
        names = self._names
        errors = endpoint_metric(names, "Invocation5XXErrors", "Sum", minutes=1)
        self._alarm("endpoint-5xx", metric=errors, threshold=settings.max_server_errors, periods=3, of=2)
        latency = endpoint_metric(names, "ModelLatency", "p99", minutes=1)  # microseconds
        self._alarm("endpoint-latency", metric=latency, threshold=settings.max_latency_ms * 1000, periods=3)
        surge = endpoint_metric(names, "Invocation4XXErrors", "Sum", minutes=5)
        self._alarm("endpoint-4xx", metric=surge, threshold=settings.max_caller_errors, periods=3, of=2)

    def _watch_answers(self, settings: Operations) -> None:
        names = self._names
        if settings.quiet_hours:
            requests = endpoint_metric(names, "Invocations", "Sum", minutes=60)
            self._alarm(
                "no-invocations",
                metric=requests,
                threshold=1,
                periods=settings.quiet_hours,
                comparison=BELOW,
                missing=cloudwatch.TreatMissingData.BREACHING,
            )
        review = server_metric(names, "review", "Average", minutes=60)
        self._alarm("review-rate", metric=review, threshold=settings.max_review_share, periods=1)

    def _alarm(
        self,
        what: str,
        *,
        metric: cloudwatch.IMetric,
        threshold: float,
        periods: int,
        of: int | None = None,
        comparison: cloudwatch.ComparisonOperator = ABOVE,
        missing: cloudwatch.TreatMissingData = cloudwatch.TreatMissingData.NOT_BREACHING,
    ) -> None:
        """In ALARM when `of` (default: all) of the last `periods` periods break the threshold."""
        alarm = cloudwatch.Alarm(
            self,
            "".join(word.title() for word in what.split("-")),
            alarm_name=self._names.stack(what),
            alarm_description=f"docs/runbook.md, section {what}",
            metric=metric,
            threshold=threshold,
            comparison_operator=comparison,
            evaluation_periods=periods,
            datapoints_to_alarm=of or periods,
            treat_missing_data=missing,
        )
        action = actions.SnsAction(self._topic)
        alarm.add_alarm_action(action)  # pyright: ignore[reportArgumentType]
        alarm.add_ok_action(action)  # pyright: ignore[reportArgumentType]
        self.all.append(alarm)

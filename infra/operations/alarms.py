"""The alarms of a stage; docs/runbook.md has a section for each."""

from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_sns as sns
from constructs import Construct

from infra.names import Names
from infra.operations.metrics import (
    api_errors_metric,
    endpoint_metric,
    executions_metric,
    function_errors_metric,
    server_metric,
    waiting_messages_metric,
)
from infra.settings import Operations
from infra.shared.state_machine import machine_arn


class FixedAlarm(cloudwatch.Alarm):
    """`bincount-<stage>-<what>`, whose section of docs/runbook.md says what to do; it notifies `topic`.

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


ENDS = {"Failed": "failed", "TimedOut": "timed-out", "Aborted": "aborted"}


class Alarms(Construct):
    """Alarms named `bincount-<stage>-<what>`, each with the topic as its action; `all` of them.

    They watch metrics by fixed names and refer to no resource, so that they exist before the first model.
    Those that roll an endpoint back are the serving stack's own and always exist (rollback_alarms.py there);
    the one for an endpoint without requests comes and goes with the endpoint (quiet_alarm.py there). A Lambda
    has none of its own: each is a step of a state machine, which retries it and fails with it, part of a
    deployment, behind a path of the API whose errors are watched, or has a queue for what it could not do.
    The page's, which Cognito calls, has one.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        settings: Operations,
        takes_labels: bool,
        serves_page: bool,
        keeps_images: bool,
        looks_for_drift: bool,
        joins_labels: bool,
        names: Names,
        topic: sns.ITopic,
    ) -> None:
        super().__init__(scope, id)
        self._names, self._topic = names, topic
        self.all: list[cloudwatch.Alarm] = []
        self._watch_endpoint(settings)
        review = server_metric(names, "review", "Average", minutes=60)
        self._alarm("review-rate", metric=review, threshold=settings.max_review_share, periods=1)
        for what in ("pipeline", "release", "recount"):
            self._watch_state_machine(what, *ENDS)
        for what in ("pipeline-stop", "recount-stop"):  # a paid job may run on
            self._watch_state_machine(what, *ENDS)
            self._watch_queue(what)
        self._watch_queue("release")
        if settings.starts_pipeline:
            self._watch_queue("pipeline")
        if takes_labels:
            errors = api_errors_metric(names, path="/labels")
            self._alarm("labels-5xx", metric=errors, threshold=0, periods=3, of=2)
        if serves_page:
            self._watch_page(takes_labels=takes_labels)
        if keeps_images:
            self._watch_queue("images")
        if looks_for_drift:
            self._watch_drift()
        if joins_labels:
            self._watch_queue("live")
            self._watch_production()

    def _watch_endpoint(self, settings: Operations) -> None:
        names = self._names
        errors = endpoint_metric(names, "Invocation5XXErrors", "Sum", minutes=1)
        self._alarm("endpoint-5xx", metric=errors, threshold=settings.max_server_errors, periods=3, of=2)
        latency = endpoint_metric(names, "ModelLatency", "p99", minutes=1)  # microseconds
        self._alarm("endpoint-latency", metric=latency, threshold=settings.max_latency_ms * 1000, periods=3)
        surge = endpoint_metric(names, "Invocation4XXErrors", "Sum", minutes=5)
        self._alarm("endpoint-4xx", metric=surge, threshold=settings.max_caller_errors, periods=3, of=2)

    def _watch_page(self, *, takes_labels: bool) -> None:
        """Nobody can sign in where Cognito's trigger fails; a page's labels have a path of their own."""
        failed = function_errors_metric(self._names.sign_in)
        self._alarm("sign-in-failed", metric=failed, threshold=0, periods=1)
        if takes_labels:
            errors = api_errors_metric(self._names, path="/page/labels")
            self._alarm("page-labels-5xx", metric=errors, threshold=0, periods=3, of=2)

    def _watch_drift(self) -> None:
        """A figure a night: an alarm rings until the next one, or for a day where there is none."""
        found = server_metric(self._names, "drift", "Maximum", minutes=24 * 60)
        self._alarm("drift", metric=found, threshold=0, periods=1)
        self._watch_state_machine("drift", *ENDS)
        self._watch_queue("drift")

    def _watch_production(self) -> None:
        """By what infra/monitoring/live_accuracy.py's function writes: once a night, every 20 minutes."""
        promise = server_metric(self._names, "below_promise", "Maximum", minutes=24 * 60)
        self._alarm("live-accuracy", metric=promise, threshold=0, periods=1)
        missing = server_metric(self._names, "capture_missing", "Maximum", minutes=20)
        self._alarm("capture-stopped", metric=missing, threshold=0, periods=1)

    def _watch_state_machine(self, what: str, *ends: str) -> None:
        arn = machine_arn(self, self._names.stack(what))
        for end in ends:
            self._alarm(f"{what}-{ENDS[end]}", metric=executions_metric(arn, end), threshold=0, periods=1)

    def _watch_queue(self, what: str) -> None:
        metric = waiting_messages_metric(self._names.undelivered(what))
        self._alarm(f"{what}-undelivered", metric=metric, threshold=0, periods=1)

    def _alarm(
        self,
        what: str,
        *,
        metric: cloudwatch.IMetric,
        threshold: float,
        periods: int,
        of: int | None = None,
    ) -> None:
        alarm = FixedAlarm(
            self,
            "".join(word.title() for word in what.split("-")),
            names=self._names,
            what=what,
            topic=self._topic,
            metric=metric,
            threshold=threshold,
            periods=periods,
            of=of,
        )
        self.all.append(alarm)

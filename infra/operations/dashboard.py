"""The stage's dashboard: alarms, traffic, latency, errors, counts, instances, cost."""

from collections.abc import Sequence

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from constructs import Construct

from infra.names import VARIANT, Names
from infra.operations.metrics import endpoint_metric, server_metric

WIDTH, HEIGHT = 8, 6  # three graphs a row
Graph = tuple[str, Sequence[cloudwatch.IMetric]]


class Dashboard(Construct):
    """Alarms; traffic, latency, errors; counts, review rate, instances; cost.

    `max_count` is the largest class.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        names: Names,
        max_count: int,
        alarms: Sequence[cloudwatch.Alarm],
    ) -> None:
        super().__init__(scope, id)
        self._names = names
        graphs: list[Graph] = [
            ("Requests a minute", [endpoint_metric(names, "Invocations", "Sum", minutes=1)]),
            ("Latency of the model, milliseconds", [self._latency(share) for share in ("p50", "p99")]),
            (
                "Errors a minute",
                [endpoint_metric(names, f"Invocation{c}XXErrors", "Sum", minutes=1) for c in "45"],
            ),
            ("Counts, % of answers", self._counts(max_count)),
            ("Share that asks for a person", [server_metric(names, "review", "Average", minutes=5)]),
            ("Instances", [self._instances()]),
            ("SageMaker this month, US dollars, whole account", [_cost()]),
        ]
        dashboard = cloudwatch.Dashboard(
            self, "Dashboard", dashboard_name=names.prefix, default_interval=Duration.hours(3)
        )
        status = cloudwatch.AlarmStatusWidget(title="Alarms", alarms=alarms, width=3 * WIDTH, height=3)
        dashboard.add_widgets(status)
        dashboard.add_widgets(*[_graph(title, metrics) for title, metrics in graphs])

    def _latency(self, share: str) -> cloudwatch.MathExpression:
        """SageMaker counts microseconds, people milliseconds."""
        metric = endpoint_metric(self._names, "ModelLatency", share, minutes=1)
        return cloudwatch.MathExpression(
            expression=f"{share} / 1000",
            using_metrics={share: metric},
            label=share,
            period=Duration.minutes(1),
        )

    def _counts(self, max_count: int) -> list[cloudwatch.Metric]:
        """The percentile rank of the range around each count is its share of the answers."""

        def share(count: int) -> str:
            return "PR(:0.5)" if count == 0 else f"PR({count - 0.5}:{count + 0.5})"

        return [
            server_metric(self._names, "count", share(count), minutes=60, label=str(count))
            for count in range(max_count + 1)
        ]

    def _instances(self) -> cloudwatch.Metric:
        """Each instance reports its load once a minute, so the number of samples is that of instances."""
        return cloudwatch.Metric(
            namespace="/aws/sagemaker/Endpoints",
            metric_name="CPUUtilization",
            dimensions_map={"EndpointName": self._names.endpoint, "VariantName": VARIANT},
            statistic="SampleCount",
            period=Duration.minutes(1),
        )


def _cost() -> cloudwatch.Metric:
    return cloudwatch.Metric(
        namespace="AWS/Billing",
        metric_name="EstimatedCharges",
        dimensions_map={"Currency": "USD", "ServiceName": "AmazonSageMaker"},
        statistic="Maximum",
        period=Duration.hours(6),
        region="us-east-1",  # billing is there only
    )


def _graph(title: str, metrics: Sequence[cloudwatch.IMetric]) -> cloudwatch.GraphWidget:
    return cloudwatch.GraphWidget(
        title=title,
        left=metrics,
        stacked=title.startswith("Counts"),
        width=WIDTH,
        height=HEIGHT,
        left_y_axis=cloudwatch.YAxisProps(min=0),
    )

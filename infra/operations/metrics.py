"""The metrics that alarms and dashboard read, by fixed names."""

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch

from infra.names import API_STAGE, VARIANT, Names

SERVER_NAMESPACE = "BinCount"  # of the server's own metric lines (docs/inside/server.md)


def endpoint_metric(names: Names, name: str, statistic: str, *, minutes: int) -> cloudwatch.Metric:
    """A metric that SageMaker keeps of the endpoint's variant."""
    return cloudwatch.Metric(
        namespace="AWS/SageMaker",
        metric_name=name,
        dimensions_map={"EndpointName": names.endpoint, "VariantName": VARIANT},
        statistic=statistic,
        period=Duration.minutes(minutes),
    )


def server_metric(
    names: Names, name: str, statistic: str, *, minutes: int, label: str | None = None
) -> cloudwatch.Metric:
    """A metric that the server writes with each answer."""
    return cloudwatch.Metric(
        namespace=SERVER_NAMESPACE,
        metric_name=name,
        dimensions_map={"endpoint": names.endpoint},
        statistic=statistic,
        period=Duration.minutes(minutes),
        label=label,
    )


def api_errors_metric(names: Names, *, path: str) -> cloudwatch.Metric:
    """Answers 5xx of POST on one path of the API, in five minutes."""
    where = {"ApiName": names.prefix, "Stage": API_STAGE, "Resource": path, "Method": "POST"}
    return _sum_of_five_minutes("AWS/ApiGateway", "5XXError", where)


def function_errors_metric(name: str) -> cloudwatch.Metric:
    """Calls of a Lambda function that failed, in five minutes."""
    return _sum_of_five_minutes("AWS/Lambda", "Errors", {"FunctionName": name})


def executions_metric(state_machine_arn: str, end: str) -> cloudwatch.Metric:
    """Executions that ended as `end` (Failed, TimedOut, Aborted), in five minutes."""
    return _sum_of_five_minutes("AWS/States", f"Executions{end}", {"StateMachineArn": state_machine_arn})


def _sum_of_five_minutes(namespace: str, name: str, dimensions: dict[str, str]) -> cloudwatch.Metric:
    return cloudwatch.Metric(
        namespace=namespace,
        metric_name=name,
        dimensions_map=dimensions,
        statistic="Sum",
        period=Duration.minutes(5),
    )


def waiting_messages_metric(queue: str) -> cloudwatch.Metric:
    """Messages that wait in `queue`, in five minutes."""
    return cloudwatch.Metric(
        namespace="AWS/SQS",
        metric_name="ApproximateNumberOfMessagesVisible",
        dimensions_map={"QueueName": queue},
        statistic="Maximum",
        period=Duration.minutes(5),
    )

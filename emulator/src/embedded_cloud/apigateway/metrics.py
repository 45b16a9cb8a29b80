"""The metrics that API Gateway keeps of a REST API."""

from collections.abc import Callable

RecordMetric = Callable[..., None]
_NAMESPACE = "AWS/ApiGateway"


def record_request(
    record: RecordMetric, *, api: str, stage: str, status: int, milliseconds: int, integration_ms: int | None
) -> None:
    """One request, of the API and of its stage; an error metric is 0 or 1, its average a share."""
    for dimensions in ({"ApiName": api}, {"ApiName": api, "Stage": stage}):
        record(_NAMESPACE, "Count", 1, "Count", dimensions)
        record(_NAMESPACE, "4XXError", int(400 <= status < 500), "Count", dimensions)
        record(_NAMESPACE, "5XXError", int(status >= 500), "Count", dimensions)
        record(_NAMESPACE, "Latency", milliseconds, "Milliseconds", dimensions)
        if integration_ms is not None:
            record(_NAMESPACE, "IntegrationLatency", integration_ms, "Milliseconds", dimensions)

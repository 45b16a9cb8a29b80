"""The metrics that SageMaker keeps of an endpoint's variant."""

from collections.abc import Callable

RecordMetric = Callable[..., None]
_NAMESPACE = "AWS/SageMaker"


def record_invocation(
    record: RecordMetric, *, endpoint: str, variant: str, status: int, model_seconds: float, seconds: float
) -> None:
    """One request that reached the variant's container.

    `status` is the container's, 0 where it gave none; each error metric is 0 or 1 for every request, so that
    its average is a share. Both latencies are in microseconds.
    """
    dimensions = {"EndpointName": endpoint, "VariantName": variant}
    caller, server = 400 <= status < 500, status >= 500 or status == 0
    record(_NAMESPACE, "Invocations", 1, "None", dimensions)
    record(_NAMESPACE, "InvocationsPerInstance", 1, "None", dimensions)
    record(_NAMESPACE, "Invocation4XXErrors", int(caller), "None", dimensions)
    record(_NAMESPACE, "Invocation5XXErrors", int(server), "None", dimensions)
    record(_NAMESPACE, "InvocationModelErrors", int(caller or server), "None", dimensions)
    record(_NAMESPACE, "ModelLatency", model_seconds * 1e6, "Microseconds", dimensions)
    record(_NAMESPACE, "OverheadLatency", (seconds - model_seconds) * 1e6, "Microseconds", dimensions)

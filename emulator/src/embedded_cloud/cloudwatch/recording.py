"""Writes into ministack's store of metrics."""

import time

from embedded_cloud.ministack_hooks.parts import cloudwatch


def record(namespace: str, name: str, value: float, unit: str, dimensions: dict[str, str]) -> None:
    """One value of a metric, now."""
    record_at(namespace, name, value, unit, dimensions, time.time())


def record_at(
    namespace: str, name: str, value: float, unit: str, dimensions: dict[str, str], seconds: float
) -> None:
    """One value of a metric at a time, in seconds since 1970."""
    key = (namespace, name, cloudwatch._dims_key(dimensions))
    point = {"Timestamp": seconds, "Value": float(value), "Unit": unit, "Dimensions": dict(dimensions)}
    cloudwatch._metric_bucket(key).append(point)


def evict_old() -> None:
    """In place of ministack's `_evict_old_metrics`, which loses what another thread writes meanwhile."""
    cutoff = time.time() - cloudwatch.TWO_WEEKS_SECONDS
    for points in list(cloudwatch._metrics.values()):
        for point in [point for point in list(points) if point["Timestamp"] < cutoff]:
            points.remove(point)

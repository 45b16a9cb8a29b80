"""Metrics that say how something is, once a minute: queues of SQS and instances of endpoints."""

import math
import os
import time
from collections.abc import Callable, Iterable
from typing import Any

from embedded_cloud.ministack_hooks.parts import sqs

RecordMetric = Callable[..., None]
Variants = Callable[[], Iterable[tuple[str, str, int]]]


class Gauges:
    """`read(now)` is called every second; it writes each minute, and at once where a queue has changed.

    `variants()` yields an endpoint's name, its variant's and its number of instances.
    """

    def __init__(self, *, record: RecordMetric, variants: Variants) -> None:
        self._record = record
        self._variants = variants
        self._minute = 0
        self._waiting: dict[str, int] = {}

    def read(self, now: float) -> None:
        """Writes what is due."""
        begun = math.floor(now / 60) != self._minute
        self._minute = math.floor(now / 60)
        for queue in list(sqs._queues.values()):
            name = queue["name"]
            waiting = sum(1 for message in list(queue["messages"]) if message["visible_at"] <= now)
            if begun or self._waiting.get(name) != waiting:
                self._waiting[name] = waiting
                self._of_queue(name, list(queue["messages"]), waiting)
        if begun:
            for endpoint, variant, instances in self._variants():
                self._of_variant(endpoint, variant, instances)

    def _of_queue(self, name: str, messages: list[dict[str, Any]], waiting: int) -> None:
        dimensions = {"QueueName": name}
        hidden = len(messages) - waiting
        oldest = max((time.time() - message["sent_at"] for message in messages), default=0.0)
        self._record("AWS/SQS", "ApproximateNumberOfMessagesVisible", waiting, "Count", dimensions)
        self._record("AWS/SQS", "ApproximateNumberOfMessagesNotVisible", hidden, "Count", dimensions)
        self._record("AWS/SQS", "ApproximateAgeOfOldestMessage", oldest, "Seconds", dimensions)

    def _of_variant(self, endpoint: str, variant: str, instances: int) -> None:
        """Each instance reports for itself; here all of them are this machine."""
        dimensions = {"EndpointName": endpoint, "VariantName": variant}
        load = os.getloadavg()[0] * 100
        for _ in range(instances):
            self._record("/aws/sagemaker/Endpoints", "CPUUtilization", load, "Percent", dimensions)

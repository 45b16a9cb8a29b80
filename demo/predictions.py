"""Counting through the endpoint, as any caller does it: plain boto3 `sagemaker-runtime`."""

import json
import time
from dataclasses import asdict, dataclass
from typing import Any

from demo.source import Bin


@dataclass(frozen=True)
class Prediction:
    """One answer of the endpoint; `ms` is the caller's whole wait."""

    id: str
    true: int
    count: int
    confidence: float
    review: bool
    ms: float

    def row(self) -> dict[str, Any]:
        return asdict(self)


def ask(runtime: Any, *, endpoint: str, bins: list[Bin]) -> list[Prediction]:
    """Ask for each bin, one after the other."""
    return [_ask(runtime, endpoint, bin_) for bin_ in bins]


def _ask(runtime: Any, endpoint: str, bin_: Bin) -> Prediction:
    started = time.perf_counter()
    response = runtime.invoke_endpoint(EndpointName=endpoint, ContentType="image/jpeg", Body=bin_.jpeg)
    answer = json.loads(response["Body"].read())
    return Prediction(
        id=bin_.id,
        true=bin_.count,
        count=answer["count"],
        confidence=answer["confidence"],
        review=answer["review"],
        ms=round((time.perf_counter() - started) * 1000, 1),
    )


def accuracy(predictions: list[Prediction]) -> float:
    """Share of right counts."""
    return sum(p.count == p.true for p in predictions) / len(predictions)


def majority_accuracy(predictions: list[Prediction], *, majority: int) -> float:
    """What always answering `majority` would reach on the same bins."""
    return sum(p.true == majority for p in predictions) / len(predictions)

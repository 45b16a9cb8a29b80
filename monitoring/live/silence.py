"""Notices that SageMaker stopped capturing, by comparing with the requests that the endpoint answered.

SageMaker stops without a word where a disk is nearly full or a right is missing. Files arrive minutes after
their requests, so that only requests older than ARRIVES_WITHIN are expected to be there.
"""

from datetime import datetime, timedelta
from typing import Any

from monitoring.captures.hours import HOUR, files_of_hour, hour_of

ARRIVES_WITHIN = timedelta(minutes=15)
LOOKS_BACK = timedelta(minutes=60)
FEWEST = 20
"""So many captured answers must be missing: none of 20 expected comes once in 500 million times by chance."""


def missing_answers(
    s3: Any, cloudwatch: Any, *, bucket: str, folder: str, share: float, now: datetime
) -> float:
    """How many captured answers are missing since the last file came; 0 where all is well.

    `share` is the sampled share of requests, `folder` is `capture/<endpoint>/<variant>/`.
    """
    until = now - ARRIVES_WITHIN
    since = max(now - LOOKS_BACK - ARRIVES_WITHIN, _newest_file(s3, bucket, folder, now=now))
    since = since.replace(second=0, microsecond=0) + timedelta(minutes=1)
    if since >= until:
        return 0.0
    endpoint, variant = folder.rstrip("/").split("/")[-2:]
    answered = _answered(cloudwatch, endpoint=endpoint, variant=variant, since=since, until=until)
    expected = max(0.0, answered) * share
    return expected if expected >= FEWEST else 0.0


def _newest_file(s3: Any, bucket: str, folder: str, *, now: datetime) -> datetime:
    """When the last captured file of the hours in question came, by S3's clock."""
    hours = (hour_of(now) - n * HOUR for n in range(3))
    files = (each for hour in hours for each in files_of_hour(s3, bucket=bucket, folder=folder, hour=hour))
    return max((each["LastModified"] for each in files), default=now - 4 * HOUR)


def _answered(cloudwatch: Any, *, endpoint: str, variant: str, since: datetime, until: datetime) -> float:
    """Requests that the container answered with a count."""

    def total(metric: str) -> float:
        found = cloudwatch.get_metric_statistics(
            Namespace="AWS/SageMaker",
            MetricName=metric,
            Dimensions=[
                {"Name": "EndpointName", "Value": endpoint},
                {"Name": "VariantName", "Value": variant},
            ],
            StartTime=since,
            EndTime=until,
            Period=60,
            Statistics=["Sum"],
        )
        return sum(each["Sum"] for each in found["Datapoints"])

    return total("Invocations") - total("Invocation4XXErrors") - total("Invocation5XXErrors")

"""What launch.py shows of a job that it followed to its end."""

from binlaunch.watch import metric_lines
from bintrain.job import PUBLISHED


def test_every_metric_that_a_job_publishes_is_apart_from_its_value() -> None:
    """With the names that the job itself writes: the longest is test:majority_accuracy."""
    names = [f"test:{name}" for name in PUBLISHED]
    lines = metric_lines([{"MetricName": name, "Value": 0.125} for name in names])
    assert [line.split() for line in lines] == [[name, "0.1250"] for name in names]
    assert len({line.index("0.1250") for line in lines}) == 1


def test_a_job_without_metrics_shows_none() -> None:
    assert metric_lines([]) == []

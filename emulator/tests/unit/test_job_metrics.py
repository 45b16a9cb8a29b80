"""Metrics come from log lines, by the job's own regular expressions."""

from embedded_cloud.jobs.metrics import MetricScanner

ACCURACY = {"Name": "validation:accuracy", "Regex": r"metric=validation:accuracy value=([-+0-9.eE]+)"}
LOSS = {"Name": "train:loss", "Regex": r"metric=train:loss value=([-+0-9.eE]+)"}


def final(*lines: str, definitions: list[dict[str, str]]) -> dict[str, float]:
    scanner = MetricScanner(definitions)
    for line in lines:
        scanner.scan(line)
    return {metric["MetricName"]: metric["Value"] for metric in scanner.final()}


def test_the_last_match_is_the_final_value():
    lines = ("metric=validation:accuracy value=0.31 epoch=1", "metric=validation:accuracy value=0.41 epoch=2")
    assert final(*lines, definitions=[ACCURACY]) == {"validation:accuracy": 0.41}


def test_each_metric_is_kept_by_itself_and_unseen_ones_are_absent():
    assert final("metric=train:loss value=1.5e-3", definitions=[ACCURACY, LOSS]) == {"train:loss": 0.0015}


def test_several_matches_in_one_line_count_in_order():
    assert final("metric=train:loss value=2 metric=train:loss value=1", definitions=[LOSS]) == {
        "train:loss": 1.0
    }


def test_text_that_is_no_number_is_passed_over():
    assert final("metric=train:loss value=1", "metric=train:loss value=--", definitions=[LOSS]) == {
        "train:loss": 1.0
    }

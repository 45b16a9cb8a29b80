"""Floors of the gate: what no known model passes is an error at synth, and a task has floors of its own."""

import re
from typing import Any

import pytest

from infra.settings import SettingsError, load
from infra.training.gate.floors import TASKS, floor_fault
from infra.training.gate.known_results import ALL, EVEN, KNOWN, LIST, OTHER
from tests.infra.conftest import context

PUBLIC_LIST = {"data_prep.file_list": "s3://own/file_list.json"}
OWN = {"data_prep.source_bucket": "own-bins"}


def floors(stage: str = "prod", **given: Any) -> tuple[float, ...]:
    return tuple(load(context(stage=stage, **given).get).floors.values())


@pytest.mark.parametrize(
    ("stage", "given", "task"),
    [
        ("prod", {}, ALL),
        ("dev", {}, EVEN),
        ("prod", {"data_prep.counts": "[1, 5]"}, ALL),
        ("prod", PUBLIC_LIST, LIST),
        ("dev", PUBLIC_LIST, LIST),
        ("prod", OWN, OTHER),
        ("prod", {**OWN, "data_prep.source_kind": "class-folders"}, OTHER),
        ("prod", {"data_prep.counts": "[0, 1]"}, OTHER),
        ("prod", {"data_prep.counts": "[0, 20]", "training.max_count": 20}, OTHER),
        ("prod", {"training.max_count": 1}, OTHER),
        ("prod", {"gate.task": LIST}, LIST),
    ],
)
def test_the_task_is_what_the_stage_counts(stage: str, given: dict[str, Any], task: str) -> None:
    assert load(context(stage=stage, **given).get).task == task


def test_a_stage_without_floors_has_those_of_its_task() -> None:
    assert floors("prod") == (0.5, 1.0, 0.85)
    assert floors("dev") == (0.35, 1.5, 0.7)
    task = TASKS[LIST]
    assert floors("prod", **PUBLIC_LIST) == (task.min_accuracy, task.max_rmse, task.min_within_one)


def test_a_floor_that_is_stated_counts() -> None:
    assert floors("prod", **{"gate.min_accuracy": "0.55"}) == (0.55, 1.0, 0.85)
    assert floors("prod", **{"gate.min_accuracy": "0"}) == (0, 1.0, 0.85)


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({"gate.min_accuracy": "0.6"}, r"gate\.min_accuracy.*the best is 0\.562 \(ResNet34"),
        ({"gate.max_rmse": "0.8"}, r"gate\.max_rmse.*the best is 0\.9 .*at least"),
        ({"gate.min_within_one": "0.95"}, r"gate\.min_within_one.*the best is 0\.905.*at most"),
        (
            {**PUBLIC_LIST, "gate.min_accuracy": "0.5"},
            r"10,441.*the best is 0\.43 .*null for 0\.33.*gate\.task",
        ),
        ({**PUBLIC_LIST, "gate.max_rmse": "1"}, r"the best is 1\.124 "),
    ],
)
def test_a_floor_that_no_known_model_passes_is_an_error(given: dict[str, Any], reason: str) -> None:
    with pytest.raises(SettingsError) as caught:
        load(context(stage="prod", **given).get)
    assert re.search(reason, str(caught.value), re.DOTALL)


@pytest.mark.parametrize("given", [OWN, {"gate.task": OTHER}, {**PUBLIC_LIST, "gate.task": OTHER}])
def test_nothing_is_known_of_other_bins(given: dict[str, Any]) -> None:
    assert floors("prod", **given, **{"gate.min_accuracy": "0.95", "gate.max_rmse": "0.2"})[:2] == (0.95, 0.2)


def test_the_best_known_result_itself_passes() -> None:
    assert floors("prod", **{"gate.min_accuracy": "0.562", "gate.max_rmse": "0.9"})[:2] == (0.562, 0.9)


@pytest.mark.parametrize("task", TASKS)
def test_a_known_model_passes_the_floors_of_its_task(task: str) -> None:
    for name in ("min_accuracy", "max_rmse", "min_within_one"):
        assert floor_fault(name, getattr(TASKS[task], name), task=task) is None


def test_the_rows_are_in_order_and_of_tasks_that_exist() -> None:
    order = [(list(TASKS).index(row.task), -row.accuracy) for row in KNOWN]
    assert order == sorted(order)
    assert all(row.source for row in KNOWN)

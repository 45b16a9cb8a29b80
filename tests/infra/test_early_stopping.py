"""Whether SageMaker ends a trial early follows the settings."""

from typing import Any

import pytest

from tests.infra.conftest import as_it_stands, synthesize
from tests.infra.machines import job_request, machine_of


def stopping(parts: dict[str, Any]) -> str:
    request = job_request(machine_of({"dev": parts}, "dev", "pipeline")["States"]["Tune"])
    return request["HyperParameterTuningJobConfig"]["TrainingJobEarlyStoppingType"]


def test_a_trial_that_is_no_better_is_ended_by_default() -> None:
    assert stopping(as_it_stands("dev")) == "Auto"


@pytest.mark.parametrize("given", [{"training.early_stopping": "false"}, {"training.strategy": "Random"}])
def test_every_trial_runs_to_its_end_where_it_is_set(given: dict[str, str]) -> None:
    assert stopping(synthesize("dev", **given)) == "Off"

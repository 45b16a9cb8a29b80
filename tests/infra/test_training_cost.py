"""What a tuning job can cost at most: known, said at synth, and held to a bound."""

import pytest

from infra.settings import STAGES, Settings, SettingsError, load
from tests.infra.conftest import context


def settings(**overrides: object) -> Settings:
    return load(context(stage="dev", **{f"training.{name}": value for name, value in overrides.items()}).get)


def test_the_bound_is_jobs_times_instances_times_longest_run_times_price() -> None:
    training = settings(
        max_jobs=10, instance_count=2, max_runtime_seconds=1800, usd_per_hour=3, max_cost_usd=30
    ).training
    assert training.longest_cost_usd == 30
    factors = ("$30.00", "10 jobs", "2 ml.g5.xlarge", "0.5 h", "$3 ")
    assert all(factor in training.cost_summary for factor in factors)


def test_the_table_s_price_is_named_with_its_date() -> None:
    training = settings(max_jobs=4, max_runtime_seconds=3600).training
    assert training.longest_cost_usd == pytest.approx(4 * 1.408)
    assert "2025-06" in training.cost_summary and "us-east-1" in training.cost_summary


def test_a_tuning_job_above_the_bound_is_rejected_with_what_to_change() -> None:
    with pytest.raises(SettingsError, match=r"max_cost_usd = 5.0: .*\$33\.79.*max_jobs"):
        settings(max_cost_usd=5)


def test_an_unknown_price_is_asked_for() -> None:
    with pytest.raises(SettingsError, match="usd_per_hour = null: .*ml.p9.xlarge"):
        settings(instance_type="ml.p9.xlarge")
    assert settings(instance_type="ml.p9.xlarge", usd_per_hour=2).training.price == 2


def test_all_faults_of_a_training_section_are_reported_together() -> None:
    words = "(?s)max_cost_usd = 1.0: .*max_parallel_jobs = 9: .*max_jobs"
    with pytest.raises(SettingsError, match=words):
        settings(max_parallel_jobs=9, max_cost_usd=1)


@pytest.mark.parametrize("stage", STAGES)
def test_every_stage_of_cdk_json_has_a_bounded_cost(stage: str) -> None:
    training = load(context(stage=stage).get).training
    assert training.longest_cost_usd is not None
    assert training.longest_cost_usd <= training.max_cost_usd


@pytest.mark.parametrize(
    ("instance", "count", "several"),
    [
        ("ml.g5.xlarge", 1, False),
        ("ml.g5.12xlarge", 1, True),
        ("ml.g5.xlarge", 2, True),
        ("ml.m5.large", 1, False),
    ],
)
def test_several_gpus_or_instances_mean_several_processes(instance: str, count: int, several: bool) -> None:
    training = settings(instance_type=instance, instance_count=count, max_cost_usd=10_000).training
    assert training.is_distributed is several

"""Which quotas a stage needs."""

from typing import Any

from infra.settings import load
from infra.tools.quotas import quotas
from tests.infra.conftest import context


def needed(stage: str, **given: Any) -> dict[str, int]:
    return {quota.name: quota.needed for quota in quotas(load(context(stage=stage, **given).get))}


def test_an_endpoint_needs_both_fleets_of_an_update() -> None:
    assert needed("dev")["ml.c7i.large for endpoint usage"] == 2
    assert needed("prod")["ml.c7i.xlarge for endpoint usage"] == 16
    assert needed("prod")["Number of instances across active endpoints"] == 16


def test_training_needs_the_instances_of_all_trials_at_a_time_spot_or_not() -> None:
    given = {"training.instance_count": 2, "training.max_parallel_jobs": 3, "training.max_cost_usd": 9_999}
    assert needed("dev", **given)["ml.g5.xlarge for spot training job usage"] == 6
    assert needed("dev", **given, **{"training.spot": False})["ml.g5.xlarge for training job usage"] == 6


def test_a_graviton_endpoint_is_built_on_arm() -> None:
    assert "Concurrently running builds for Linux/Small environment" in needed("dev")
    arm = needed("dev", **{"serving.instance_type": "ml.c7g.large"})
    assert "Concurrently running builds for ARM/Small environment" in arm
    # the gate's image is built for x86 as well
    assert "Concurrently running builds for Linux/Small environment" in arm

"""A stage's settings: bounded, overridable, every fault reported at once."""

import pytest

from infra.settings import STAGES, SettingsError, load
from infra.settings.reference import reference
from tests.infra.conftest import context


@pytest.mark.parametrize("stage", STAGES)
def test_every_stage_of_cdk_json_is_valid(stage: str) -> None:
    assert load(context(stage=stage).get).stage == stage


def test_an_unknown_stage_names_those_that_exist() -> None:
    with pytest.raises(SettingsError, match="unknown stage 'staging'.*local, dev, prod"):
        load(context(stage="staging").get)


def test_a_missing_stage_is_told_how_to_name_one() -> None:
    with pytest.raises(SettingsError, match="-c stage=NAME"):
        load({"stages": {"dev": {}}}.get)


def test_a_context_without_stages_says_what_to_add() -> None:
    with pytest.raises(SettingsError, match='no "stages" object'):
        load({"stage": "dev"}.get)


def test_all_faults_are_reported_in_one_message() -> None:
    wrong = {
        "dev": {
            "regoin": "eu-west-1",
            "training": {"max_jobs": 0, "arch": "alexnet"},
            "serving": {"min_instances": 3, "max_instances": 2},
        }
    }
    with pytest.raises(SettingsError) as raised:
        load({"stage": "dev", "stages": wrong}.get)
    text = str(raised.value)
    for expected in (
        "4 wrong",
        "regoin",
        "training.max_jobs",
        "training.arch",
        "must not exceed max_instances",
    ):
        assert expected in text


def test_a_value_can_be_overridden_by_its_path() -> None:
    settings = load(context(stage="dev", **{"training.max_jobs": "3", "training.arch": "resnet34"}).get)
    assert (settings.training.max_jobs, settings.training.arch) == (3, "resnet34")


def test_lists_and_objects_are_overridden_as_json() -> None:
    given = {"training.epochs": "[1, 2]", "tags": '{"owner": "ops"}'}
    settings = load(context(stage="dev", **given).get)
    assert (settings.training.epochs, settings.tags) == ((1, 2), {"owner": "ops"})


def test_broken_json_on_the_command_line_is_a_fault_of_the_setting() -> None:
    with pytest.raises(SettingsError, match="training.epochs"):
        load(context(stage="dev", **{"training.epochs": "[1,"}).get)


def test_spot_needs_time_to_wait() -> None:
    with pytest.raises(SettingsError, match="max_wait_seconds must be at least"):
        load(context(stage="dev", **{"training.max_wait_seconds": 100}).get)


def test_a_canary_needs_two_instances() -> None:
    with pytest.raises(SettingsError, match="canary_percent needs min_instances of at least 2"):
        load(context(stage="prod", **{"serving.min_instances": 1}).get)


@pytest.mark.parametrize(
    ("instance", "arm"),
    [("ml.c7g.large", True), ("ml.m6gd.xlarge", True), ("ml.c7i.large", False), ("ml.g5.xlarge", False)],
)
def test_graviton_is_known_by_the_instance_type(instance: str, arm: bool) -> None:
    settings = load(context(stage="dev", **{"serving.instance_type": instance}).get)
    assert settings.serving.is_arm is arm


def test_the_reference_lists_every_setting_with_its_meaning() -> None:
    rows = [row.split("|") for row in reference().splitlines()[2:]]
    assert {"`training.max_jobs`", "`region`"} <= {row[1].strip() for row in rows}
    assert all(row[3].strip() for row in rows), "a setting has no description"

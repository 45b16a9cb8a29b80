"""A stage's settings: bounded, overridable, every fault reported at once."""

from typing import Any

import pytest

from data_prep.request import Stored, parse_request
from infra.names import Names
from infra.settings import STAGES, SettingsError, load
from infra.settings.__main__ import reference
from tests.infra.conftest import context


@pytest.mark.parametrize("stage", STAGES)
def test_every_stage_of_cdk_json_is_valid(stage: str) -> None:
    assert load(context(stage=stage).get).stage == stage


def test_an_unknown_stage_names_those_that_exist() -> None:
    with pytest.raises(SettingsError, match="'staging'.*dev, prod, trial, local"):
        load(context(stage="staging").get)


def test_a_missing_stage_is_an_error_that_says_how_to_name_one() -> None:
    with pytest.raises(SettingsError, match="-c stage=NAME"):
        load({"stages": {"dev": {}}}.get)


def test_a_context_without_stages_says_what_to_add() -> None:
    with pytest.raises(SettingsError, match='no "stages" object'):
        load({"stage": "dev"}.get)


def test_all_faults_are_reported_in_one_message() -> None:
    wrong = {
        "dev": {
            "regoin": "eu-west-1",
            "training": {"max_jobs": 0, "arch": "resnet19"},
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


def faults(stage: str = "dev", stages: dict[str, Any] | None = None, **given: Any) -> list[str]:
    """The lines of the error, without the first."""
    values = {**context(stage=stage), **({"stages": stages} if stages else {}), **given}
    with pytest.raises(SettingsError) as raised:
        load(values.get, given=values)
    first, *lines = str(raised.value).splitlines()
    assert first.startswith(f"{len(lines)} wrong setting(s) of stage '{stage}'")
    return [line.strip() for line in lines]


def test_a_fault_of_one_setting_hides_none_between_others() -> None:
    lines = faults(
        **{
            "training.epochs": "[9, 2]",
            "training.max_parallel_jobs": 9,
            "serving.canary_percent": 5,
            "serving.base_image": "python:3.13",
            "api.api_keys": '["till"]',
            "release.approval": "never",
        }
    )
    assert [line.split(" = ")[0] for line in lines] == [
        "api.api_keys",
        "release.approval",
        "serving.base_image",
        "serving.canary_percent",
        "training.epochs",
        "training.max_parallel_jobs",
    ]


def test_a_rule_is_not_asked_about_a_setting_that_is_wrong_itself() -> None:
    (line,) = faults(**{"training.max_jobs": 0})
    assert line.startswith("training.max_jobs = 0: ")


def test_a_fault_shows_its_own_setting_and_value_in_plain_words() -> None:
    (line,) = faults(**{"training.learning_rate": "[0.1, 0.01]"})
    words = "a range [low, high] with 0 < low < high is expected"
    assert line == f"training.learning_rate = [0.1, 0.01]: {words}"


def test_a_timeout_that_is_too_short_comes_with_a_pair_that_would_do() -> None:
    given = {"serving.bake_seconds": 3600, "release.timeout_minutes": 60, "release.poll_seconds": 15}
    (line,) = faults("prod", **given)
    assert line.startswith("release.timeout_minutes = 60: ends before a rollout")
    assert line.endswith("to at least 195 and release.poll_seconds to at least 33 (now 15)")
    pair = {"release.timeout_minutes": 195, "release.poll_seconds": 33}
    load(context(stage="prod", **{**given, **pair}).get)


def test_a_region_without_a_training_image_is_an_error_that_lists_others() -> None:
    (line,) = faults(region="mx-central-9")
    assert line.startswith('region = "mx-central-9": ') and "eu-west-1, eu-west-2" in line


def test_streaming_single_images_is_rejected() -> None:
    (line,) = faults(**{"training.input_mode": "FastFile"})
    assert line.startswith('training.input_mode = "FastFile": ') and '"shards"' in line


def test_images_stored_smaller_than_the_network_sees_are_rejected() -> None:
    (line,) = faults("prod", **{"training.image_size": 300})
    assert line.startswith('data_prep.stored = {"short_side": 256, "quality": 90, "square": true}: ')


OWN = {"data_prep.source_bucket": "my-photographs", "data_prep.unsigned": False}


def test_images_of_ones_own_are_asked_for_as_data_preparation_takes_them() -> None:
    labels = {"data_prep.source_kind": "ground-truth", "data_prep.labels": "s3://labels/of 2026.manifest"}
    more = {"data_prep.label_attribute": "bins", "data_prep.near_duplicates": "allow"}
    settings = load(context(stage="dev", **{**OWN, **labels, **more}).get)
    source = parse_request(settings.data_prep.request()).source
    assert (source.kind, source.labels) == ("ground-truth", "s3://labels/of 2026.manifest")
    assert (source.label_attribute, source.near_duplicates) == ("bins", "allow")
    folders = load(context(stage="dev", **{**OWN, "data_prep.source_kind": "class-folders"}).get)
    assert parse_request(folders.data_prep.request()).source.own


def test_corrections_are_asked_for_only_where_a_file_is_named() -> None:
    assert "corrections" not in load(context(stage="dev").get).data_prep.request()
    address = "s3://labels/corrections.jsonl"
    settings = load(context(stage="dev", **{"data_prep.corrections": address}).get)
    assert parse_request(settings.data_prep.request()).corrections == address


def test_the_public_layouts_request_is_as_it_was() -> None:
    request = load(context(stage="dev").get).data_prep.request()
    assert request["source"] == {"bucket": "aft-vbi-pds", "prefix": "", "unsigned": True}


@pytest.mark.parametrize(
    ("given", "setting", "part"),
    [
        ({"data_prep.source_kind": "class-folders"}, "data_prep.source_kind", "set data_prep.source_bucket"),
        ({**OWN, "data_prep.source_kind": "table"}, "data_prep.labels", "which need it"),
        ({**OWN, "data_prep.labels": "s3://labels/a.csv"}, "data_prep.labels", "that is public"),
        (
            {**OWN, "data_prep.source_kind": "table", "data_prep.labels": "s3://labels/a.csv",
             "data_prep.label_attribute": "bins"},
            "data_prep.labels", "empty it",
        ),
        (
            {**OWN, "data_prep.source_kind": "class-folders", "data_prep.file_list": "s3://lists/a.json"},
            "data_prep.file_list", "empty it",
        ),
    ],
)  # fmt: skip
def test_settings_of_own_images_that_do_not_fit_are_faults(
    given: dict[str, Any], setting: str, part: str
) -> None:
    (line,) = faults(**given)
    assert line.startswith(f"{setting} = ") and part in line


def test_prod_asks_for_shards_of_small_images_and_streams_them() -> None:
    settings = load(context(stage="prod").get)
    request = parse_request(settings.data_prep.request())
    assert (request.layout, request.stored) == ("shards", Stored(short_side=256, quality=90, square=True))
    assert settings.training.input_mode == "FastFile"


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("network.subnet_ids", '["subnet-1"]'),
        ("network.subnet_ids", '["arn:aws:ec2:::subnet-0123456789abcdef0"]'),
        ("network.security_group_ids", '["default"]'),
        ("training.image_tag", "2.14-{acelerator}"),
        ("training.image_tag", "2.14-{"),
        ("data_prep.source_prefix", "bins"),
        ("data_prep.source_prefix", "${b}/"),
        ("data_prep.file_list", "s3://lists/${key}"),
        ("training.weights_uri", "s3://weights/*"),
        ("security.permissions_boundary", "arn:aws:iam::123456789012:policy/a b"),
        ("tags", '{"": "x"}'),
        ("tags", '{"aws:owner": "x"}'),
        ("tags", '{"owner": "a\\nb"}'),
        ("tags", '{"Owner": "a", "owner": "b"}'),  # one key to IAM
        ("tags", '{"Stage": "live"}'),  # is beside our own "stage"
        ("tags", '{"system": "mine"}'),  # the budget counts by it
        ("operations.retrain", "cron(0 12 * * *)"),  # a crontab's five fields
        ("operations.retrain", "rate(0 days)"),
        ("operations.retrain", "rate(daily)"),
        ("gate.instance_type", "ml.c7g.large"),
        ("recount.instance_type", "ml.m6g.large"),
        ("training.fixed", '{"epochs": 9}'),  # tuned
        ("training.fixed", '{"arch": "resnet18"}'),
        ("training.fixed", '{"sagemaker_program": "other.py"}'),
        ("training.batch_sizes", "[32, 32]"),
        ("recount.buckets", '["two..dots"]'),
        ("recount.buckets", '["10.0.0.1"]'),
    ],
)
def test_what_the_cdk_or_aws_would_not_take_is_a_fault_of_its_setting(setting: str, value: str) -> None:
    existing = {"network.vpc": "existing"} if setting.startswith("network.") else {}
    lines = faults("prod", **{**existing, setting: value})
    assert any(line.startswith(f"{setting} = ") for line in lines), lines


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("tags", '{"stage": "live", "Owner": "ops"}'),
        ("operations.retrain", "rate(7 days)"),
        ("operations.retrain", "cron(0 6 ? * MON *)"),
        ("training.fixed", '{"precision": "fp16"}'),
        ("serving.instance_type", "ml.c7g.large"),
    ],
)
def test_what_aws_takes_is_no_fault(setting: str, value: str) -> None:
    assert load(context(stage="dev", **{setting: value}).get)


@pytest.mark.parametrize(
    ("key", "meant"),
    [
        ("retain-data", "retain_data"),
        ("RETAIN_DATA", "retain_data"),
        ("serving.max_instnces", "serving.max_instances"),
        ("trainig.max_jobs", "training.max_jobs"),
        ("regoin", "region"),
    ],
)
def test_a_misspelt_setting_on_the_command_line_is_reported(key: str, meant: str) -> None:
    (line,) = faults(**{key: "2"})
    assert line.startswith(f'{key}: no such setting (did you mean "{meant}"?)')


def test_a_misspelt_setting_in_the_file_is_reported() -> None:
    (line,) = faults(stages={"dev": {"serving": {"max_instnces": 2}}})
    assert line.startswith('serving.max_instnces = 2: no such setting (did you mean "max_instances"?)')


def test_what_the_cdk_and_others_keep_in_the_context_is_no_fault() -> None:
    zones = "availability-zones:account=1:region=eu-west-1"
    others = {"aws:cdk:version-reporting": True, zones: [], "team": "a"}
    given = context(stage="dev", **others)
    assert load(given.get, given=given).stage == "dev"


def test_a_stage_takes_the_settings_of_the_one_that_it_extends() -> None:
    stages = {
        "base": {"log_retention_days": 7, "serving": {"min_instances": 2, "max_instances": 4}},
        "mid": {"extends": "base", "serving": {"max_instances": 6}},
        "top": {"extends": "mid", "tags": {"owner": "ops"}},
    }
    settings = load({"stage": "top", "stages": stages}.get)
    assert (settings.serving.min_instances, settings.serving.max_instances) == (2, 6)
    assert (settings.log_retention_days, settings.tags) == (7, {"owner": "ops"})


@pytest.mark.parametrize(
    ("stages", "words"),
    [
        ({"dev": {"extends": "prd"}, "prod": {}}, r'stages.dev.extends = "prd": .*\(did you mean "prod"'),
        ({"dev": {"extends": "b"}, "b": {"extends": "dev"}}, "in a circle: dev -> b -> dev"),
        ({"dev": {"extends": "dev"}}, "in a circle: dev -> dev"),
        ({"dev": {"extends": 3}}, r"stages.dev.extends = 3: no such stage"),
        ({"dev": []}, r"stages.dev = \[\]: an object with settings is expected"),
    ],
)
def test_a_wrong_base_is_reported(stages: dict[str, Any], words: str) -> None:
    with pytest.raises(SettingsError, match=words):
        load({"stage": "dev", "stages": stages}.get)


def test_a_stage_that_is_no_text_is_reported() -> None:
    with pytest.raises(SettingsError, match="dev.*-c stage=NAME|-c stage=NAME.*dev"):
        load({"stage": ["dev"], "stages": {"dev": {}}}.get)


@pytest.mark.parametrize("name", ["qa", "staging", "production", "a123456789"])
def test_any_name_can_be_a_stage(name: str) -> None:
    names = Names(load({"stage": name, "stages": {name: {}}}.get).stage)
    assert len(f"{names.tuning_jobs}{'0' * 16}") <= 32  # SageMaker's limit


@pytest.mark.parametrize("name", ["", "Dev", "dev\n", "dev-1", "1dev", "a1234567890", "dév"])
def test_a_name_that_aws_or_another_stage_rules_out_is_rejected(name: str) -> None:
    with pytest.raises(SettingsError, match="10 letters a-z and digits"):
        load({"stage": name, "stages": {name: {}}}.get)


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
    with pytest.raises(SettingsError, match="training.max_wait_seconds = 100: .*max_runtime_seconds"):
        load(context(stage="dev", **{"training.max_wait_seconds": 100}).get)


def test_a_canary_needs_two_instances() -> None:
    with pytest.raises(SettingsError, match="serving.canary_percent = 50: .*min_instances .*2"):
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

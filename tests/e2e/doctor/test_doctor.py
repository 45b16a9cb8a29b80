"""`make doctor` on the embedded cloud: each thing that an account may miss before a deploy, one at a time."""

from collections.abc import Callable

import pytest
from embedded_cloud.cloud import Cloud
from embedded_cloud.testing import make_role

from tests.e2e.doctor.doctor_kit import BOOTSTRAP, Look, bootstrapped, looking

pytestmark = pytest.mark.e2e


def test_with_the_documented_rights_no_question_is_denied(look: Look) -> None:
    unknown = {name for name, finding in look().items() if finding.state == "unknown"}
    assert unknown == {"licence", "alarms reach a person"}


def test_an_account_without_the_cdks_stack_gets_the_command(cloud: Cloud, look: Look) -> None:
    cloud.client("ssm").delete_parameter(Name=BOOTSTRAP)
    try:
        found = look("bootstrap")["bootstrap"]
    finally:
        bootstrapped(cloud, "30")
    assert (found.state, found.next) == ("missing", "npx cdk bootstrap aws://000000000000/us-east-1")


def test_an_old_bootstrap_is_to_be_renewed(cloud: Cloud, look: Look) -> None:
    bootstrapped(cloud, "5")
    try:
        found = look("bootstrap")["bootstrap"]
    finally:
        bootstrapped(cloud, "30")
    assert found.state == "missing"
    assert "version 5" in found.text


OWN = {"data_prep.source_bucket": "my-photographs", "data_prep.unsigned": False}


def test_images_of_ones_own_are_looked_for(cloud: Cloud, look: Look) -> None:
    labels = {"data_prep.source_kind": "table", "data_prep.labels": "s3://my-photographs/labels.csv"}
    s3, given = cloud.client("s3"), {**OWN, **labels, "data_prep.source_prefix": "hall/"}
    found = look("own images", **given)["own images"]
    assert (found.state, found.text) == ("missing", "there is no bucket my-photographs")
    s3.create_bucket(Bucket="my-photographs")
    assert look("own images", **given)["own images"].text == "nothing is below s3://my-photographs/hall/"
    s3.put_object(Bucket="my-photographs", Key="hall/a.jpg", Body=b"x")
    found = look("own images", **given)
    assert (found["own images"].state, found["labels"].state) == ("ok", "missing")
    s3.put_object(Bucket="my-photographs", Key="labels.csv", Body=b"image,count\n")
    assert look("own images", **given)["labels"].state == "ok"
    corrections = {"data_prep.corrections": "s3://my-photographs/corrections.jsonl"}
    assert look("own images", **given, **corrections)["corrections"].state == "missing"


def test_a_bucket_that_is_read_without_credentials_is_pointed_out(look: Look) -> None:
    found = look("own images", **OWN | {"data_prep.unsigned": True})["own images, unsigned"]
    assert (found.state, found.next) == ("unknown", "set data_prep.unsigned to false in cdk.json")


def test_a_quota_below_both_fleets_of_an_update_is_missing(look: Look) -> None:
    found = look("quotas", **{"serving.max_instances": 2})["quotas: ml.c7i.large for endpoint usage"]
    assert found.state == "missing"
    assert found.text.startswith("2 allowed, 4 needed")
    assert "--desired-value 4" in found.next


def test_a_quota_that_was_never_applied_is_at_its_default(look: Look) -> None:
    given = {"training.instance_type": "ml.g5.2xlarge"}
    found = look("quotas", **given)["quotas: ml.g5.2xlarge for spot training job usage"]
    assert found.state == "missing"
    assert "0 allowed, the default of AWS" in found.text


def test_what_the_doctor_says_of_a_quota_can_be_done(cloud: Cloud, look: Look) -> None:
    given = {"gate.instance_type": "ml.m5.2xlarge"}
    name = "quotas: ml.m5.2xlarge for processing job usage"
    words = look("quotas", **given)[name].next.split()
    code, value = (words[words.index(flag) + 1] for flag in ("--quota-code", "--desired-value"))
    cloud.client("service-quotas").request_service_quota_increase(
        ServiceCode="sagemaker", QuotaCode=code, DesiredValue=float(value)
    )
    assert look("quotas", **given)[name].state == "ok"


def test_a_type_that_sagemaker_has_not_is_named(look: Look) -> None:
    found = look("instance types", **{"training.instance_type": "ml.g5.3xlarge", "training.usd_per_hour": 1})
    assert found["instance type: training"].state == "missing"
    assert "ml.g5.2xlarge" in found["instance type: training"].next


def test_a_region_that_has_none_of_a_type_is_reported(look: Look) -> None:
    found = look("instance types", region="eu-west-1")["instance type: endpoint"]
    assert found.state == "missing"
    assert "c7i.large" in found.text and "eu-west-1" in found.text
    assert "serving.instance_type" in found.next


def test_fewer_lambdas_at_a_time_than_the_maps_need_are_missing(look: Look) -> None:
    found = look("quotas", **{"data_prep.max_concurrency": 900})["map-concurrency"]
    assert found.state == "missing"
    assert "910 needed" in found.text and "--desired-value 910" in found.next


def test_a_zone_without_the_types_is_named_with_better_ones(look: Look) -> None:
    given = {"network.vpc": "created", "network.availability_zones": ["us-east-1a", "us-east-1e"]}
    found = look("zones", **given)["zones"]
    assert found.state == "missing"
    assert "c7i.large in us-east-1e" in found.text
    assert "us-east-1b" in found.next


def test_the_zones_of_an_existing_vpc_are_those_of_its_subnets(cloud: Cloud, look: Look) -> None:
    ec2 = cloud.client("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.9.0.0/16")["Vpc"]["VpcId"]
    subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.9.1.0/24", AvailabilityZone="us-east-1e")
    given = {
        "network.vpc": "existing",
        "network.subnet_ids": [subnet["Subnet"]["SubnetId"]],
        "network.security_group_ids": ["sg-0123456789abcdef0"],
    }
    found = look("zones", **given)["zones"]
    assert found.state == "missing"
    assert "us-east-1e" in found.text


def test_a_training_image_that_is_not_there_is_missing(look: Look) -> None:
    found = look("training-image", **{"training.image_tag": "2.99-{accelerator}-amzn2023-sagemaker"})[
        "training-image"
    ]
    assert found.state == "missing"
    assert "2.99-cu133" in found.text


def test_somebody_elses_logging_role_is_not_replaced(cloud: Cloud, look: Look) -> None:
    gateway = cloud.client("apigateway")

    def put(role: str) -> None:
        change = {"op": "replace", "path": "/cloudwatchRoleArn", "value": role}
        gateway.update_account(patchOperations=[change])

    foreign = make_role(cloud, name="platform-logs", actions=["logs:*"])
    put(foreign)
    try:
        found = look("API logging role")["API logging role"]
        assert look("API logging role", **{"api.logging_role": False})["API logging role"].state == "ok"
    finally:
        put("")
    assert (found.state, found.next) == (
        "missing",
        "set api.logging_role to false for this stage in cdk.json",
    )
    assert foreign in found.text
    assert look("API logging role", **{"api.logging_role": False})["API logging role"].state == "missing"


def leave_bucket(cloud: Cloud) -> Callable[[], object]:
    s3, name = cloud.client("s3"), "bincount-dev-data-bucket-1"
    s3.create_bucket(Bucket=name)
    return lambda: s3.delete_bucket(Bucket=name)


def leave_group(cloud: Cloud) -> Callable[[], object]:
    sagemaker, name = cloud.client("sagemaker"), "bincount-dev"
    sagemaker.create_model_package_group(ModelPackageGroupName=name)
    return lambda: sagemaker.delete_model_package_group(ModelPackageGroupName=name)


def leave_key(cloud: Cloud) -> Callable[[], object]:
    kms, tag = cloud.client("kms"), {"TagKey": "part", "TagValue": "bincount-dev-data/Key"}
    key = kms.create_key(Tags=[tag])["KeyMetadata"]["KeyId"]
    return lambda: kms.schedule_key_deletion(KeyId=key, PendingWindowInDays=7)


def leave_alias(cloud: Cloud) -> Callable[[], object]:
    kms, name = cloud.client("kms"), "alias/bincount-dev"
    kms.create_alias(AliasName=name, TargetKeyId=kms.create_key()["KeyMetadata"]["KeyId"])
    return lambda: kms.delete_alias(AliasName=name)


LEFT = {
    "bucket bincount-dev-data": leave_bucket,
    "model package group bincount-dev": leave_group,
    "key ": leave_key,
    "key alias alias/bincount-dev": leave_alias,
}


@pytest.mark.parametrize("what", LEFT)
def test_what_a_destroyed_stage_left_is_named(cloud: Cloud, look: Look, what: str) -> None:
    remove = LEFT[what](cloud)
    try:
        found = look("left from before")["left from before"]
    finally:
        remove()
    assert (found.state, found.next) == ("missing", "make adopt STAGE=dev")
    assert what in found.text
    assert "make teardown STAGE=dev" in found.text


def test_a_log_group_that_the_deploy_makes_is_in_its_way(cloud: Cloud, look: Look) -> None:
    logs, name = cloud.client("logs"), "/aws/sagemaker/Endpoints/bincount-dev"
    logs.create_log_group(logGroupName=name)
    try:
        found = look("left from before")["left from before"]
    finally:
        logs.delete_log_group(logGroupName=name)
    assert found.state == "missing"
    assert found.next == f"aws logs delete-log-group --log-group-name {name} --region us-east-1"


def test_a_stage_without_a_budget_is_reported(look: Look) -> None:
    assert look("budget", **{"operations.monthly_usd": 0})["budget"].state == "missing"


def test_a_region_of_another_partition_is_reported(look: Look) -> None:
    assert look("identity", region="cn-north-1")["identity"].state == "missing"


def test_without_rights_all_is_unknown_and_nothing_hidden(cloud: Cloud) -> None:
    nothing = {"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": "*", "Resource": "*"}]}
    look = looking(cloud, user="nobody", policy=nothing)
    found = look(**{"operations.email": "a@example.com"})
    reported = {name for name, finding in found.items() if finding.state == "unknown"}
    assert reported >= {
        "bootstrap",
        "quotas of sagemaker",
        "quotas of lambda",
        "quotas of codebuild",
        "instance types",
        "training-image",
        "API logging role",
        "stacks",
        "left from before",
        "budget",
        "alarms reach a person",
        "tuning-fields",
        "image-build",
        "endpoint-strict-mode",
        "typed-parameter",
        "endpoint",
    }
    assert not [name for name, finding in found.items() if finding.state == "missing"]
    assert all(found[name].next for name in reported)

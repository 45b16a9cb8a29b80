"""`make doctor` on the embedded cloud: each thing that an account may lack, one at a time."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from infra import settings
from infra.quotas import quotas
from infra.tools.doctor.__main__ import examine
from infra.tools.doctor.asked import Asked
from infra.tools.doctor.finding import Finding
from local.cloud import Cloud
from tests.e2e.embedded_cloud_kit import make_role
from tests.infra.conftest import as_it_stands, context
from tests.judges.resolved import ACCOUNT, definitions, resolve_stacks

pytestmark = pytest.mark.e2e

ROOT = Path(__file__).resolve().parents[2]
BOOTSTRAP = "/cdk-bootstrap/hnb659fds/version"
PIPELINE = "bincount-dev-pipeline"
READS = re.compile(r"(Get|List|Describe|BatchGet)\w+|TestState")
Look = Callable[..., dict[str, Finding]]


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    """An account that lacks nothing for the stage dev."""
    with Cloud(data_dir=tmp_path_factory.mktemp("cloud")) as started:
        bootstrapped(started, "30")
        service = started.client("service-quotas")
        for quota in quotas(settings.load(context(stage="dev").get)):
            grant(started, quota.service, quota.name, quota.needed)
        assert service.list_service_quotas(ServiceCode="sagemaker")["Quotas"]
        yield started


def bootstrapped(cloud: Cloud, version: str) -> None:
    cloud.client("ssm").put_parameter(Name=BOOTSTRAP, Value=version, Type="String", Overwrite=True)


def grant(cloud: Cloud, service: str, name: str, value: float) -> None:
    client = cloud.client("service-quotas")
    pages = client.get_paginator("list_aws_default_service_quotas").paginate(ServiceCode=service)
    (code,) = [q["QuotaCode"] for page in pages for q in page["Quotas"] if q["QuotaName"] == name]
    client.request_service_quota_increase(ServiceCode=service, QuotaCode=code, DesiredValue=value)


def key_of(cloud: Cloud, user: str, policy: dict[str, Any]) -> dict[str, str]:
    """What makes a client one of a new user with that policy alone."""
    iam = cloud.client("iam")
    iam.create_user(UserName=user)
    iam.put_user_policy(UserName=user, PolicyName="own", PolicyDocument=json.dumps(policy))
    key = iam.create_access_key(UserName=user)["AccessKey"]
    return {"aws_access_key_id": key["AccessKeyId"], "aws_secret_access_key": key["SecretAccessKey"]}


def documented_policy() -> dict[str, Any]:
    (policy,) = re.findall(r"```json\n(.*?)```", (ROOT / "docs/doctor.md").read_text(), re.DOTALL)
    return json.loads(policy)


@pytest.fixture(scope="module")
def operations() -> set[str]:
    """The names of all operations that the doctor has called."""
    return set()


@pytest.fixture(scope="module")
def look(cloud: Cloud, operations: set[str]) -> Look:
    """{name: finding} for dev with other settings, as a user with the documented rights sees it."""
    keys = key_of(cloud, "doctor", documented_policy())
    return partial(findings, cloud, keys, operations)


def findings(cloud: Cloud, keys: dict[str, str], operations: set[str], **given: Any) -> dict[str, Finding]:
    def record(model: Any, **_: Any) -> None:
        operations.add(model.name)

    def client(service: str) -> Any:
        made = cloud.client(service, **keys)
        made.meta.events.register("before-call", record)
        return made

    caller = client("sts").get_caller_identity()
    asked = Asked(
        client=client,
        settings=settings.load(context(stage="dev", **given).get),
        caller=caller["Arn"],
        account=caller["Account"],
    )
    return {finding.name: finding for finding in examine(asked)}


def run(cloud: Cloud | None, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """The doctor as make calls it."""
    clean = {key: value for key, value in os.environ.items() if not key.startswith("AWS_")}
    environment = {**clean, **(cloud.environment() if cloud else {}), **variables}
    command = [sys.executable, "-m", "infra.tools.doctor", *arguments]
    return subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120, check=False
    )


def test_an_account_that_lacks_nothing_is_told_so(cloud: Cloud) -> None:
    done = run(cloud, "--stage", "dev", "--json")
    found = json.loads(done.stdout)
    assert done.returncode == 0, done.stdout
    assert {each["state"] for each in found} == {"ok", "unknown"}
    assert all(bool(each["next"]) == (each["state"] != "ok") for each in found)


def test_with_the_documented_rights_no_question_is_refused(look: Look) -> None:
    unknown = {name for name, finding in look().items() if finding.state == "unknown"}
    assert unknown == {"licence", "alarms reach a person"}


def test_an_account_without_the_cdks_stack_is_told_how(cloud: Cloud, look: Look) -> None:
    cloud.client("ssm").delete_parameter(Name=BOOTSTRAP)
    try:
        found = look()["bootstrap"]
    finally:
        bootstrapped(cloud, "30")
    assert (found.state, found.next) == ("missing", "npx cdk bootstrap aws://000000000000/us-east-1")


def test_an_old_bootstrap_is_to_be_renewed(cloud: Cloud, look: Look) -> None:
    bootstrapped(cloud, "5")
    try:
        found = look()["bootstrap"]
    finally:
        bootstrapped(cloud, "30")
    assert found.state == "missing"
    assert "version 5" in found.text


def test_a_quota_below_both_fleets_of_an_update_is_missing(look: Look) -> None:
    found = look(**{"serving.max_instances": 2})["quota: ml.c7i.large for endpoint usage"]
    assert found.state == "missing"
    assert found.text.startswith("2 allowed, 4 needed")
    assert "--desired-value 4" in found.next


def test_a_quota_that_was_never_applied_stands_at_its_default(look: Look) -> None:
    given = {"training.instance_type": "ml.g5.2xlarge"}
    found = look(**given)["quota: ml.g5.2xlarge for spot training job usage"]
    assert found.state == "missing"
    assert "0 allowed, the default of AWS" in found.text


def test_what_the_doctor_says_of_a_quota_can_be_done(cloud: Cloud, look: Look) -> None:
    given = {"gate.instance_type": "ml.m5.2xlarge"}
    name = "quota: ml.m5.2xlarge for processing job usage"
    words = look(**given)[name].next.split()
    code, value = (words[words.index(flag) + 1] for flag in ("--quota-code", "--desired-value"))
    cloud.client("service-quotas").request_service_quota_increase(
        ServiceCode="sagemaker", QuotaCode=code, DesiredValue=float(value)
    )
    assert look(**given)[name].state == "ok"


def test_a_type_that_sagemaker_has_not_is_named(look: Look) -> None:
    found = look(**{"training.instance_type": "ml.g5.3xlarge", "training.usd_per_hour": 1})
    assert found["instance type: training"].state == "missing"
    assert "ml.g5.2xlarge" in found["instance type: training"].next


def test_a_zone_without_the_types_is_named_with_better_ones(look: Look) -> None:
    given = {"network.vpc": "created", "network.availability_zones": ["us-east-1a", "us-east-1e"]}
    found = look(**given)["zones"]
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
    found = look(**given)["zones"]
    assert found.state == "missing"
    assert "us-east-1e" in found.text


def test_a_training_image_that_is_not_there_is_missing(look: Look) -> None:
    found = look(**{"training.image_tag": "2.99-{accelerator}-amzn2023-sagemaker"})["training image"]
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
        found = look()["API logging role"]
        assert look(**{"front.logging_role": False})["API logging role"].state == "ok"
    finally:
        put("")
    assert (found.state, found.next) == (
        "missing",
        "set front.logging_role to false for this stage in cdk.json",
    )
    assert foreign in found.text
    assert look(**{"front.logging_role": False})["API logging role"].state == "missing"


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
        found = look()["left from before"]
    finally:
        remove()
    assert (found.state, found.next) == ("missing", "make adopt STAGE=dev")
    assert what in found.text
    assert "make teardown STAGE=dev" in found.text


def test_a_log_group_that_the_deploy_makes_is_in_its_way(cloud: Cloud, look: Look) -> None:
    logs, name = cloud.client("logs"), "/aws/sagemaker/Endpoints/bincount-dev"
    logs.create_log_group(logGroupName=name)
    try:
        found = look()["left from before"]
    finally:
        logs.delete_log_group(logGroupName=name)
    assert found.state == "missing"
    assert found.next == f"aws logs delete-log-group --log-group-name {name} --region us-east-1"


def test_a_stage_without_a_budget_is_told(look: Look) -> None:
    assert look(**{"operations.monthly_usd": 0})["budget"].state == "missing"


def test_an_address_that_did_not_confirm_is_told(cloud: Cloud, look: Look) -> None:
    sns, given = cloud.client("sns"), {"operations.email": "team@example.com"}
    assert look(**given)["alarms reach a person"].state == "ok"
    topic = sns.create_topic(Name="bincount-dev-alarms")["TopicArn"]
    sns.subscribe(TopicArn=topic, Protocol="email", Endpoint="team@example.com")
    try:
        found = look(**given)["alarms reach a person"]
    finally:
        sns.delete_topic(TopicArn=topic)
    assert found.state == "missing"
    assert "open the mail" in found.next


@pytest.fixture(scope="module")
def definition() -> dict[str, Any]:
    """The pipeline of dev as its template has it."""
    parts = {name: {**template.to_json()} for name, template in as_it_stands("dev").items()}
    resolved = resolve_stacks(parts, region="us-east-1", partition="aws")
    found = definitions(resolved["training"]).values()
    (pipeline,) = [each for each in found if "createHyperParameterTuningJob" in json.dumps(each)]
    return json.loads(json.dumps(pipeline).replace(ACCOUNT, "000000000000"))


def with_pipeline(
    cloud: Cloud, look: Look, definition: dict[str, Any], *, role: str, **changed: str
) -> Finding:
    """What the doctor says of the pipeline, with a text of its definition replaced by another."""
    text = json.dumps(definition)
    for old, new in changed.items():
        assert f'"{old}"' in text
        text = text.replace(f'"{old}"', f'"{new}"')
    states = cloud.client("stepfunctions")
    made = states.create_state_machine(name=PIPELINE, definition=text, roleArn=role)["stateMachineArn"]
    try:
        return look()["tuning-fields"]
    finally:
        states.delete_state_machine(stateMachineArn=made)


@pytest.fixture(scope="module")
def pipeline_role(cloud: Cloud) -> str:
    return make_role(cloud, name="bincount-dev-training-PipelineRole", actions=["sagemaker:*", "iam:*"])


def test_the_tuning_job_is_read_whole_and_none_starts(
    cloud: Cloud, look: Look, definition: dict[str, Any], pipeline_role: str
) -> None:
    found = with_pipeline(cloud, look, definition, role=pipeline_role)
    assert found.state == "ok", found.text
    jobs = cloud.client("sagemaker").list_hyper_parameter_tuning_jobs()
    assert jobs["HyperParameterTuningJobSummaries"] == []


def test_a_value_that_sagemaker_refuses_is_told(
    cloud: Cloud, look: Look, definition: dict[str, Any], pipeline_role: str
) -> None:
    found = with_pipeline(cloud, look, definition, role=pipeline_role, Bayesian="Bayes")
    assert found.state == "missing"
    assert "Bayes" in found.text


def test_a_role_that_may_not_start_the_job_is_told(
    cloud: Cloud, look: Look, definition: dict[str, Any]
) -> None:
    role = make_role(cloud, name="bincount-dev-training-PipelineWithout", actions=["s3:GetObject"])
    found = with_pipeline(cloud, look, definition, role=role)
    assert found.state == "missing"
    assert "role may not" in found.text


def test_a_region_of_another_partition_is_told(look: Look) -> None:
    assert look(region="cn-north-1")["identity"].state == "missing"


def test_without_rights_all_is_unknown_and_nothing_hidden(cloud: Cloud) -> None:
    nothing = {"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": "*", "Resource": "*"}]}
    found = findings(cloud, key_of(cloud, "nobody", nothing), set(), **{"operations.email": "a@example.com"})
    told = {name for name, finding in found.items() if finding.state == "unknown"}
    assert told >= {
        "bootstrap",
        "quotas of sagemaker",
        "quotas of lambda",
        "quotas of codebuild",
        "instance types",
        "training image",
        "API logging role",
        "stacks",
        "left from before",
        "budget",
        "alarms reach a person",
        "tuning-fields",
        "serving image",
        "endpoint-strict-mode",
        "typed-parameter",
        "endpoint",
    }
    assert not [name for name, finding in found.items() if finding.state == "missing"]
    assert all(found[name].next for name in told)


def test_the_doctor_only_reads(operations: set[str]) -> None:
    """The last test of the file: `operations` has what all those before it did."""
    assert operations
    assert {name for name in operations if not READS.fullmatch(name)} == set()


@pytest.mark.parametrize(
    ("arguments", "variables", "words"),
    [
        (["--stage", "nowhere"], {}, "nowhere"),
        (["--stage", "dev", "-c", "training.epocs=3"], {}, "epocs"),
        (["--stage", "dev", "-c", "broken"], {}, "KEY=VALUE"),
        (["--stage", "dev", "--profile", "none-of-that-name"], {}, "none-of-that-name"),
        (["--stage", "dev"], {}, "credentials"),
        (
            ["--stage", "dev"],
            {
                "AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE",
                "AWS_SECRET_ACCESS_KEY": "x",
                "AWS_ENDPOINT_URL": "https://127.0.0.1:9",
            },
            "cannot be asked",
        ),
        (
            ["--stage", "dev"],
            {
                "AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE",
                "AWS_SECRET_ACCESS_KEY": "x",
                "AWS_ENDPOINT_URL": "nonsense",
            },
            "cannot be asked",
        ),
    ],
)
def test_a_wrong_call_ends_with_a_sentence(
    arguments: list[str], variables: dict[str, str], words: str
) -> None:
    neutral = {
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
    }
    done = run(None, *arguments, **neutral, **variables)
    assert done.returncode == 2, done.stderr
    assert words in done.stderr
    assert "Traceback" not in done.stderr


def test_a_key_that_aws_does_not_know_ends_with_a_sentence(cloud: Cloud) -> None:
    done = run(cloud, "--stage", "dev", AWS_ACCESS_KEY_ID="AKIAIOSFODNN7EXAMPLE")
    assert done.returncode == 2
    assert "sign in again" in done.stderr
    assert "Traceback" not in done.stderr

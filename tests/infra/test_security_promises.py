"""Each promise of docs/security.md about resources, held over the templates of every combination."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from infra.shared.sagemaker_role import volume_key
from tests.infra.combinations import COMBINATIONS, synthesized
from tests.judges.aws_tasks import definitions_of, states_of
from tests.judges.deploy_time_values import LATE

Resource = dict[str, Any]
TUNE, EVALUATE = "createHyperParameterTuningJob", "createProcessingJob"
TRANSFORM, MODEL = "createTransformJob", "createModel"
WITH_KEY = ["prod", "dev with everything on"]
IN_A_VPC = ["prod", "dev with everything on", "prod with everything else"]


def of_type(combination: str, kind: str) -> list[tuple[str, Resource]]:
    return [
        (name, resource["Properties"])
        for template in synthesized(combination).values()
        for name, resource in template.find_resources(kind).items()
    ]


def statements(combination: str) -> Iterator[tuple[str, Resource]]:
    """Each statement of each role's policies, with the role's logical id."""
    for name, role in of_type(combination, "AWS::IAM::Role"):
        for policy in role.get("Policies", []):
            yield from ((name, each) for each in policy["PolicyDocument"]["Statement"])
    for _, policy in of_type(combination, "AWS::IAM::Policy"):
        for each in policy["PolicyDocument"]["Statement"]:
            yield policy["Roles"][0]["Ref"], each


def listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def jobs(combination: str) -> dict[str, Resource]:
    """The request of each job or model that a state machine makes, by the call's name."""
    found: dict[str, Resource] = {}
    for template in synthesized(combination).values():
        for definition in definitions_of(template.to_json()).values():
            for _, state in states_of(definition):
                action = str(state.get("Resource", "")).rsplit(":", 1)[-1].removesuffix(".sync")
                if action in (TUNE, EVALUATE, TRANSFORM, MODEL):
                    found[action] = state["Arguments"]
    assert len(found) == 4
    return found


# --- Rights of the roles


@pytest.mark.parametrize("combination", COMBINATIONS)
def test_no_action_has_a_wildcard_but_those_of_the_image_build(combination: str) -> None:
    for role, statement in statements(combination):
        wild = [action for action in listed(statement["Action"]) if "*" in action]
        assert not wild or role.startswith("ContainerImageBuild"), (role, wild)


@pytest.mark.parametrize("combination", COMBINATIONS)
def test_passing_a_role_names_the_role_and_the_service(combination: str) -> None:
    found = [s for _, s in statements(combination) if "iam:PassRole" in listed(s["Action"])]
    assert found
    for statement in found:
        assert "*" not in json.dumps(statement["Resource"])
        assert statement["Condition"]["StringEquals"]["iam:PassedToService"]


@pytest.mark.parametrize("combination", COMBINATIONS)
def test_only_release_and_seed_write_the_approved_model_s_parameter(combination: str) -> None:
    writers = {
        role
        for role, statement in statements(combination)
        if "ssm:PutParameter" in listed(statement["Action"]) and "/model" in json.dumps(statement["Resource"])
    }
    assert sorted(writer[:7] for writer in writers) == ["Paramet", "Release"]


@pytest.mark.parametrize("combination", COMBINATIONS)
def test_jobs_are_started_stopped_and_tagged_by_their_stage_s_names_only(combination: str) -> None:
    stage = COMBINATIONS[combination][0]
    for role, statement in statements(combination):
        actions = [a for a in listed(statement["Action"]) if a.startswith("sagemaker:") and "Job" in a]
        if [a for a in actions if a.split(":")[1].startswith(("Create", "Stop"))]:
            for resource in listed(statement["Resource"]):
                assert f"-{stage}-" in json.dumps(resource), (role, resource)


# --- Data


@pytest.mark.parametrize("combination", COMBINATIONS)
def test_every_bucket_is_closed_versioned_and_speaks_tls_1_2(combination: str) -> None:
    closed = ("BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets")
    policies = {
        policy["Bucket"]["Ref"]: json.dumps(policy["PolicyDocument"])
        for _, policy in of_type(combination, "AWS::S3::BucketPolicy")
    }
    buckets = of_type(combination, "AWS::S3::Bucket")
    assert len(buckets) == 2
    for name, bucket in buckets:
        assert bucket["PublicAccessBlockConfiguration"] == dict.fromkeys(closed, True)
        assert bucket["VersioningConfiguration"] == {"Status": "Enabled"}
        assert bucket["LifecycleConfiguration"]["Rules"]
        assert '"aws:SecureTransport": "false"' in policies[name]
        assert '"s3:TlsVersion": 1.2' in policies[name]
    assert len([bucket for _, bucket in buckets if "LoggingConfiguration" in bucket]) == 1


@pytest.mark.parametrize("combination", WITH_KEY)
def test_the_stage_s_key_encrypts_bucket_logs_captures_and_topic(combination: str) -> None:
    """S3 delivers access logs under no key but its own; a dead letter holds names alone, under SQS's."""
    ((_, key),) = of_type(combination, "AWS::KMS::Key")
    assert key["EnableKeyRotation"] is True
    buckets = of_type(combination, "AWS::S3::Bucket")
    by_key = [name for name, bucket in buckets if '"aws:kms"' in json.dumps(bucket["BucketEncryption"])]
    assert len(by_key) == 1 and not by_key[0].startswith("BucketLogs")
    for kind, member in (("AWS::Logs::LogGroup", "KmsKeyId"), ("AWS::SNS::Topic", "KmsMasterKeyId")):
        found = of_type(combination, kind)
        assert found and all(member in properties for _, properties in found), kind
    ((_, config),) = of_type(combination, "AWS::SageMaker::EndpointConfig")
    assert "KmsKeyId" in config["DataCaptureConfig"]


@pytest.mark.parametrize("combination", WITH_KEY)
def test_the_stage_s_key_encrypts_what_jobs_read_and_write(combination: str) -> None:
    """Disks too, but of instances with disks of their own, for which SageMaker rejects a key."""
    found = jobs(combination)
    for job, request in found.items():
        text = json.dumps(request)
        for instance in _instances(request):
            if volume_key(_Key, instance_type=instance["InstanceType"]):
                assert "VolumeKmsKeyId" in instance, (job, instance)
        if "S3OutputPath" in text or "S3Output" in text:
            assert '"KmsKeyId"' in text, job
    assert _instances(found[TRANSFORM])


@pytest.mark.parametrize("combination", WITH_KEY)
def test_the_key_lets_in_logs_as_aws_has_it_and_the_alarms_publisher(combination: str) -> None:
    """docs.aws.amazon.com/AmazonCloudWatch/latest/logs/encrypt-log-data-kms.html"""
    ((_, key),) = of_type(combination, "AWS::KMS::Key")
    services: dict[str, Resource] = {}
    for statement in key["KeyPolicy"]["Statement"]:
        for service in listed(statement["Principal"].get("Service", [])):
            services[json.dumps(service)] = statement
    logs = next(statement for name, statement in services.items() if "logs." in name)
    actions = ("Decrypt", "Describe", "Encrypt", "GenerateDataKey", "ReEncrypt")
    assert sorted(logs["Action"]) == [f"kms:{action}*" for action in actions]
    assert "kms:EncryptionContext:aws:logs:arn" in logs["Condition"]["ArnLike"]
    others = {name: statement for name, statement in services.items() if "logs." not in name}
    assert sorted(others) == ['"budgets.amazonaws.com"', '"cloudwatch.amazonaws.com"']
    assert all("aws:SourceAccount" in s["Condition"]["StringEquals"] for s in others.values())


@pytest.mark.parametrize("combination", COMBINATIONS)
def test_images_are_captured_only_where_the_setting_says_so(combination: str) -> None:
    ((_, config),) = of_type(combination, "AWS::SageMaker::EndpointConfig")
    wanted = COMBINATIONS[combination][1].get("capture.inputs", False)
    options = config.get("DataCaptureConfig", {}).get("CaptureOptions", [])
    modes = [option["CaptureMode"] for option in options]
    assert ("Input" in modes) == wanted


# --- Network


@pytest.mark.parametrize("combination", COMBINATIONS)
def test_whatever_runs_the_serving_image_has_no_network(combination: str) -> None:
    ((_, model),) = of_type(combination, "AWS::SageMaker::Model")
    assert model["EnableNetworkIsolation"] is True
    found = jobs(combination)
    assert found[MODEL]["EnableNetworkIsolation"] is True
    assert found[EVALUATE]["NetworkConfig"]["EnableNetworkIsolation"] is True


@pytest.mark.parametrize("combination", IN_A_VPC)
def test_endpoint_and_all_jobs_are_in_the_vpc(combination: str) -> None:
    """A transform job takes the network of its model."""
    ((_, model),) = of_type(combination, "AWS::SageMaker::Model")
    assert model["VpcConfig"]["Subnets"]
    for job, request in jobs(combination).items():
        assert '"VpcConfig": {' in json.dumps(request) or job == TRANSFORM, job


@pytest.mark.parametrize("combination", WITH_KEY)
def test_the_created_network_has_no_way_out_and_writes_flow_logs(combination: str) -> None:
    for kind in ("NatGateway", "InternetGateway", "EgressOnlyInternetGateway"):
        assert not of_type(combination, f"AWS::EC2::{kind}")
    services = json.dumps([endpoint["ServiceName"] for _, endpoint in of_type(combination, _ENDPOINT)])
    assert all(f".{name}" in services for name in ("s3", "ecr.api", "ecr.dkr", "logs", "monitoring", "kms"))
    assert len(of_type(combination, "AWS::EC2::FlowLog")) == 1


_ENDPOINT = "AWS::EC2::VPCEndpoint"


class _Key:
    """A key with an ARN, as volume_key asks for."""

    key_arn = LATE


def _instances(value: Any) -> list[Resource]:
    if isinstance(value, list):
        return [found for item in value for found in _instances(item)]
    if not isinstance(value, dict):
        return []
    here = [value] if "InstanceType" in value else []
    return here + [found for item in value.values() for found in _instances(item)]

"""What outlives a stage, what does not, and in which order things come and go."""

from typing import Any

import pytest

from infra.settings import SettingsError, load
from tests.infra.combinations import COMBINATIONS, synthesized
from tests.infra.conftest import context

DATA = ("AWS::S3::Bucket", "AWS::S3::BucketPolicy", "AWS::KMS::Key", "AWS::SageMaker::ModelPackageGroup")
_NET = {"network.vpc": "created"}
OTHERS = ("AWS::IAM::Role", "AWS::ApiGateway::Account")  # the account's own, whoever set it
KEEPS = [name for name, (stage, _) in COMBINATIONS.items() if stage in ("prod", "trial")]


def policies(combination: str, attribute: str) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for template in synthesized(combination).values():
        for resource in template.to_json()["Resources"].values():
            found.setdefault(resource["Type"], set()).add(resource.get(attribute, "Delete"))
    return found


@pytest.mark.parametrize("combination", KEEPS)
def test_what_keeps_its_data_keeps_all_but_of_a_failed_creation(combination: str) -> None:
    """A bucket goes on being closed to plain HTTP: its policy is kept with it."""
    on_delete = policies(combination, "DeletionPolicy")
    kept = {kind for kind, found in on_delete.items() if "RetainExceptOnCreate" in found}
    assert kept == set(DATA) & set(on_delete)
    assert all(on_delete[kind] == {"RetainExceptOnCreate"} for kind in kept)
    assert all(policies(combination, "UpdateReplacePolicy")[kind] == {"Retain"} for kind in kept)


@pytest.mark.parametrize("combination", [name for name in COMBINATIONS if name not in KEEPS])
def test_the_other_stages_leave_no_data(combination: str) -> None:
    on_delete = policies(combination, "DeletionPolicy")
    assert all(on_delete[kind] == {"Delete"} for kind in DATA if kind in on_delete)


@pytest.mark.parametrize("combination", COMBINATIONS)
def test_the_accounts_logging_role_outlives_every_stage(combination: str) -> None:
    """Without it the logs of all other APIs of account and region would stop, in silence."""
    template = synthesized(combination)["api"]
    (account,) = template.find_resources("AWS::ApiGateway::Account").values()
    assert account["DeletionPolicy"] == account["UpdateReplacePolicy"] == "Retain"
    role = template.to_json()["Resources"][account["Properties"]["CloudWatchRoleArn"]["Fn::GetAtt"][0]]
    assert role["DeletionPolicy"] == role["UpdateReplacePolicy"] == "Retain"
    kept = [kind for kind, found in policies(combination, "DeletionPolicy").items() if "Retain" in found]
    assert sorted(kept) == sorted(OTHERS)


@pytest.mark.parametrize("combination", COMBINATIONS)
def test_the_logging_role_is_set_once_the_account_has_an_api(combination: str) -> None:
    """docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-apigateway-account.html"""
    template = synthesized(combination)["api"]
    (account,) = template.find_resources("AWS::ApiGateway::Account").values()
    (api,) = template.find_resources("AWS::ApiGateway::RestApi")
    assert api in account["DependsOn"]


def test_each_kept_thing_says_what_it_is() -> None:
    found = [
        resource["Properties"]["Tags"]
        for kind in ("AWS::S3::Bucket", "AWS::KMS::Key")
        for resource in synthesized("prod")["data"].find_resources(kind).values()
    ]
    assert sorted(t["Value"] for tags in found for t in tags if t["Key"] == "part") == [
        "bincount-prod-data/Bucket",
        "bincount-prod-data/BucketLogs",
        "bincount-prod-data/Key",
    ]


@pytest.mark.parametrize("combination", COMBINATIONS)
def test_nobody_but_us_makes_a_log_group(combination: str) -> None:
    """A group that a service makes itself has no end and not the stage's key."""
    stage = COMBINATIONS[combination][0]
    for template in synthesized(combination).values():
        found = template.to_json()["Resources"]
        groups = {name: r for name, r in found.items() if r["Type"] == "AWS::Logs::LogGroup"}
        names = str([group["Properties"].get("LogGroupName") for group in groups.values()])
        assert all("RetentionInDays" in group["Properties"] for group in groups.values())
        assert not [name for name, group in groups.items() if "Condition" in group]
        for name, resource in found.items():
            if resource["Type"] == "AWS::Lambda::Function":
                config = resource["Properties"].get("LoggingConfig")
                assert (config and config["LogGroup"]["Ref"] in groups) or f"'Ref': '{name}'" in names, name
            if resource["Type"] == "AWS::CodeBuild::Project":
                assert f"/aws/codebuild/{resource['Properties']['Name']}" in names
            if resource["Type"] == "AWS::SageMaker::Endpoint":
                assert f"/aws/sagemaker/Endpoints/bincount-{stage}" in names


@pytest.mark.parametrize("combination", COMBINATIONS)
def test_no_function_runs_before_its_named_log_group(combination: str) -> None:
    """Else Lambda makes the group, and CloudFormation fails: "already exists" (aws/aws-cdk#667)."""
    named = 0
    for template in synthesized(combination).values():
        found = template.to_json()["Resources"]
        for name, resource in found.items():
            if resource["Type"] != "AWS::Logs::LogGroup":
                continue
            text = resource["Properties"].get("LogGroupName", "")
            function = text["Fn::Join"][1][1]["Ref"] if "/aws/lambda/" in str(text) else None
            if function:
                named += 1
                runs = [r for r in found.values() if _runs(r, function)]
                assert runs
                assert all(name in r["DependsOn"] for r in runs), name
    assert named == 1  # that of cdklabs.deploy-time-build


def _runs(resource: dict[str, Any], function: str) -> bool:
    token = resource.get("Properties", {}).get("ServiceToken", {})
    return token == {"Fn::GetAtt": [function, "Arn"]}


@pytest.mark.parametrize("combination", COMBINATIONS)
def test_the_endpoint_comes_after_its_log_group_and_its_alarms(combination: str) -> None:
    """Else the first rollout has no alarm to stop it, and SageMaker makes the group itself."""
    serving = synthesized(combination)["serving"]
    (endpoint,) = serving.find_resources("AWS::SageMaker::Endpoint").values()
    found = serving.to_json()["Resources"]
    named: dict[str, str] = {}
    for name in endpoint["DependsOn"]:
        properties = found[name]["Properties"]
        named[properties.get("AlarmName") or properties.get("LogGroupName")] = name
    deployment = endpoint["Properties"]["DeploymentConfig"]
    alarms = deployment.get("AutoRollbackConfiguration", {}).get("Alarms", [])
    assert {alarm["AlarmName"] for alarm in alarms} <= set(named)
    assert f"/aws/sagemaker/Endpoints/bincount-{COMBINATIONS[combination][0]}" in named


@pytest.mark.parametrize(
    ("given", "fault"),
    [
        (
            {"network.availability_zones": '["us-east-1b"]'},
            'availability_zones = .*needs network.vpc "created"',
        ),
        (
            {**_NET, "network.availability_zones": '["b"]'},
            "availability_zones",
        ),
        ({**_NET, "network.availability_zones": '["us-east-1b", "us-east-1b"]'}, "must differ"),
        ({**_NET, "network.availability_zones": '["eu-west-1a"]'}, "eu-west-1a are not of region us-east-1"),
    ],
)
def test_zones_that_cannot_be_are_named_faults(given: dict[str, Any], fault: str) -> None:
    with pytest.raises(SettingsError, match=fault):
        load(context(stage="dev", **given).get)


def test_the_network_is_in_the_zones_of_the_settings() -> None:
    data = synthesized("dev with everything on")["data"]
    subnets = data.find_resources("AWS::EC2::Subnet").values()
    zones = sorted(subnet["Properties"]["AvailabilityZone"] for subnet in subnets)
    assert zones == ["us-east-1b", "us-east-1c", "us-east-1d"]


def test_instances_of_one_job_reach_each_other_by_every_protocol() -> None:
    """docs.aws.amazon.com/sagemaker/latest/dg/train-vpc.html: Elastic Fabric Adapter needs it."""
    data = synthesized("prod")["data"]
    for kind, other in (("Ingress", "SourceSecurityGroupId"), ("Egress", "DestinationSecurityGroupId")):
        rules = data.find_resources(f"AWS::EC2::SecurityGroup{kind}").values()
        inside = [r["Properties"] for r in rules if r["Properties"].get(other) == r["Properties"]["GroupId"]]
        assert [rule["IpProtocol"] for rule in inside] == ["-1"]


def test_a_recount_may_tend_the_children_of_its_map_by_both_names() -> None:
    """AWS's page of Distributed Map policies has one form, the CDK's grant the other."""
    text = str(synthesized("prod")["recount"].find_resources("AWS::IAM::Policy"))
    assert ":execution:bincount-prod-recount/*" in text
    assert ":execution:bincount-prod-recount:*" in text

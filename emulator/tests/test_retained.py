"""What a stack of the embedded cloud left behind: it stops the next one, or is imported by it."""

import json
from typing import Any

import pytest
from embedded_cloud.cloud import Cloud
from embedded_cloud.testing import wait_until

SCHEMA = {
    "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}],
    "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
    "BillingMode": "PAY_PER_REQUEST",
}
DENY = {"Effect": "Deny", "Principal": "*", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::kept/*"}
OWNER = {"Effect": "Allow", "Principal": {"AWS": "000000000000"}, "Action": "kms:*", "Resource": "*"}
TYPES: dict[str, tuple[str, dict[str, Any]]] = {
    "Bucket": ("AWS::S3::Bucket", {"BucketName": "kept"}),
    "Policy": ("AWS::S3::BucketPolicy", {"Bucket": "kept", "PolicyDocument": {"Statement": [DENY]}}),
    "Key": ("AWS::KMS::Key", {"KeyPolicy": {"Statement": [OWNER]}}),
    "Alias": ("AWS::KMS::Alias", {"AliasName": "alias/kept", "TargetKeyId": {"Ref": "Key"}}),
    "Group": ("AWS::SageMaker::ModelPackageGroup", {"ModelPackageGroupName": "kept"}),
    "Logs": ("AWS::Logs::LogGroup", {"LogGroupName": "/kept"}),
    "Table": ("AWS::DynamoDB::Table", {"TableName": "kept", **SCHEMA}),
}
NAMED = [name for name in TYPES if name != "Key"]
GROUP = "arn:aws:sagemaker:us-east-1:000000000000:model-package-group/kept"


def body(*names: str, **further: Any) -> str:
    """A template of these resources, kept unless their creation is rolled back."""
    resources = {
        name: {"Type": TYPES[name][0], "Properties": TYPES[name][1], "DeletionPolicy": "RetainExceptOnCreate"}
        for name in names
    }
    return json.dumps({"Resources": {**resources, **further}})


def ended(cloud: Cloud, stack: str) -> str:
    """A stack's status once it is at rest."""
    formation = cloud.client("cloudformation")
    return wait_until(
        lambda: formation.describe_stacks(StackName=stack)["Stacks"][0]["StackStatus"],
        lambda status: not status.endswith("_IN_PROGRESS"),
    )


def delete(cloud: Cloud, stack: str) -> None:
    formation = cloud.client("cloudformation")
    formation.delete_stack(StackName=stack)
    formation.get_waiter("stack_delete_complete").wait(StackName=stack, WaiterConfig={"Delay": 1})


@pytest.fixture(scope="module")
def kept_key(cloud: Cloud) -> str:
    """The id of the key among the resources that a deleted stack kept."""
    formation = cloud.client("cloudformation")
    formation.create_stack(StackName="first", TemplateBody=body(*TYPES))
    assert ended(cloud, "first") == "CREATE_COMPLETE"
    resource = formation.describe_stack_resource(StackName="first", LogicalResourceId="Key")
    delete(cloud, "first")
    return resource["StackResourceDetail"]["PhysicalResourceId"]


@pytest.mark.parametrize("name", NAMED)
def test_a_name_that_is_taken_fails_the_next_stack(cloud: Cloud, kept_key: str, name: str):
    formation = cloud.client("cloudformation")
    template = body(name).replace('{"Ref": "Key"}', f'"{kept_key}"')
    formation.create_stack(StackName=f"again-{name}", TemplateBody=template)
    assert ended(cloud, f"again-{name}") == "ROLLBACK_COMPLETE"
    assert cloud.client("s3").list_buckets()["Buckets"], "what was there stays"


def test_all_of_it_can_be_imported(cloud: Cloud, kept_key: str):
    formation = cloud.client("cloudformation")
    found = formation.get_template_summary(TemplateBody=body(*TYPES))["ResourceIdentifierSummaries"]
    assert {row["ResourceType"] for row in found} == {kind for kind, _ in TYPES.values()}
    identifiers = {
        "Bucket": {"BucketName": "kept"},
        "Policy": {"Bucket": "kept"},
        "Key": {"KeyId": kept_key},
        "Alias": {"AliasName": "alias/kept"},
        "Group": {"ModelPackageGroupArn": GROUP},
        "Logs": {"LogGroupName": "/kept"},
        "Table": {"TableName": "kept"},
    }
    formation.create_change_set(
        StackName="imported",
        ChangeSetName="import",
        ChangeSetType="IMPORT",
        TemplateBody=body(*TYPES),
        ResourcesToImport=[
            {"ResourceType": TYPES[name][0], "LogicalResourceId": name, "ResourceIdentifier": identifier}
            for name, identifier in identifiers.items()
        ],
    )
    names = {"StackName": "imported", "ChangeSetName": "import"}
    formation.get_waiter("change_set_create_complete").wait(**names, WaiterConfig={"Delay": 1})
    formation.execute_change_set(**names)
    assert ended(cloud, "imported") == "IMPORT_COMPLETE"
    delete(cloud, "imported")


def test_a_deploy_takes_over_what_it_names_outright(cloud: Cloud, kept_key: str):
    formation = cloud.client("cloudformation")
    names = {"StackName": "adopted", "ChangeSetName": "adopt"}
    template = body("Bucket", "Logs", "Table")
    formation.create_change_set(
        **names, ChangeSetType="CREATE", TemplateBody=template, ImportExistingResources=True
    )
    formation.get_waiter("change_set_create_complete").wait(**names, WaiterConfig={"Delay": 1})
    formation.execute_change_set(**names)
    assert ended(cloud, "adopted") == "CREATE_COMPLETE"
    delete(cloud, "adopted")


def test_a_rolled_back_creation_keeps_nothing(cloud: Cloud):
    formation = cloud.client("cloudformation")
    bucket = {
        "Type": "AWS::S3::Bucket",
        "Properties": {"BucketName": "never-kept"},
        "DeletionPolicy": "RetainExceptOnCreate",
    }
    group = {"GroupDescription": "AWS's"}
    bad = {"Type": "AWS::EC2::SecurityGroup", "Properties": group, "DependsOn": "New"}
    formation.create_stack(StackName="failing", TemplateBody=body(New=bucket, Bad=bad))
    assert ended(cloud, "failing") == "ROLLBACK_COMPLETE"
    assert "never-kept" not in [row["Name"] for row in cloud.client("s3").list_buckets()["Buckets"]]

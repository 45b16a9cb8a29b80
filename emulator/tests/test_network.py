"""CloudFormation's types for networks and budgets in the embedded cloud, and what EC2 refuses."""

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError
from embedded_cloud.cloud import Cloud
from embedded_cloud.testing import wait_until

APOSTROPHE = "endpoints of AWS's services"
REFUSED = "Valid descriptions are strings less than 256 characters"


def template(*, words: str = "from jobs", amount: int = 200) -> dict[str, Any]:
    """A network with two groups, a rule of each direction, a flow log; and a budget."""
    group = {"VpcId": {"Ref": "Vpc"}, "GroupDescription": "jobs"}
    port = {"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "Description": words}
    monthly = {"BudgetName": "b", "BudgetType": "COST", "TimeUnit": "MONTHLY"}
    limit = {"Amount": amount, "Unit": "USD"}
    types: dict[str, tuple[str, dict[str, Any]]] = {
        "Vpc": ("AWS::EC2::VPC", {"CidrBlock": "10.0.0.0/16"}),
        "Group": ("AWS::EC2::SecurityGroup", group),
        "Other": ("AWS::EC2::SecurityGroup", group),
        "In": (
            "AWS::EC2::SecurityGroupIngress",
            {"GroupId": {"Ref": "Group"}, "SourceSecurityGroupId": {"Ref": "Other"}, **port},
        ),
        "Out": (
            "AWS::EC2::SecurityGroupEgress",
            {"GroupId": {"Ref": "Group"}, "CidrIp": "10.0.0.0/8", **port},
        ),
        "FlowLog": (
            "AWS::EC2::FlowLog",
            {
                "ResourceId": {"Ref": "Vpc"},
                "ResourceType": "VPC",
                "TrafficType": "ALL",
                "LogGroupName": "flows",
                "DeliverLogsPermissionArn": "arn:aws:iam::000000000000:role/flows",
                "Tags": [{"Key": "system", "Value": "x"}],
            },
        ),
        "Budget": ("AWS::Budgets::Budget", {"Budget": {**monthly, "BudgetLimit": limit}}),
    }
    resources = {name: {"Type": kind, "Properties": properties} for name, (kind, properties) in types.items()}
    outputs = {name: {"Value": {"Ref": name}} for name in ("Group", "Other", "FlowLog", "In", "Out")}
    return {"Resources": resources, "Outputs": outputs}


def outputs(cloud: Cloud, stack: str) -> dict[str, str]:
    (found,) = cloud.client("cloudformation").describe_stacks(StackName=stack)["Stacks"]
    return {row["OutputKey"]: row["OutputValue"] for row in found["Outputs"]}


def rules(cloud: Cloud, group: str) -> list[dict[str, Any]]:
    filters = [{"Name": "group-id", "Values": [group]}]
    return cloud.client("ec2").describe_security_group_rules(Filters=filters)["SecurityGroupRules"]


class TestNetworkStack:
    """One stack through its life, in order."""

    def test_its_rules_flow_log_and_budget_are_made(self, cloud: Cloud):
        formation = cloud.client("cloudformation")
        formation.create_stack(StackName="network", TemplateBody=json.dumps(template()))
        formation.get_waiter("stack_create_complete").wait(StackName="network", WaiterConfig={"Delay": 1})
        made = outputs(cloud, "network")
        found = {rule["SecurityGroupRuleId"]: rule for rule in rules(cloud, made["Group"])}
        inward, outward = found[made["In"]], found[made["Out"]]
        assert (inward["IsEgress"], inward["ToPort"], inward["Description"]) == (False, 443, "from jobs")
        assert inward["ReferencedGroupInfo"]["GroupId"] == made["Other"]
        assert (outward["IsEgress"], outward["CidrIpv4"]) == (True, "10.0.0.0/8")
        (flow_log,) = cloud.client("ec2").describe_flow_logs(FlowLogIds=[made["FlowLog"]])["FlowLogs"]
        assert flow_log["ResourceId"].startswith("vpc-")
        assert self.budget(cloud)["BudgetLimit"] == {"Amount": "200", "Unit": "USD"}

    def test_a_budget_changes_in_place(self, cloud: Cloud):
        formation = cloud.client("cloudformation")
        formation.update_stack(StackName="network", TemplateBody=json.dumps(template(amount=300)))
        formation.get_waiter("stack_update_complete").wait(StackName="network", WaiterConfig={"Delay": 1})
        assert float(self.budget(cloud)["BudgetLimit"]["Amount"]) == 300

    def test_the_end_of_the_stack_is_theirs_too(self, cloud: Cloud):
        formation = cloud.client("cloudformation")
        flow_log = outputs(cloud, "network")["FlowLog"]
        formation.delete_stack(StackName="network")
        formation.get_waiter("stack_delete_complete").wait(StackName="network", WaiterConfig={"Delay": 1})
        found = cloud.client("ec2").describe_flow_logs()["FlowLogs"]
        assert flow_log not in [row["FlowLogId"] for row in found]
        with pytest.raises(ClientError, match="NotFoundException"):
            self.budget(cloud)

    @staticmethod
    def budget(cloud: Cloud) -> dict[str, Any]:
        answer = cloud.client("budgets").describe_budget(AccountId="000000000000", BudgetName="b")
        return answer["Budget"]


def reasons_of_failure(cloud: Cloud, stack: str, template: dict[str, Any]) -> dict[str, str]:
    """Why each resource failed in a stack that cannot be made, by logical id."""
    formation = cloud.client("cloudformation")
    formation.create_stack(StackName=stack, TemplateBody=json.dumps(template))
    ended = wait_until(
        lambda: formation.describe_stacks(StackName=stack)["Stacks"][0]["StackStatus"],
        lambda status: not status.endswith("_IN_PROGRESS"),
    )
    assert ended == "ROLLBACK_COMPLETE"
    events = formation.describe_stack_events(StackName=stack)["StackEvents"]
    failed = [event for event in events if event["ResourceStatus"] == "CREATE_FAILED"]
    return {event["LogicalResourceId"]: event["ResourceStatusReason"] for event in failed}


def test_a_rule_with_an_apostrophe_fails_its_stack(cloud: Cloud):
    reasons = reasons_of_failure(cloud, "apostrophe", template(words=APOSTROPHE))
    assert any(REFUSED in reasons.get(name, "") for name in ("In", "Out")), reasons


def test_a_group_whose_own_rule_has_an_apostrophe_fails_its_stack(cloud: Cloud):
    rule = {"IpProtocol": "-1", "CidrIp": "0.0.0.0/0", "Description": APOSTROPHE}
    group = {"GroupDescription": "jobs", "SecurityGroupEgress": [rule]}
    resources = {"Group": {"Type": "AWS::EC2::SecurityGroup", "Properties": group}}
    assert REFUSED in reasons_of_failure(cloud, "inside", {"Resources": resources})["Group"]


def test_ec2_takes_no_group_with_an_apostrophe(cloud: Cloud):
    ec2 = cloud.client("ec2")
    with pytest.raises(ClientError, match=REFUSED):
        ec2.create_security_group(GroupName="jobs", Description=APOSTROPHE)
    group = ec2.create_security_group(GroupName="jobs", Description="jobs [of] a = b & c!")["GroupId"]
    permission = {"IpProtocol": "tcp", "FromPort": 1, "ToPort": 2}
    for ranges in (
        {"IpRanges": [{"CidrIp": "10.0.0.0/8", "Description": APOSTROPHE}]},
        {"UserIdGroupPairs": [{"GroupId": group, "Description": "é"}]},
    ):
        with pytest.raises(ClientError, match=REFUSED):
            ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[{**permission, **ranges}])

"""Types that are made by calling their service's API, as CloudFormation itself makes them.

What the service refuses fails the resource with the service's words.
"""

from collections.abc import Callable, Iterable
from typing import Any, Protocol

from botocore.exceptions import ClientError, ParamValidationError

from embedded_cloud.aws import Aws
from embedded_cloud.cloudformation.generated_names import generated_name
from embedded_cloud.identity import ACCOUNT

Properties = dict[str, Any]
Provisioned = tuple[str, dict[str, Any]]


class ApiType(Protocol):
    """One type. `create` and `update` return the physical id (the template's Ref) and the attributes."""

    def create(self, logical_id: str, properties: Properties, stack: str) -> Provisioned:
        """Makes the resource; returns its physical id and attributes."""
        ...

    def update(
        self, physical_id: str, old: Properties, new: Properties, stack: str, logical_id: str | None = None
    ) -> Provisioned:
        """Changes the resource from the properties `old` to `new`."""
        ...

    def delete(self, physical_id: str, properties: Properties) -> None:
        """Removes the resource; one that is gone is no fault."""


class Budget:
    """AWS::Budgets::Budget; its Ref is the budget's name."""

    def __init__(self, aws: Aws) -> None:
        self._aws = aws

    def create(self, logical_id: str, properties: Properties, stack: str) -> Provisioned:
        """Makes the budget with its notifications and tags."""
        budget = _budget(properties)
        budget.setdefault("BudgetName", generated_name(logical_id))
        request = {key: properties[key] for key in ("NotificationsWithSubscribers",) if key in properties}
        if properties.get("ResourceTags"):
            request["ResourceTags"] = properties["ResourceTags"]
        self._aws.client("budgets").create_budget(AccountId=ACCOUNT, Budget=budget, **request)
        return budget["BudgetName"], {}

    def update(
        self, physical_id: str, old: Properties, new: Properties, stack: str, logical_id: str | None = None
    ) -> Provisioned:
        """Changes the budget in place; other notifications or tags make a new one, as on AWS."""
        if {**old, "Budget": None} == {**new, "Budget": None}:
            self._aws.client("budgets").update_budget(AccountId=ACCOUNT, NewBudget=_budget(new))
            return physical_id, {}
        self.delete(physical_id, old)
        return self.create(logical_id or "Budget", new, stack)

    def delete(self, physical_id: str, properties: Properties) -> None:
        """Deletes the budget."""
        self._aws.client("budgets").delete_budget(AccountId=ACCOUNT, BudgetName=physical_id)


class FlowLog:
    """AWS::EC2::FlowLog; its Ref is the flow log's id. Only its tags can change in place."""

    def __init__(self, aws: Aws) -> None:
        self._aws = aws

    def create(self, logical_id: str, properties: Properties, stack: str) -> Provisioned:
        """Makes the flow log of one VPC, subnet or network interface."""
        request = {key: value for key, value in properties.items() if key not in ("ResourceId", "Tags")}
        if properties.get("Tags"):
            request["TagSpecifications"] = [{"ResourceType": "vpc-flow-log", "Tags": properties["Tags"]}]
        answer = self._aws.client("ec2").create_flow_logs(ResourceIds=[properties["ResourceId"]], **request)
        for failed in answer.get("Unsuccessful", []):
            raise ValueError(f"{failed['Error']['Message']} ({failed['Error']['Code']})")
        (flow_log,) = answer["FlowLogIds"]
        return flow_log, {"Id": flow_log}

    def update(
        self, physical_id: str, old: Properties, new: Properties, stack: str, logical_id: str | None = None
    ) -> Provisioned:
        """Tags it anew, or makes another in its place."""
        if {**old, "Tags": None} == {**new, "Tags": None}:
            ec2 = self._aws.client("ec2")
            ec2.delete_tags(Resources=[physical_id], Tags=old.get("Tags", []))
            ec2.create_tags(Resources=[physical_id], Tags=new.get("Tags", []))
            return physical_id, {"Id": physical_id}
        return self.create(logical_id or "FlowLog", new, stack)

    def delete(self, physical_id: str, properties: Properties) -> None:
        """Deletes the flow log."""
        self._aws.client("ec2").delete_flow_logs(FlowLogIds=[physical_id])


class SecurityGroupRule:
    """AWS::EC2::SecurityGroupIngress or SecurityGroupEgress; its Ref is the rule's id."""

    def __init__(self, aws: Aws, direction: str) -> None:
        self._aws = aws
        self._direction = direction  # ingress or egress

    def create(self, logical_id: str, properties: Properties, stack: str) -> Provisioned:
        """Adds the rule to its group."""
        authorize = getattr(self._aws.client("ec2"), f"authorize_security_group_{self._direction}")
        answer = authorize(GroupId=properties["GroupId"], IpPermissions=[_permission(properties)])
        rule = answer["SecurityGroupRules"][0]["SecurityGroupRuleId"]
        return rule, {"Id": rule}

    def update(
        self, physical_id: str, old: Properties, new: Properties, stack: str, logical_id: str | None = None
    ) -> Provisioned:
        """Puts another rule in its place; on AWS only the description changes in place."""
        self.delete(physical_id, old)
        return self.create(logical_id or "Rule", new, stack)

    def delete(self, physical_id: str, properties: Properties) -> None:
        """Takes the rule out of its group."""
        revoke = getattr(self._aws.client("ec2"), f"revoke_security_group_{self._direction}")
        revoke(GroupId=properties["GroupId"], SecurityGroupRuleIds=[physical_id])


class WebAclAssociation:
    """AWS::WAFv2::WebACLAssociation; nothing here looks at requests by the rules."""

    def __init__(self, aws: Aws) -> None:
        self._aws = aws

    def create(self, logical_id: str, properties: Properties, stack: str) -> Provisioned:
        """Puts the web ACL before the resource."""
        request = {"ResourceArn": properties["ResourceArn"], "WebACLArn": properties["WebACLArn"]}
        self._aws.client("wafv2").associate_web_acl(**request)
        return f"{request['WebACLArn']}|{request['ResourceArn']}", {}

    def update(
        self, physical_id: str, old: Properties, new: Properties, stack: str, logical_id: str | None = None
    ) -> Provisioned:
        """Puts another one in its place."""
        self.delete(physical_id, old)
        return self.create(logical_id or "Association", new, stack)

    def delete(self, physical_id: str, properties: Properties) -> None:
        """Takes it away."""
        self._aws.client("wafv2").disassociate_web_acl(ResourceArn=properties["ResourceArn"])


def api_types(aws: Aws) -> dict[str, dict[str, Any]]:
    """The handlers of all these types, by type name. They call this cloud: not for its event loop."""
    types: dict[str, ApiType] = {
        "AWS::Budgets::Budget": Budget(aws),
        "AWS::EC2::FlowLog": FlowLog(aws),
        "AWS::EC2::SecurityGroupIngress": SecurityGroupRule(aws, "ingress"),
        "AWS::EC2::SecurityGroupEgress": SecurityGroupRule(aws, "egress"),
        "AWS::WAFv2::WebACLAssociation": WebAclAssociation(aws),
    }
    return {name: _handler(name, api_type) for name, api_type in types.items()}


def _handler(name: str, api_type: ApiType) -> dict[str, Any]:
    return {
        "create": _telling(name, api_type.create),
        "update": _telling(name, api_type.update),
        "update_with_logical_id": True,
        "delete": _forgiving(_telling(name, api_type.delete)),
    }


class _NotFoundError(ValueError):
    pass


def _telling(name: str, act: Callable[..., Any]) -> Callable[..., Any]:
    """`act`, with the service's error as CloudFormation words it."""
    service = name.split("::")[1]

    def run(*arguments: Any) -> Any:
        try:
            return act(*arguments)
        except ParamValidationError as error:
            raise ValueError(f"Model validation failed: {error}") from error
        except ClientError as error:
            said: dict[str, Any] = dict(error.response.get("Error", {}))
            status = error.response["ResponseMetadata"]["HTTPStatusCode"]
            code = str(said.get("Code"))
            kind = _NotFoundError if "NotFound" in code else ValueError
            raise kind(
                f"{said.get('Message')} (Service: {service}, Status Code: {status}, {code})"
            ) from error

    return run


def _forgiving(delete: Callable[..., Any]) -> Callable[..., None]:
    """`delete`, for which what is gone already counts as deleted."""

    def run(*arguments: Any) -> None:
        try:
            delete(*arguments)
        except _NotFoundError:
            return

    return run


def _budget(properties: Properties) -> dict[str, Any]:
    budget = dict(properties["Budget"])
    if "BudgetLimit" in budget:  # a number in a template, a text in the API
        limit = budget["BudgetLimit"]
        budget["BudgetLimit"] = {**limit, "Amount": str(limit["Amount"])}
    return budget


def _permission(properties: Properties) -> dict[str, Any]:
    """A template's rule as the API's IpPermission."""
    permission: dict[str, Any] = {"IpProtocol": str(properties["IpProtocol"])}
    for port in _present(("FromPort", "ToPort"), properties):
        permission[port] = int(properties[port])
    words = {"Description": properties["Description"]} if properties.get("Description") else {}
    for target, key in (("IpRanges", "CidrIp"), ("Ipv6Ranges", "CidrIpv6")):
        if key in properties:
            permission[target] = [{key: properties[key], **words}]
    for key in _present(("SourceSecurityGroupId", "DestinationSecurityGroupId"), properties):
        permission["UserIdGroupPairs"] = [{"GroupId": properties[key], **words}]
    for key in _present(("SourcePrefixListId", "DestinationPrefixListId"), properties):
        permission["PrefixListIds"] = [{"PrefixListId": properties[key], **words}]
    return permission


def _present(keys: Iterable[str], properties: Properties) -> list[str]:
    return [key for key in keys if key in properties]

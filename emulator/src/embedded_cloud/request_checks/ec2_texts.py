"""The characters that EC2 takes in names and descriptions of security groups and their rules.

From the API reference: GroupName and GroupDescription of CreateSecurityGroup, Description of IpRange,
Ipv6Range, UserIdGroupPair and PrefixListId. botocore's model does not hold them, nor does CloudFormation's
schema.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from embedded_cloud.errors import AwsError

_ALLOWED = re.compile(r"[a-zA-Z0-9 ._\-:/()#,@\[\]+=&;{}!$*]{0,255}")
_SET = "a-zA-Z0-9. _-:/()#,@[]+=&;{}!$*"
_GROUP_TEXTS = {"GroupName": "security group name", "GroupDescription": "security group description"}
_RULE_ACTIONS = re.compile(r"(Authorize|Revoke|Modify|Update)SecurityGroup\w+")


def check_query(query: Mapping[str, str]) -> None:
    """Raises AwsError for a request of EC2's query API with a text that EC2 refuses."""
    action = query.get("Action", "")
    if action == "CreateSecurityGroup":
        _check((_GROUP_TEXTS[key], query[key]) for key in _GROUP_TEXTS if key in query)
    elif _RULE_ACTIONS.fullmatch(action):
        _check(("rule description", text) for key, text in query.items() if key.endswith("Description"))


def check_group(properties: Mapping[str, Any]) -> None:
    """The same for the properties of an AWS::EC2::SecurityGroup, whose rules are in it."""
    _check((words, properties[key]) for key, words in _GROUP_TEXTS.items() if key in properties)
    _check(_rule_texts(properties))


def _rule_texts(properties: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for section in ("SecurityGroupIngress", "SecurityGroupEgress"):
        rules: list[dict[str, str]] = properties.get(section) or []
        for rule in rules:
            if "Description" in rule:
                yield "rule description", rule["Description"]


def _check(texts: Iterable[tuple[str, str]]) -> None:
    for what, text in texts:
        if not _ALLOWED.fullmatch(text):
            raise AwsError(
                "InvalidParameterValue",
                f"Invalid {what}. Valid descriptions are strings less than 256 characters from the "
                f"following set:  {_SET}",
            )

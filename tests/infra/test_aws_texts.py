"""Every restricted text of every template keeps to AWS's character sets, patterns and lengths."""

import re
from typing import Any

from aws_cdk.assertions import Template

Templates = dict[str, dict[str, Template]]
# https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateSecurityGroup.html (and API_IpRange)
EC2_DESCRIPTION = re.compile(r"[a-zA-Z0-9. _\-:/()#,@\[\]+=&;{}!$*]{0,255}")


def test_descriptions_in_security_groups_are_as_ec2_takes_them(templates: Templates) -> None:
    found: list[str] = []
    for parts in templates.values():
        for template in parts.values():
            for resource in template.to_json()["Resources"].values():
                if resource["Type"].startswith("AWS::EC2::SecurityGroup"):
                    found += _descriptions(resource["Properties"])
    assert found
    assert [text for text in found if not EC2_DESCRIPTION.fullmatch(text)] == []


def _descriptions(value: Any) -> list[str]:
    if isinstance(value, list):
        return [text for item in value for text in _descriptions(item)]
    if not isinstance(value, dict):
        return []
    here = [v for k, v in value.items() if k in ("Description", "GroupDescription") and isinstance(v, str)]
    return here + [text for item in value.values() for text in _descriptions(item)]

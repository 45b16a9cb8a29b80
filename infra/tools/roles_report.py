"""`python -m infra.tools.roles_report` prints every action of every role; docs/roles.md holds it."""

import json
import re
import sys
from collections.abc import Iterable, Mapping
from typing import Any

from infra import settings, stage  # isort: skip  (before aws_cdk: infra loads it)

import aws_cdk as cdk

HEAD = (
    "# Roles\n\nMade by `python -m infra.tools.roles_report`; `make lint` fails where it differs. "
    "Stages: {stages}.\n"
)
Rights = dict[str, dict[str, set[str]]]  # role -> action -> stages


def main() -> None:
    """Synthesize every stage and print the table."""
    context = settings.context_of_cdk_json()
    templates: dict[str, list[dict[str, Any]]] = {}
    for name in settings.STAGES:
        given = {**context, "stage": name}
        app = cdk.App(context={key: value for key, value in given.items() if key != "stages"})
        stage.build(app=app, settings=settings.load(given.get))
        templates[name] = [stack.template for stack in app.synth().stacks]
    print(table(templates), end="")


def table(templates: Mapping[str, Iterable[Mapping[str, Any]]]) -> str:
    """The page as Markdown: a section a role, a line an action, with its stages where not all have it."""
    rights: Rights = {}
    for name, stacks in templates.items():
        for template in stacks:
            _collect(template["Resources"], name, rights)
    lines = [HEAD.format(stages=", ".join(templates))]
    for role, actions in sorted(rights.items()):
        lines.append(f"## {role}\n")
        for action, where in sorted(actions.items()):
            only = "" if where == set(templates) else f" ({', '.join(sorted(where))})"
            lines.append(f"- `{action}`{only}")
        lines.append("")
    return "\n".join(lines).rstrip() + "\n"


def _collect(resources: Mapping[str, Any], stage_name: str, rights: Rights) -> None:
    for resource_id, resource in resources.items():
        properties = resource.get("Properties", {})
        if resource["Type"] == "AWS::IAM::Role":
            documents = [policy["PolicyDocument"] for policy in properties.get("Policies", [])]
            roles = [resource_id]
            for managed in properties.get("ManagedPolicyArns", []):
                _add(rights, resource_id, f"managed policy {_last(managed)}", stage_name)
        elif resource["Type"] == "AWS::IAM::Policy":
            documents = [properties["PolicyDocument"]]
            roles = [role["Ref"] for role in properties["Roles"]]
        else:
            continue
        for statement in (s for document in documents for s in document["Statement"]):
            for action in _listed(statement["Action"]):
                for role in roles:
                    _add(rights, role, action, stage_name)


def _add(rights: Rights, role: str, action: str, stage_name: str) -> None:
    name = re.sub(r"[0-9A-F]{8}$", "", role)  # the CDK's hash of the path
    rights.setdefault(name, {}).setdefault(action, set()).add(stage_name)


def _listed(actions: str | list[str]) -> list[str]:
    return [actions] if isinstance(actions, str) else actions


def _last(arn: Any) -> str:
    return re.findall(r"[\w-]+", json.dumps(arn))[-1]


if __name__ == "__main__":
    try:
        main()
    except settings.SettingsError as error:
        sys.exit(f"error: {error}")

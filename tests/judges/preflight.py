"""AWS's CloudFormation validator with cdk-preflight's rules, each of which its authors reproduced on AWS."""

import json
import subprocess
import tarfile
from functools import cache
from importlib.resources import files
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from cloudformation_validate import (
    CompositeEngine,
    CompositeEngineConfig,
    ExternalRuleSource,
    TemplateContent,
)

# Not faults: hints of style (zones that a user names are meant), and what our own resolution of texts makes
# (a hardcoded account in an ARN).
_SILENT = {"W3005", "W3010", "W9002", "W9013"}
_RULES = """
const {BUNDLED_RULES: rules, BUNDLED_LIBS: libraries} = require(process.argv[1]);
console.log(JSON.stringify([...rules, ...libraries].map(each => [each.id ?? each.name, each.rego])));
"""


@cache
def engine() -> CompositeEngine:
    """The validator with every rule of the pack, compiled once (3 s)."""
    (pack,) = [
        path for path in files("cdk_preflight").joinpath("_jsii").iterdir() if path.name.endswith(".tgz")
    ]
    with TemporaryDirectory() as folder:
        with tarfile.open(str(pack)) as tar:
            tar.extractall(folder, filter="data")
        program = Path(folder) / "package" / "lib" / "rules.generated.js"
        output = subprocess.run(
            ["node", "-e", _RULES, str(program)], capture_output=True, text=True, check=True
        )
    rules = [ExternalRuleSource(name=name, content=rego) for name, rego in json.loads(output.stdout)]
    return CompositeEngine(CompositeEngineConfig(rego_rules=rules))


def findings(template: dict[str, Any]) -> list[str]:
    """What the rules find in a template, a line each: rule, resource, message."""
    return list(_findings(json.dumps(template)))


@cache
def _findings(template: str) -> tuple[str, ...]:
    """Many settings change one stack of six: the same text is judged once."""
    report = engine().validate_template(TemplateContent(template))  # pyright: ignore[reportUnknownMemberType]
    return tuple(
        f"{found.rule_id} {found.entity.logical_id if found.entity else ''}: {found.message}"
        for found in report.diagnostics
        if found.severity.name != "INFO" and found.rule_id not in _SILENT
    )

"""The findings as a table for people."""

import textwrap
from collections.abc import Sequence

from infra.tools.doctor.finding import Finding

WIDTH = 110
MARKS = {"ok": "ok", "missing": "MISSING", "unknown": "unknown"}
_COLOURS = {"ok": "32", "missing": "31", "unknown": "33"}
_NAME = 26  # a longer name has a line of its own


def table(findings: Sequence[Finding], *, colour: bool, stage: str, width: int = WIDTH) -> str:
    """A line for each finding, its next step below it, and what to do at the end.

    Only a command or an address may be wider: a broken one could not be copied.
    """
    indent = " " * (8 + _NAME + 2)
    lines: list[str] = []
    for finding in findings:
        mark = f"{MARKS[finding.state]:<8}"
        shown = f"\033[{_COLOURS[finding.state]}m{mark}\033[0m" if colour else mark
        text = textwrap.wrap(
            finding.text, width=width - len(indent), break_on_hyphens=False, break_long_words=False
        )
        if len(finding.name) > _NAME:
            lines.append(f"{shown}{finding.name}")
        else:
            lines.append(f"{shown}{finding.name:<{_NAME}}  {text.pop(0)}")
        lines += [f"{indent}{line}" for line in text]
        if finding.next:
            lines.append(f"{' ' * 8}-> {finding.next}")
    return "\n".join([*lines, "", *textwrap.wrap(_sum(findings, stage), width=width)])


def _sum(findings: Sequence[Finding], stage: str) -> str:
    counts = {state: sum(finding.state == state for finding in findings) for state in MARKS}
    text = f"{counts['ok']} ok, {counts['missing']} missing, {counts['unknown']} unknown."
    if counts["missing"]:
        return f"{text} Do what follows the arrow below each MISSING, then: make doctor STAGE={stage}"
    deployed = any(finding.name == "stacks" and "deployed:" in finding.text for finding in findings)
    if deployed:
        return f"{text} Nothing is missing."
    return f"{text} Nothing is missing. Next: npx cdk deploy --all -c stage={stage}"

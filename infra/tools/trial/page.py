"""`python -m infra.tools.trial.page` prints the tables of docs/first-account.md (`make docs`)."""

from itertools import groupby

from infra.tools.trial.assumption import Assumption
from infra.tools.trial.assumptions import ASSUMPTIONS

HEAD = "| name | we believe | ground | it would show as | settled by | asked by |\n|---|---|---|---|---|---|"


def tables() -> str:
    """A table for each part, a line an assumption."""
    parts = groupby(ASSUMPTIONS, key=lambda each: each.part)
    return "\n\n".join("\n".join([f"## {part}\n", HEAD, *map(_line, found)]) for part, found in parts)


def _line(each: Assumption) -> str:
    asked = each.by if not each.because else f"{each.by}: {each.because}"
    cells = (
        f"`{each.name}`",
        each.believed,
        f"**{each.ground}**: {each.why}",
        each.shows,
        _command(each.command),
        asked,
    )
    return f"| {' | '.join(cells)} |"


def _command(text: str) -> str:
    """A command is code; what begins otherwise is a sentence."""
    return (
        f"`{text}`" if text.startswith(("make ", "aws ", "bincount ", "npx ")) and "`" not in text else text
    )


if __name__ == "__main__":
    print(tables())

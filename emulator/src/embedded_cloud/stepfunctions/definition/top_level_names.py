"""Names in a JSONata expression that have no meaning: Step Functions evaluates it without a context.

`phone` alone asks a context for its member, and there is none: a path begins at `$states`, a variable or a
function. AWS refuses the definition. Inside of filters and behind a dot there is a context.
"""

from collections.abc import Iterator
from typing import Any, cast


def top_level_names(node: Any) -> Iterator[str]:
    """Yields each such name, and `$$`, of a parsed expression (`jsonata.Jsonata(text).ast`)."""
    if node is None:
        return
    if node.type == "path":
        yield from top_level_names(node.steps[0])
    elif node.type == "name":
        yield str(node.value)
    elif node.type == "variable" and node.value == "$":
        yield "$$"
    else:
        for part in _parts(node):
            yield from top_level_names(part)


def _parts(node: Any) -> Iterator[Any]:
    """The parts that have the same context as the node; a function's own body is left alone."""
    if node.type in ("lambda", "variable", "string", "number", "value", "regex"):
        return
    # `bind` has the variable's name on its left side.
    sides = ("rhs",) if node.type == "bind" else ("lhs", "rhs")
    for member in (*sides, "condition", "then", "_else", "expression"):
        part = getattr(node, member, None)
        if hasattr(part, "type"):
            yield part
    for member in ("arguments", "expressions"):
        yield from cast("list[Any]", getattr(node, member, None) or [])
    for pair in cast("list[list[Any]]", getattr(node, "lhs_object", None) or []):
        yield from pair

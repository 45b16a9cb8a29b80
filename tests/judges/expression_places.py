"""Where the JSONata expressions of a state machine are."""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple, cast

from tests.judges.aws_tasks import states_of

_INNER = ("Branches", "ItemProcessor", "Iterator")
_WITH_RESULT = ("Task", "Parallel", "Map")
_AFTERWARDS = ("Output", "Assign")


class Place(NamedTuple):
    """An expression: its state, the keys that lead to it, and the kind of moment at which it is evaluated."""

    state: str
    keys: tuple[str | int, ...]
    kind: str
    text: str

    @property
    def is_condition(self) -> bool:
        """Only looked at where no rule before it holds."""
        return self.keys[0] == "Choices"


def places(definition: Mapping[str, Any]) -> Iterator[Place]:
    """All of a definition, each without its braces."""
    for name, state in states_of(definition):
        for field, value in state.items():
            if field not in _INNER:
                kind = _kind(state, field)
                for keys, text in _expressions(value, (field,)):
                    yield Place(name, keys, kind, text)


def filled(value: Any, values: Mapping[str, Any]) -> Any:
    """A template with each expression replaced by what it gave."""
    if isinstance(value, dict):
        return {name: filled(item, values) for name, item in cast("dict[str, Any]", value).items()}
    if isinstance(value, list):
        return [filled(item, values) for item in cast("list[Any]", value)]
    text = expression_of(value)
    return value if text is None else values[text]


def expression_of(value: Any) -> str | None:
    """The expression that a text is, or None where it is none."""
    if isinstance(value, str) and value.startswith("{%") and value.endswith("%}"):
        return value[2:-2].strip()
    return None


def _kind(state: Mapping[str, Any], field: str) -> str:
    if field == "Catch":
        return "error"
    return "result" if field in _AFTERWARDS and state["Type"] in _WITH_RESULT else "entry"


def _expressions(value: Any, keys: tuple[str | int, ...]) -> Iterator[tuple[tuple[str | int, ...], str]]:
    if isinstance(value, dict):
        for name, item in cast("dict[str, Any]", value).items():
            yield from _expressions(item, (*keys, name))
    elif isinstance(value, list):
        for number, item in enumerate(cast("list[Any]", value)):
            yield from _expressions(item, (*keys, number))
    else:
        text = expression_of(value)
        if text is not None:
            yield keys, text

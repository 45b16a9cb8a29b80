"""A check that AWS makes and ministack does not: nothing that exists may refer to what does not."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from embedded_cloud.wire import Json

References = Callable[[Any], Iterator[tuple[str, str | None]]]


def check_references(
    template: dict[str, Any], conditions: dict[str, bool], *, references: References
) -> None:
    """Raises ValueError where something active refers to a resource whose Condition is false.

    Looks at Properties, DependsOn and Outputs; the branch of an Fn::If that is not taken does not count.
    `conditions` are the evaluated conditions, `references` yields (name, attribute) of every Ref,
    Fn::GetAtt and Fn::Sub. The words are AWS's.
    """
    resources: dict[str, dict[str, Any]] = template.get("Resources") or {}
    absent = {name for name, resource in resources.items() if not _active(resource, conditions)}
    if not absent:
        return
    active = {name: resource for name, resource in resources.items() if name not in absent}
    _refuse(_missing(active.values(), ("Properties",), conditions, absent, references), "Resources")
    for resource in active.values():
        depends: str | list[str] = resource.get("DependsOn", [])
        _refuse(absent & {depends} if isinstance(depends, str) else absent & set(depends), "Resources")
    outputs: dict[str, dict[str, Any]] = template.get("Outputs") or {}
    present = [output for output in outputs.values() if _active(output, conditions)]
    _refuse(_missing(present, ("Value", "Export"), conditions, absent, references), "Outputs")


def _active(part: dict[str, Any], conditions: dict[str, bool]) -> bool:
    return conditions.get(part.get("Condition", ""), True)


def _missing(
    parts: Iterable[dict[str, Any]],
    sections: tuple[str, ...],
    conditions: dict[str, bool],
    absent: set[str],
    references: References,
) -> set[str]:
    found: set[str] = set()
    for part in parts:
        for section in sections:
            taken = _taken_branches(part.get(section), conditions)
            found |= {name for name, _ in references(taken) if name in absent}
    return found


def _taken_branches(value: Json, conditions: dict[str, bool]) -> Json:
    """`value` with every Fn::If replaced by the branch that its condition takes."""
    if isinstance(value, list):
        return [_taken_branches(item, conditions) for item in value]
    if not isinstance(value, dict):
        return value
    choice = value.get("Fn::If")
    if len(value) == 1 and isinstance(choice, list) and len(choice) == 3:
        condition, then, otherwise = choice
        return _taken_branches(then if conditions.get(str(condition), True) else otherwise, conditions)
    return {key: _taken_branches(item, conditions) for key, item in value.items()}


def _refuse(names: set[str], block: str) -> None:
    if names:
        raise ValueError(
            f"Template error: Unresolved resource dependencies [{', '.join(sorted(names))}] in the {block} "
            "block of the template"
        )

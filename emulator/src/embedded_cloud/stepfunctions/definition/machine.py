"""A whole definition: its JSON, its states, and the ways between them."""

import json
import re
from collections.abc import Iterator
from typing import Any, cast

from embedded_cloud.stepfunctions.definition.choices import check_choices
from embedded_cloud.stepfunctions.definition.errors import check_errors
from embedded_cloud.stepfunctions.definition.fields import STATE_FIELDS, check_fields, check_number
from embedded_cloud.stepfunctions.definition.findings import TARGET, Finding, as_object, as_objects, schema
from embedded_cloud.stepfunctions.definition.queries import check_queries
from embedded_cloud.stepfunctions.definition.resources import check_resource

_MACHINE = {"Comment", "QueryLanguage", "StartAt", "States", "TimeoutSeconds", "Version"}
_BRANCH = {"Comment", "StartAt", "States"}
_PROCESSOR = _BRANCH | {"ProcessorConfig"}
_MODES = {"INLINE", "DISTRIBUTED"}
_MOST_NAME = 80  # characters of a state's name
_MOST_BYTES = 1_048_576  # the API reference's limit of a definition
_TERMINAL = ("Succeed", "Fail")


def invalid_definition(definition: str) -> str | None:
    """The message of InvalidDefinition, or None for a definition that AWS would take."""
    findings = findings_of(definition)
    texts = ", ".join(finding.text for finding in findings)
    return f"Invalid State Machine Definition: '{texts}'" if findings else None


def findings_of(definition: str) -> list[Finding]:
    """Everything that is wrong with a definition, in its own order."""
    if not definition:
        return [Finding(code="MISSING_DESCRIPTION", message="The definition is empty")]
    if len(definition.encode()) > _MOST_BYTES:
        return [schema(f"The definition has more than {_MOST_BYTES} bytes", "/")]
    try:
        machine = json.loads(definition)
    except ValueError as error:
        return [Finding(code="INVALID_JSON_DESCRIPTION", message=str(error))]
    if not isinstance(machine, dict):
        return [schema("Expected the definition to be an object", "/")]
    return list(_check_machine(cast("dict[str, Any]", machine)))


def _check_machine(machine: dict[str, Any]) -> Iterator[Finding]:
    language = machine.get("QueryLanguage", "JSONPath")
    if language not in ("JSONPath", "JSONata"):
        kinds = "[JSONPath, JSONata]"
        yield schema(f"The value of field 'QueryLanguage' must be one of {kinds}", "/QueryLanguage")
        return
    if "TimeoutSeconds" in machine:
        yield from check_number(
            machine["TimeoutSeconds"], name="TimeoutSeconds", path="", least=1, most=99_999_999
        )
    yield from _check_container(machine, fields=_MACHINE, language=language, path="")
    yield from _check_names(machine)


def _check_container(
    container: dict[str, Any], *, fields: set[str], language: str, path: str
) -> Iterator[Finding]:
    """A machine, a branch or a processor: what has StartAt and States."""
    for name in container:
        if name not in fields:
            yield schema(f"Field '{name}' is not supported", path or "/")
    states = container.get("States")
    if not isinstance(states, dict) or not states or not isinstance(container.get("StartAt"), str):
        for name in ("StartAt", "States"):
            if not container.get(name):
                yield schema(f"Missing required field '{name}'", path or "/")
        return
    for name, given in cast("dict[str, Any]", states).items():
        where, state = f"{path}/States/{name}", as_object(given)
        if state.get("Type") not in STATE_FIELDS:
            kinds = ", ".join(STATE_FIELDS)
            yield schema(f"The value of field 'Type' must be one of [{kinds}]", f"{where}/Type")
            continue
        yield from _check_state(state, machine_language=language, path=where)
    yield from _check_ways(container["StartAt"], cast("dict[str, Any]", states), path)


def _check_state(state: dict[str, Any], *, machine_language: str, path: str) -> Iterator[Finding]:
    language = state.get("QueryLanguage", machine_language)
    if machine_language == "JSONata" and language == "JSONPath":
        message = "'QueryLanguage' can not be 'JSONPath' if set to 'JSONata' for whole state machine"
        yield schema(message, path)
        return
    yield from check_fields(state, language=language, path=path)
    yield from check_errors(state, language=language, path=path)
    yield from check_queries(state, language=language, path=path)
    if state["Type"] == "Choice":
        yield from check_choices(state, language=language, path=path)
    if state["Type"] == "Task":
        yield from check_resource(state, path)
    # What is inside inherits the machine's language, not the Map's or Parallel's (seen on AWS).
    for index, branch in enumerate(as_objects(state.get("Branches"))):
        where = f"{path}/Branches[{index}]"
        yield from _check_container(branch, fields=_BRANCH, language=machine_language, path=where)
    if state["Type"] == "Map":
        yield from _check_map(state, machine_language, path)


def _check_map(state: dict[str, Any], language: str, path: str) -> Iterator[Finding]:
    given = [name for name in ("ItemProcessor", "Iterator") if name in state]
    if len(given) != 1:
        yield schema("Expected exactly one of the following fields: [ItemProcessor, Iterator]", path)
        return
    processor, where = as_object(state[given[0]]), f"{path}/{given[0]}"
    yield from _check_container(processor, fields=_PROCESSOR, language=language, path=where)
    mode = as_object(processor.get("ProcessorConfig")).get("Mode", "INLINE")
    if mode not in _MODES:
        kinds = "[INLINE, DISTRIBUTED]"
        yield schema(f"The value of field 'Mode' must be one of {kinds}", f"{where}/ProcessorConfig")
    if mode == "INLINE":
        for name in ("ItemReader", "ItemBatcher", "ResultWriter", "Label"):
            if name in state:
                yield schema(f"Field '{name}' is not supported for INLINE mode", path)


def _check_ways(start: str, states: dict[str, Any], path: str) -> Iterator[Finding]:
    """Every target is a state, every state but the first is a target, and one state is an end."""
    ways = [(start, f"{path}/StartAt")]
    for name, state in states.items():
        ways += _ways_of(as_object(state), f"{path}/States/{name}")
    broken = False
    for target, where in ways:
        if target not in states:
            broken = True
            yield Finding(code=TARGET, message=f"Missing 'Next' target: {target}", location=where)
    reached = {target for target, _ in ways}
    for name in states:
        if name not in reached:
            broken = True
            message = f'State "{name}" is not reachable.'
            yield Finding(code=TARGET, message=message, location=f"{path}/States/{name}")
    ends = [
        s for s in as_objects(list(states.values())) if s.get("End") is True or s.get("Type") in _TERMINAL
    ]
    if not ends and not broken:
        yield Finding(code="MISSING_END_STATE", message="Workflow has no terminal state")


def _ways_of(state: dict[str, Any], path: str) -> list[tuple[str, str]]:
    ways = [(state[name], f"{path}/{name}") for name in ("Next", "Default") if name in state]
    for field in ("Choices", "Catch"):
        for index, rule in enumerate(as_objects(state.get(field))):
            if "Next" in rule:
                ways.append((rule["Next"], f"{path}/{field}[{index}]/Next"))
    return ways


def _check_names(machine: dict[str, Any]) -> Iterator[Finding]:
    """A name is unique in the whole machine, and short."""
    seen: set[str] = set()
    for name, path in _names(machine, ""):
        if name in seen:
            yield Finding(code="DUPLICATE_STATE_NAME", message=f"Duplicate State name: {name}", location=path)
        if len(name) > _MOST_NAME or not name or re.search(r"[\x00-\x1f\x7f-\x9f]", name):
            message = f"A state name has 1 to {_MOST_NAME} characters, none of them a control character"
            yield Finding(code="INVALID_STATE_NAME", message=message, location=path)
        seen.add(name)


def _names(container: dict[str, Any], path: str) -> Iterator[tuple[str, str]]:
    for name, given in as_object(container.get("States")).items():
        where, state = f"{path}/States/{name}", as_object(given)
        yield name, where
        for index, branch in enumerate(as_objects(state.get("Branches"))):
            yield from _names(branch, f"{where}/Branches[{index}]")
        for field in ("ItemProcessor", "Iterator"):
            if field in state:
                yield from _names(as_object(state[field]), f"{where}/{field}")

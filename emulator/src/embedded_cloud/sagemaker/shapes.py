"""Holds requests and answers to AWS's own description of its API (botocore's service model)."""

import re
from functools import lru_cache
from typing import Any, cast

import botocore.session
from botocore.validate import ParamValidator

from embedded_cloud.errors import AwsError, validation_error
from embedded_cloud.wire import Json


class Shapes:
    """The shapes of one service's operations; `service` is boto3's name of it."""

    def __init__(self, service: str) -> None:
        self._model: Any = botocore.session.get_session().get_service_model(service)

    def operation_exists(self, operation: str) -> bool:
        """Whether AWS has an operation of that name."""
        return operation in self._model.operation_names

    def validate(self, *, operation: str, request: dict[str, Any]) -> None:
        """Raises a ValidationException that names every breach of required members, types and limits."""
        shape = self._model.operation_model(operation).input_shape
        if shape is None:
            return
        report = ParamValidator().validate(request, shape)
        if report.has_errors():
            raise validation_error(report.generate_report().replace("\n", " "))
        breaches = list(_breaches(request, shape, ""))
        if breaches:
            noun = "error" if len(breaches) == 1 else "errors"
            raise validation_error(f"{len(breaches)} validation {noun} detected: {'; '.join(breaches)}")

    def known(self, *, operation: str, request: dict[str, Any]) -> dict[str, Any]:
        """The members of `request` that AWS knows; what is of a wrong type stays for `validate`."""
        shape = self._model.operation_model(operation).input_shape
        return {} if shape is None else cast("dict[str, Any]", _known_members(request, shape))

    def answer(self, *, operation: str, record: dict[str, Any]) -> dict[str, Any]:
        """The members of `record` that the operation's answer has, and no others."""
        shape = self._model.operation_model(operation).output_shape
        return {} if shape is None else _only_members(record, shape)

    def coerce(self, *, operation: str, properties: dict[str, Any]) -> dict[str, Any]:
        """CloudFormation properties as request members: text becomes a number or truth value where one is
        due.
        """
        return _coerce(properties, self._model.operation_model(operation).input_shape)


@lru_cache(maxsize=16)
def shapes_of(service: str) -> Shapes:
    """The shapes of `service`, read once (SageMaker's model takes a third of a second)."""
    return Shapes(service)


def _breaches(value: Any, shape: Any, path: str) -> Any:
    """Yields AWS's sentence for every limit that botocore leaves to the server: maximum, pattern,
    enumeration.
    """
    kind = shape.type_name
    if kind == "structure" and not getattr(shape, "is_document_type", False):
        for name, item in value.items():
            yield from _breaches(
                item, shape.members[name], f"{path}.{_camel(name)}" if path else _camel(name)
            )
        return
    if kind == "list":
        for index, item in enumerate(value):
            yield from _breaches(item, shape.member, f"{path}.{index + 1}.member")
    elif kind == "map":
        for key, item in value.items():
            yield from _breaches(key, shape.key, path)
            yield from _breaches(item, shape.value, f"{path}.{key}.member")
    rule = _broken_rule(value, shape)
    if rule:
        yield f"Value '{value}' at '{path}' failed to satisfy constraint: Member must {rule}"


def _broken_rule(value: Any, shape: Any) -> str | None:
    maximum = shape.metadata.get("max")
    if maximum is not None:
        if shape.type_name in ("string", "list", "map") and len(value) > maximum:
            return f"have length less than or equal to {maximum}"
        if shape.type_name in ("integer", "long", "float", "double") and value > maximum:
            return f"have value less than or equal to {maximum}"
    if shape.type_name != "string":
        return None
    if getattr(shape, "enum", None) and value not in shape.enum:
        return f"satisfy enum value set: [{', '.join(shape.enum)}]"
    pattern = shape.metadata.get("pattern")
    if pattern and not _matches(pattern, value):
        return f"satisfy regular expression pattern: {pattern}"
    return None


def _matches(pattern: str, value: str) -> bool:
    """Whether the whole value matches; a pattern that Python cannot read holds nothing back."""
    compiled = _compiled(pattern)
    return compiled is None or compiled.fullmatch(value) is not None


@lru_cache(maxsize=1024)
def _compiled(pattern: str) -> re.Pattern[str] | None:
    """AWS writes Java patterns: `\\p{..}` and surrogate pairs have no counterpart in `re`."""
    try:
        return re.compile(pattern)
    except re.error:
        return None


def _camel(name: str) -> str:
    return name[:1].lower() + name[1:]


def _known_members(value: Any, shape: Any) -> Any:
    kind = shape.type_name
    if kind == "structure" and isinstance(value, dict) and not getattr(shape, "is_document_type", False):
        found: dict[str, Any] = {}
        wire = {member.serialization.get("name", name): name for name, member in shape.members.items()}
        for key, item in cast("dict[str, Any]", value).items():
            name = wire.get(key)
            if name is not None and item is not None:
                found[name] = _known_members(item, shape.members[name])
        return found
    if kind == "list" and isinstance(value, list):
        return [_known_members(item, shape.member) for item in cast("list[Any]", value)]
    if kind == "map" and isinstance(value, dict):
        return {key: _known_members(item, shape.value) for key, item in cast("dict[str, Any]", value).items()}
    return cast("Any", value)


def _only_members(value: Any, shape: Any) -> Any:
    kind = shape.type_name
    if kind == "structure":
        return {
            name: _only_members(value[name], member)
            for name, member in shape.members.items()
            if value.get(name) is not None
        }
    if kind == "list":
        return [_only_members(item, shape.member) for item in value]
    if kind == "map":
        return {key: _only_members(item, shape.value) for key, item in value.items()}
    return value


def _coerce(value: Json, shape: Any) -> Any:
    kind = shape.type_name
    if kind == "structure" and isinstance(value, dict):
        unknown = sorted(set(value) - set(shape.members))
        if unknown:
            raise AwsError("ValidationException", f"extraneous key [{', '.join(unknown)}] is not permitted")
        return {name: _coerce(item, shape.members[name]) for name, item in value.items()}
    if kind == "list" and isinstance(value, list):
        return [_coerce(item, shape.member) for item in value]
    if kind == "map" and isinstance(value, dict):
        return {key: _coerce(item, shape.value) for key, item in value.items()}
    if isinstance(value, str) and kind in ("integer", "long", "float", "double"):
        return int(value) if kind in ("integer", "long") else float(value)
    if kind == "boolean" and isinstance(value, str):
        return value.lower() == "true"
    if kind == "string" and isinstance(value, bool):
        return str(value).lower()
    return str(value) if kind == "string" and isinstance(value, int | float) else value

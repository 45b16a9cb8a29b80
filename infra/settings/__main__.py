"""`python -m infra.settings` prints every setting as a table; docs/settings.md holds it."""

from typing import Any

from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from infra.settings import Settings, paths


def reference() -> str:
    """A Markdown table: setting, default, meaning, bounds."""
    rows = ["| setting | default | meaning | bounds |", "|---|---|---|---|"]
    for section, name in paths():
        model: Any = Settings.model_fields[section].annotation if section else Settings
        field: FieldInfo = model.model_fields[name]
        path = f"{section}.{name}" if section else name
        rows.append(
            f"| `{path}` | {_default(field)} | {field.description or ''} | {_bounds(section, name)} |"
        )
    return "\n".join(rows)


def _default(field: FieldInfo) -> str:
    value = field.get_default(call_default_factory=True)
    return "required" if value is PydanticUndefined else f"`{value!r}`"


def _bounds(section: str, name: str) -> str:
    schema = Settings.model_json_schema()
    properties = schema["properties"]
    if section:
        properties = schema["$defs"][properties[section]["$ref"].rsplit("/", 1)[1]]["properties"]
    known = {"minimum": "≥", "maximum": "≤", "exclusiveMinimum": ">", "exclusiveMaximum": "<"}
    field = properties[name]
    # A number that may be null has its bounds inside.
    field = next((each for each in field.get("anyOf", ()) if each.get("type") == "number"), field)
    bounds = [f"{sign} {field[key]:g}" for key, sign in known.items() if key in field]
    if "enum" in field:
        bounds.append(", ".join(str(choice) for choice in field["enum"]))
    if "pattern" in field:
        bounds.append(f"`{field['pattern']}`".replace("|", "\\|"))
    return "; ".join(bounds)


if __name__ == "__main__":
    print(reference())

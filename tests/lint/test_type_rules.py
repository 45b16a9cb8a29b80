"""pyright's strict mode stays strict."""

import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_pyright_is_strict_and_few_rules_are_off() -> None:
    """Switched off is only what finds faults of others: libraries without types."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["pyright"]
    assert settings["typeCheckingMode"] == "strict"
    rules = {name: value for name, value in settings.items() if name.startswith("report")}
    off = {name for name, value in rules.items() if value not in (True, "error")}
    assert off == {"reportMissingTypeStubs"}

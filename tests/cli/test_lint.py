"""What `make lint` asks for holds: ruff's rules, its format, and pyright's strict mode over all rooms."""

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
RUFF = (sys.executable, "-m", "ruff")
LINTERS = {
    "ruff check": (*RUFF, "check", "."),
    "ruff format": (*RUFF, "format", "--check", "."),
    "pyright": ("npx", "--no-install", "pyright"),
}


@pytest.mark.parametrize("linter", LINTERS)
def test_a_linter_finds_nothing(linter: str) -> None:
    result = subprocess.run(
        LINTERS[linter], cwd=ROOT, capture_output=True, text=True, timeout=600, check=False
    )
    assert result.returncode == 0, result.stdout + result.stderr


def test_pyright_is_strict_and_few_rules_are_off() -> None:
    """Switched off is only what finds faults of others: libraries without types."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["pyright"]
    assert settings["typeCheckingMode"] == "strict"
    rules = {name: value for name, value in settings.items() if name.startswith("report")}
    off = {name for name, value in rules.items() if value not in (True, "error")}
    assert off == {"reportMissingTypeStubs"}

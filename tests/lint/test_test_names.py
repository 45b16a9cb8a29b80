"""A test's name stays under 70 characters, so that it can be read in a report and typed after `-k`."""

import ast
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LONGEST = 69


def test_the_name_of_every_test_is_short_enough() -> None:
    files = [file for folder in ("tests", "emulator/tests") for file in (ROOT / folder).rglob("test_*.py")]
    nodes = [(file, node) for file in files for node in ast.walk(ast.parse(file.read_text()))]
    names = [
        f"{file.relative_to(ROOT)}::{node.name}"
        for file, node in nodes
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and node.name.startswith("test_")
    ]
    assert len(names) > 1000
    assert [name for name in names if len(name.partition("::")[2]) > LONGEST] == []

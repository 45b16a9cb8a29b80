"""Imports between packages: the parts share bincount_core and nothing of one another (docs/contracts.md)."""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
PARTS = {
    "core": {"bincount_core", "bincount_sources"},
    "data_prep": {"data_prep"},
    "training": {"bintrain", "binlaunch", "train"},
    "inference": {"inference"},
    "monitoring": {"monitoring"},
    "client": {"bincount"},
    "infra": {"infra"},
    "emulator": {"embedded_cloud"},
    "demo": {"demo"},
}
"""Folder -> the names that are imported from it."""
LIBRARIES_OF_THE_CORE = {"numpy", "PIL", "simplejpeg"}


def imported(folder: Path) -> Iterator[tuple[str, str]]:
    """Each import below a folder: the file, and the first name of the module."""
    for path in sorted(folder.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                names = [node.module or ""] if node.level == 0 else []
            else:
                continue
            for name in names:
                yield path.relative_to(ROOT).as_posix(), name.partition(".")[0]


@pytest.mark.parametrize("part", ["core", "data_prep", "training", "inference", "monitoring", "client"])
def test_a_part_imports_the_core_and_nothing_of_the_others(part: str) -> None:
    strangers = set().union(*PARTS.values()) - PARTS[part] - PARTS["core"]
    assert [(file, name) for file, name in imported(ROOT / part) if name in strangers] == []


@pytest.mark.parametrize("part", sorted(PARTS.keys() - {"emulator", "demo"}))
def test_no_product_code_knows_an_emulator_or_the_demo(part: str) -> None:
    found = list(imported(ROOT / part))
    assert found, "the folder holds Python files"
    assert [(file, name) for file, name in found if name in PARTS["emulator"] | PARTS["demo"]] == []


def test_the_demo_uses_client_and_emulator_alone() -> None:
    strangers = set().union(*PARTS.values()) - set().union(
        *(PARTS[p] for p in ("demo", "client", "core", "emulator"))
    )
    assert [(file, name) for file, name in imported(ROOT / "demo") if name in strangers] == []


@pytest.mark.parametrize("name", sorted(PARTS))
def test_the_parts_are_where_this_test_looks_for_them(name: str) -> None:
    places = {path.stem for path in (ROOT / name).rglob("*") if path.is_dir() or path.suffix == ".py"}
    assert PARTS[name] <= places | {name}


def test_the_core_needs_three_libraries_and_no_other() -> None:
    """But for the reader of Parquet, which data preparation and `bincount check-images` alone call."""
    reader = "core/bincount_sources/parquet.py"
    found = {name for file, name in imported(ROOT / "core") if (file, name) != (reader, "arro3")}
    assert found - set(sys.stdlib_module_names) - PARTS["core"] <= LIBRARIES_OF_THE_CORE

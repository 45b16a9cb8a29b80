"""The packages of `core/` as files: they are copied into the bundles of code when those are built."""

from pathlib import Path

from infra.packaging.tree import files_of

CORE = Path(__file__).resolve().parents[2] / "core" / "bincount_core"
SOURCES = CORE.parent / "bincount_sources"


def core_files() -> dict[str, Path]:
    """bincount_core by its names in a bundle: `bincount_core/jpeg.py` and so on."""
    return _files(CORE)


def source_files() -> dict[str, Path]:
    """bincount_sources the same way: for what reads images of one's own."""
    return _files(SOURCES)


def _files(package: Path) -> dict[str, Path]:
    return {
        f"{package.name}/{name}": path for name, path in files_of(package, left_out=("__pycache__",)).items()
    }

"""The package bincount_core as files: it is copied into every bundle of code when that is built."""

from pathlib import Path

CORE = Path(__file__).resolve().parents[2] / "core" / "bincount_core"


def core_files() -> dict[str, Path]:
    """Its files by their names in a bundle: `bincount_core/jpeg.py` and so on."""
    return {
        path.relative_to(CORE.parent).as_posix(): path
        for path in sorted(CORE.rglob("*"))
        if path.is_file() and "__pycache__" not in path.parts
    }

"""The package bincount_core as files: it is copied into every bundle of code when that is built."""

from pathlib import Path

from infra.packaging.tree import files_of

CORE = Path(__file__).resolve().parents[2] / "core" / "bincount_core"


def core_files() -> dict[str, Path]:
    """Its files by their names in a bundle: `bincount_core/jpeg.py` and so on."""
    return {f"{CORE.name}/{name}": path for name, path in files_of(CORE, left_out=("__pycache__",)).items()}

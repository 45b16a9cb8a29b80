"""The files that go into a bundle of code, and the digest by which a bundle is found again."""

import hashlib
import shutil
from collections.abc import Iterable, Mapping
from fnmatch import fnmatch
from pathlib import Path


def files_of(folder: Path, *, left_out: Iterable[str]) -> dict[str, Path]:
    """{name in the folder, with `/`: file}, without those of which a part matches a pattern of `left_out`."""
    patterns = tuple(left_out)
    names = {path.relative_to(folder): path for path in folder.rglob("*") if path.is_file()}
    return {
        name.as_posix(): path
        for name, path in names.items()
        if not any(fnmatch(part, pattern) for part in name.parts for pattern in patterns)
    }


def copy_files(files: Mapping[str, Path], *, folder: Path) -> None:
    """Lays the files below `folder` under their names."""
    for name, path in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(path, folder / name)


def digest_of(files: Mapping[str, Path], *facts: str) -> str:
    """16 hexadecimal digits of the SHA-256 of the names, the contents, and what else decides the bundle."""
    digest = hashlib.sha256("\0".join(facts).encode())
    for name, path in sorted(files.items()):
        digest.update(f"\0{name}\0".encode() + path.read_bytes())
    return digest.hexdigest()[:16]


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

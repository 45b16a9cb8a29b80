"""The working tree as a job gets it."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path

TRAINING = Path(__file__).resolve().parent.parent
CORE = TRAINING.parent / "core" / "bincount_core"
LEFT_OUT = ("__pycache__", "*.pyc", "requirements.in", "launch.py", "binlaunch")


def copy_tree(target: Path) -> str:
    """Copy `training/` without what starts jobs, and bincount_core; returns the revision, a digest of all."""
    ignore = shutil.ignore_patterns(*LEFT_OUT)
    shutil.copytree(TRAINING, target, ignore=ignore, dirs_exist_ok=True)
    shutil.copytree(CORE, target / CORE.name, ignore=ignore)
    digest = hashlib.sha256()
    for path in sorted(path for path in target.rglob("*") if path.is_file()):
        digest.update(f"\0{path.relative_to(target).as_posix()}\0".encode() + path.read_bytes())
    return f"working-tree-{digest.hexdigest()[:16]}"

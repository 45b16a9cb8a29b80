"""torchvision's ImageNet weights: names of the public files and what their bytes must hash to."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Weights:
    """A file below the source's address. `sha256` is its digest in hex, or as much of it as is known."""

    file: str
    sha256: str


# The newest weights of each (IMAGENET1K_V2; of resnet18 and resnet34 there is only V1). torchvision writes
# the first 8 digits of the SHA-256 into the name. The whole digests were found in public projects that had
# hashed the files: those of 18, 34 and 50 in several that know nothing of each other, that of 101 in one;
# for 152 nothing but torchvision's own 8 digits is known here.
WEIGHTS = {
    "resnet18": Weights(
        file="resnet18-f37072fd.pth",
        sha256="f37072fd47e89c5e827621c5baffa7500819f7896bbacec160b1a16c560e07ec",
    ),
    "resnet34": Weights(
        file="resnet34-b627a593.pth",
        sha256="b627a593bcbe140c234610266fe4f8ae95ea42fc881d091c9b6052e6b1d0590f",
    ),
    "resnet50": Weights(
        file="resnet50-11ad3fa6.pth",
        sha256="11ad3fa62ca79e40addfd354a8ec4b7c75143b3038b8d2a807fbc68deab379ca",
    ),
    "resnet101": Weights(
        file="resnet101-cd907fc2.pth",
        sha256="cd907fc2a0de2292b2ba2b27d2216bc672d84632d1cf20058d01c0c03b5e020e",
    ),
    "resnet152": Weights(file="resnet152-f82ba261.pth", sha256="f82ba261"),
}


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

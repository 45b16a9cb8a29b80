"""The folder that the serving image is built from: `inference/` and bincount_core.

`python -m infra.packaging.image_context` prints it, for a `docker build` by hand.
"""

from pathlib import Path

from infra.packaging.core_files import core_files
from infra.packaging.requirements import built_once
from infra.packaging.tree import copy_files, digest_of, files_of

ROOT = Path(__file__).resolve().parents[2]
CACHE = ROOT / "build" / "image"
# The folder holds what the image needs and no more. A .dockerignore may not be in it: the CDK would apply it
# to the upload as well, and upload no Dockerfile.
LEFT_OUT = ("__pycache__", "*.pyc", "*requirements.in")


def build(inference: Path = ROOT / "inference") -> Path:
    """The folder below build/image, made once per content: a Docker build context with its Dockerfile."""
    files = {**files_of(inference, left_out=LEFT_OUT), **core_files()}

    def make(folder: Path, scratch: Path) -> None:
        copy_files(files, folder=folder)

    return built_once(CACHE / digest_of(files), build=make)


if __name__ == "__main__":
    print(build())

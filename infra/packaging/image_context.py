"""The folder that the serving image is built from: `inference/` and bincount_core.

`python -m infra.packaging.image_context` prints it, for a `docker build` by hand.
"""

import hashlib
import shutil
from pathlib import Path

from infra.packaging.core_files import core_files
from infra.packaging.requirements import built_once

ROOT = Path(__file__).resolve().parents[2]
CACHE = ROOT / "build" / "image"
# The folder holds what the image needs and no more. A .dockerignore may not be in it: the CDK would apply it
# to the upload as well, and upload no Dockerfile.
LEFT_OUT = ("__pycache__", "*.pyc", "*requirements.in")


def build(inference: Path = ROOT / "inference") -> Path:
    """The folder below build/image, made once per content: a Docker build context with its Dockerfile."""
    ignore = shutil.ignore_patterns(*LEFT_OUT)

    def make(folder: Path, scratch: Path) -> None:
        shutil.copytree(inference, folder, ignore=ignore)
        for name, path in core_files().items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, folder / name)

    digest = hashlib.sha256()
    own = {path.relative_to(inference).as_posix(): path for path in inference.rglob("*") if path.is_file()}
    for name, path in sorted({**own, **core_files()}.items()):
        if not any(Path(part).match(pattern) for part in Path(name).parts for pattern in LEFT_OUT):
            digest.update(f"\0{name}\0".encode() + path.read_bytes())
    return built_once(CACHE / digest.hexdigest()[:16], build=make)


if __name__ == "__main__":
    print(build())

"""The emulated public bucket, and the bins that nothing of the pipeline has ever seen."""

import json
import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from demo.bins.generate import generate

SOURCE_BUCKET = "aft-vbi-pds"
SEED, UNSEEN_SEED = 2026, 7
UNSEEN_IMAGES = 200
COUNTS = range(1, 6)
_ARN = f"arn:aws:s3:::{SOURCE_BUCKET}"
LISTED = {
    "source": {"bucket": SOURCE_BUCKET, "unsigned": True},
    "file_list": f"s3://{SOURCE_BUCKET}/file_list.json",
}
"""Asks for the bins of the bucket's list. Its content is part of what a dataset is, so more bins make another
one; the stage's own request, by counts, finds the dataset again that it made before."""
# Everybody may list and read, without credentials: as the real one.
PUBLIC = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "Principal": "*", "Action": "s3:ListBucket", "Resource": _ARN},
        {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": f"{_ARN}/*"},
    ],
}


@dataclass(frozen=True)
class Bin:
    """The image of a bin and the number of objects that truly lie in it."""

    id: str
    count: int
    jpeg: bytes


def make_bins(directory: Path, *, images: int, seed: int) -> Path:
    """Generate `images` bins below `directory` unless they are there; returns `directory`."""
    wanted = {"images": images, "seed": seed}
    stamp = directory / "made.json"
    if not stamp.is_file() or json.loads(stamp.read_text()) != wanted:
        shutil.rmtree(directory, ignore_errors=True)
        generate(out=directory, images=images, seed=seed, counts=COUNTS)
        stamp.write_text(json.dumps(wanted))
    return directory


def upload(s3: Any, directory: Path, *, progress: Callable[[int, int], None]) -> int:
    """Put the directory into the emulated public bucket, which it makes; returns the number of images."""
    s3.create_bucket(Bucket=SOURCE_BUCKET)
    s3.delete_public_access_block(Bucket=SOURCE_BUCKET)
    s3.put_bucket_policy(Bucket=SOURCE_BUCKET, Policy=json.dumps(PUBLIC))
    files = sorted(
        [
            *directory.glob("bin-images/*.jpg"),
            *directory.glob("metadata/*.json"),
            directory / "file_list.json",
        ]
    )

    def put(path: Path) -> None:
        s3.put_object(
            Bucket=SOURCE_BUCKET, Key=path.relative_to(directory).as_posix(), Body=path.read_bytes()
        )

    with ThreadPoolExecutor(8) as pool:
        for done, _ in enumerate(pool.map(put, files), start=1):
            progress(done, len(files))
    return sum(path.suffix == ".jpg" for path in files)


def unseen_generated(directory: Path) -> list[Bin]:
    """Generated bins of another seed."""
    make_bins(directory, images=UNSEEN_IMAGES, seed=UNSEEN_SEED)
    return [read_bin(directory, path.stem) for path in sorted(directory.glob("bin-images/*.jpg"))]


def read_bin(directory: Path, identity: str) -> Bin:
    """The image and the label of one id in the public layout."""
    label = json.loads((directory / "metadata" / f"{identity}.json").read_text())
    jpeg = (directory / "bin-images" / f"{identity}.jpg").read_bytes()
    return Bin(id=identity, count=int(label["EXPECTED_QUANTITY"]), jpeg=jpeg)

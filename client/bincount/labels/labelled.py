"""Images that people labelled: what is kept of production joined to what was counted there."""

import csv
import io
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from bincount.counting.stream import stream
from bincount.errors import BincountError
from bincount.stage.objects import listed_below
from bincount.stage.stage import Stage

IMAGES = "images/"
TABLE = f"{IMAGES}labelled.csv"
_HISTORY = "label-history/"
_ABOUT = "/answer.json"
_WORKERS = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelledImage:
    """`image` is the key below images/, `taken_at` when it was counted; the label is the last one."""

    request_id: str
    image: str
    count: int
    taken_at: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelledImages:
    """Sorted by time. Labels whose image was not kept, or has expired, are `without_image` in number."""

    bucket: str
    rows: list[LabelledImage]
    without_image: int
    without_label: int

    def to_csv(self) -> bytes:
        """A table as data preparation takes it (`table`): an hour's images stay together in one split."""
        text = io.StringIO(newline="")
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(("image", "count", "taken_at"))
        writer.writerows((row.image, row.count, row.taken_at) for row in self.rows)
        return text.getvalue().encode()

    def field(self) -> dict[str, Any]:
        """The pipeline's `field`: these images beside those of home, their table being uploaded."""
        return {"bucket": self.bucket, "prefix": IMAGES, "labels": f"s3://{self.bucket}/{TABLE}"}

    def request(self) -> dict[str, Any]:
        """The pipeline's request for a dataset of these images, their table being uploaded."""
        source = {
            "bucket": self.bucket,
            "prefix": IMAGES,
            "kind": "table",
            "labels": f"s3://{self.bucket}/{TABLE}",
        }
        counts = [row.count for row in self.rows]
        return {"source": source, "counts": [min(counts), max(counts)]}


def labelled_images(stage: Stage) -> LabelledImages:
    """Joins labels and images of the stage by request id. Raises BincountError where no image is labelled."""
    bucket, s3 = stage.bucket, stage.client("s3")
    newest: dict[str, str] = {}
    for key in _keys(s3, bucket, _HISTORY):  # in the order of their names, which begin with the time
        newest[key.split("/")[1]] = key
    kept = {key.split("/")[1]: key for key in _keys(s3, bucket, IMAGES) if key.endswith(_ABOUT)}
    both = [(newest[name], kept[name]) for name in newest.keys() & kept.keys()]
    if not both:
        raise BincountError(
            f"of {len(newest):,} labelled answers and {len(kept):,} kept images none are the same: images "
            "are kept with capture.inputs, and labelled by `bincount label` (docs/labels.md)"
        )

    def joined(pair: tuple[str, str]) -> LabelledImage:
        label, about = (json.loads(s3.get_object(Bucket=bucket, Key=key)["Body"].read()) for key in pair)
        folder = pair[1].removeprefix(IMAGES).removesuffix(_ABOUT)
        return LabelledImage(
            request_id=unquote(folder),
            image=f"{folder}/{about['image']}",
            count=label["bincount"]["count"],
            taken_at=about["answered_at"],
        )

    rows = sorted(stream(joined, both, workers=_WORKERS), key=lambda row: (row.taken_at, row.image))
    return LabelledImages(
        bucket=bucket,
        rows=rows,
        without_image=len(newest) - len(both),
        without_label=len(kept) - len(both),
    )


def upload(stage: Stage, images: LabelledImages) -> str:
    """Puts the table where `request` names it; its address."""
    stage.client("s3").put_object(
        Bucket=images.bucket, Key=TABLE, Body=images.to_csv(), ContentType="text/csv"
    )
    return f"s3://{images.bucket}/{TABLE}"


def _keys(s3: Any, bucket: str, prefix: str) -> Iterator[str]:
    return (each["Key"] for each in listed_below(s3, bucket, prefix))

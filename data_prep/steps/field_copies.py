"""Images of production that are left out, for they show what another image of the dataset shows."""

from collections.abc import Iterable
from typing import NamedTuple, Self

from bincount_sources.near import near_duplicates
from bincount_sources.split import SPLITS
from data_prep.run import Run, is_field
from data_prep.steps.records import read_records, shown_name
from data_prep.storage.lines import Line

NEAR_DUPLICATE = "near_duplicate"


def field_copies(run: Run) -> dict[str, Line]:
    """{id: {reason, detail}} of the records of production's images that the dataset does not take.

    `duplicate`: the stored bytes are another image's (buckets with a key of KMS have ETags that do not say
    so). `near_duplicate`: one photograph, saved again, or the same still bin, in another split; of two the
    one is kept that is home's or, without home, nearer to train: nobody can regroup what a camera took.
    Images of the public layout have no perceptual hash and are compared by their bytes alone.
    """
    if run.request.field is None:
        return {}
    home: list[_Image] = []
    field: list[_Image] = []
    for record in read_records(run):
        if "reason" not in record:
            (field if is_field(record) else home).append(_Image.of(record))
    field.sort(key=lambda image: (SPLITS.index(image.split), image.order))
    left_out = _duplicates(home, field)
    taken = [image for image in home if image.dhash]
    for split in SPLITS:
        images = [image for image in field if image.split == split and image.id not in left_out]
        left_out |= _near(images, others=[image for image in taken if image.split != split])
        taken += [image for image in images if image.id not in left_out]
    return left_out


class _Image(NamedTuple):
    id: str
    name: str
    split: str
    sha256: str
    dhash: str
    order: int

    @classmethod
    def of(cls, record: Line) -> Self:
        return cls(
            id=record["id"],
            name=shown_name(record),
            split=record["split"],
            sha256=record["sha256"],
            dhash=record.get("dhash", ""),
            order=record.get("order", 0),
        )


def _duplicates(home: Iterable[_Image], field: Iterable[_Image]) -> dict[str, Line]:
    """By bytes; `field` is sorted so that the one to be kept comes first."""
    wanted = {image.sha256 for image in field}
    first = {image.sha256: image.name for image in home if image.sha256 in wanted}
    found: dict[str, Line] = {}
    for image in field:
        if image.sha256 in first:
            found[image.id] = {"reason": "duplicate", "detail": f"the same bytes as {first[image.sha256]}"}
        else:
            first[image.sha256] = image.name
    return found


def _near(images: list[_Image], *, others: list[_Image]) -> dict[str, Line]:
    # The search is for pairs whose splits differ: what is kept is one side, the rest the other.
    rows = [*((SPLITS[0], image.dhash) for image in others), *((SPLITS[-1], image.dhash) for image in images)]
    found: dict[str, Line] = {}
    for pair in near_duplicates(rows) if images and others else ():
        kept, image = others[pair.first], images[pair.second - len(others)]
        detail = f"one photograph, or nearly, with {kept.name} in {kept.split} ({pair.bits} bits differ)"
        found.setdefault(image.id, {"reason": NEAR_DUPLICATE, "detail": detail[:200]})
    return found

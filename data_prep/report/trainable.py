"""Checks of a dataset's counts: can a model be trained on it, and where will it be weak?"""

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping

from bincount_sources.split import BLOCK
from data_prep.errors import NotTrainable

Counts = Mapping[str, Counter[int]]
"""Images by split (`train`, `validation`, `test`) and count."""

FEW_IMAGES = 100
"""Of a split, or of a count in train. The accuracy on so many is uncertain by about 10 points."""

_SHOWN = 20

_STRAYS = 0.01
"""Share of a split whose counts train may not have: rare large ones, which an open top class takes up."""

_PURPOSE = {"validation": "which chooses among models", "test": "which measures the chosen one"}


def require_trainable(
    counts: Counts, *, blocks: int, validation_share: float, own: bool = False, hints: Iterable[str] = ()
) -> None:
    """Raise NotTrainable with every fault and what to change.

    `blocks` is the number of blocks that the images are from; `own` says that the source is not in the public
    layout; `hints` are added to the message.
    """
    faults = [*_faults(counts, blocks, validation_share, own)]
    if faults:
        found = "; ".join([*faults, *hints])
        raise NotTrainable(f"no dataset was sealed: {found}; change that, then start it again")


def weaknesses(counts: Counts) -> list[str]:
    """What a person should know about a dataset that can be trained on, one sentence each."""
    return list(_weaknesses(counts))


def field_weaknesses(counts: Mapping[str, Mapping[str, int]]) -> list[str]:
    """What will not be known of production, one sentence; `counts` are its images by split and count. None
    where the dataset has no such images."""
    images = {split: sum(by_count.values()) for split, by_count in counts.items()}
    if not any(images.values()) or images["test"]:
        return []
    return [
        f"of {sum(images.values())} image(s) of production none is in test: whether a model is better or "
        "worse there will not be known; label images of more groups or hours"
    ]


def _faults(counts: Counts, blocks: int, validation_share: float, own: bool) -> Iterator[str]:
    empty = [split for split, images in counts.items() if not images.total()]
    if empty:
        # So many that each half of what is held out stays empty once in 200 times.
        enough = math.ceil(math.log(0.005) / math.log(1 - validation_share / 2))
        block, remedy = f"a block of {BLOCK} neighbouring ids stays", "number the images further apart"
        if own:
            block = f"a group, else an hour, else {BLOCK} neighbouring numbers are a block, which stays"
            remedy = "name smaller groups"
        yield (
            f"no image is in {' and '.join(empty)}: {block} in one split, and the images are from {blocks} "
            f"block(s); take images from more blocks (about {enough} are enough), or {remedy}"
        )
    train = counts["train"]
    if len(train) == 1:
        yield f"train has images of {_list(train)} only; take at least two counts"
    if not train:
        return
    for split in _PURPOSE:
        strays = _strays(counts, split)
        if sum(strays.values()) > _STRAYS * counts[split].total():
            yield (
                f"{split} has {sum(strays.values())} image(s) of {_list(strays)}, train has none; add images "
                "of that count from other blocks, or leave the count out"
            )


def _weaknesses(counts: Counts) -> Iterator[str]:
    train = counts["train"]
    for split, purpose in _PURPOSE.items():
        images = counts[split].total()
        if images < FEW_IMAGES:
            points = 98 / math.sqrt(images)  # 1.96 standard errors of a share near one half
            yield (
                f"{split}, {purpose}, has {images} images: accuracy on so few is uncertain by {points:.0f} "
                "points; add images from other blocks"
            )
        missing = [count for count in train if not counts[split][count]]
        if missing:
            yield f"{split} has no image of {_list(missing)}: how well they are counted will not be known"
        strays = _strays(counts, split)
        if strays:
            yield (
                f"{split} has {sum(strays.values())} image(s) of {_list(strays)}, train has none: train with "
                f"--max-count below {min(strays)}, or leave such counts out"
            )
    few = [count for count in train if train[count] < FEW_IMAGES]
    if few:
        yield f"train has fewer than {FEW_IMAGES} images of {_list(few)}: expect weak answers; add images"


def _strays(counts: Counts, split: str) -> dict[int, int]:
    """Images by count of those counts that train does not have."""
    return {count: images for count, images in counts[split].items() if not counts["train"][count]}


def _list(counts: Iterable[int]) -> str:
    names = [str(count) for count in sorted(counts)]
    if len(names) > _SHOWN:
        names = [*names[:_SHOWN], f"{len(names) - _SHOWN} other counts of"]
    if names == ["1"]:
        return "1 object"
    return (names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}") + " objects"

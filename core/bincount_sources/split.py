"""What stays together, and the split that follows: train, validation or test.

Neighbouring images often show the same bin before and after one item moved. Images of one block are in one
split, which is a stable hash of the block alone: whatever else is requested, no model is ever evaluated by an
image whose neighbours another one was trained on.
"""

import hashlib
import re
from datetime import UTC, datetime
from typing import Literal

from bincount_sources.found import BadRow

RULE = "bincount-split-v1"
BLOCK = 100
"""Neighbouring numbers a block."""
SECONDS = 3600
"""Length of a block by time."""

Split = Literal["train", "validation", "test"]
SPLITS: tuple[Split, ...] = ("train", "validation", "test")
"""Models learn from the first, are chosen by the second, and are looked at once on the third."""

_NUMBERED = re.compile(r"(.*?)([0-9]+)([^0-9]*)", re.DOTALL)


def split_of_block(block: str, *, validation_share: float) -> Split:
    """The hash of the block, as a number in [0, 1), against the share (docs/contracts.md)."""
    digest = hashlib.sha256(f"{RULE}:{block}".encode()).digest()
    place = int.from_bytes(digest[:8], "big") / 2**64
    if place >= validation_share:
        return "train"
    return "validation" if place < validation_share / 2 else "test"


def block_of(name: str, *, group: str = "", taken_at: str = "") -> str:
    """The group where there is one, else the hour, else 100 neighbours of the last number in the name; a name
    without a number is a block of its own. Raises BadRow `bad_time`."""
    hour = _hour(taken_at) if taken_at.strip() else None
    if group.strip():
        return f"group:{group.strip()}"
    if hour is not None:
        return f"hour:{hour}"
    folder, slash, file = name.rpartition("/")
    stem = file.rpartition(".")[0] or file
    numbered = _NUMBERED.fullmatch(stem)
    if numbered is None:
        return f"name:{name}"
    return f"name:{folder}{slash}{numbered[1]}#{int(numbered[2]) // BLOCK}#{numbered[3]}"


def _hour(written: str) -> int:
    """Hours since 1970. A time without a zone is taken as UTC: only its neighbours matter."""
    text = re.sub(r"^(\d{4}):(\d\d):(\d\d) ", r"\1-\2-\3 ", written.strip())  # EXIF's colons
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise BadRow("bad_time", f"taken_at is {written[:40]!r}, no time as 2026-01-31 14:05") from error
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return int(moment.timestamp() // SECONDS)

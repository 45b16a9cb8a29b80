"""The side of an image: train, or one of the two halves of validation; draws without a generator.

Neighbouring ids often show the same bin before and after one item moved, so whole blocks of 100 ids stay
together. A block's side is a hash of its number alone: whatever else is requested, no model is ever
evaluated by an image that another one was trained on.
"""

import hashlib
from typing import Literal, NamedTuple


def draw_of(identity: str, *, purpose: str) -> int:
    """64 bits, unrelated to the id's order and, for another purpose, to each other's."""
    digest = hashlib.sha256(f"bincount-{purpose}-v1:{identity}".encode()).digest()
    return int.from_bytes(digest[:8], "big")


BLOCK = 100
"""Ids a block."""

RULE = "bincount-split-v1"


class Side(NamedTuple):
    """`part` is None on the train side."""

    split: Literal["train", "val"]
    part: Literal["select", "report"] | None


SIDES = (Side("train", None), Side("val", "select"), Side("val", "report"))
"""All there are."""

PARTS = ("train", "select", "report")
"""The train side and the two halves of the val side."""


def block_of(identity: str) -> int:
    """The block of an id, by the id's number: 01013 and 1013 are two images of one block."""
    return int(identity) // BLOCK


def side_of(identity: str, *, validation_share: float) -> Side:
    """The id's side: the hash of its block, as a number in [0, 1), against the share (docs/contracts.md)."""
    digest = hashlib.sha256(f"{RULE}:{block_of(identity)}".encode()).digest()
    place = int.from_bytes(digest[:8], "big") / 2**64
    if place >= validation_share:
        return Side("train", None)
    return Side("val", "select" if place < validation_share / 2 else "report")

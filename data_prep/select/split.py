"""The split of an image (train, validation or test), and draws without a generator.

Neighbouring ids often show the same bin before and after one item moved, so whole blocks of 100 ids stay
together. A block's split follows from a hash of its number alone: whatever else is requested, no model is
ever evaluated by an image that another one was trained on.
"""

import hashlib
from typing import Literal


def draw_of(identity: str, *, purpose: str) -> int:
    """64 bits, unrelated to the id's order and, for another purpose, to each other's."""
    digest = hashlib.sha256(f"bincount-{purpose}-v1:{identity}".encode()).digest()
    return int.from_bytes(digest[:8], "big")


BLOCK = 100
"""Ids a block."""

RULE = "bincount-split-v1"


Split = Literal["train", "validation", "test"]

SPLITS: tuple[Split, ...] = ("train", "validation", "test")
"""Models learn from the first, are chosen by the second, and are looked at once on the third."""


def block_of(identity: str) -> int:
    """The block of an id, by the id's number: 01013 and 1013 are two images of one block."""
    return int(identity) // BLOCK


def split_of(identity: str, *, validation_share: float) -> Split:
    """The id's split: the hash of its block, as a number in [0, 1), against the share (docs/contracts.md)."""
    digest = hashlib.sha256(f"{RULE}:{block_of(identity)}".encode()).digest()
    place = int.from_bytes(digest[:8], "big") / 2**64
    if place >= validation_share:
        return "train"
    return "validation" if place < validation_share / 2 else "test"


def folder_of(split: str) -> str:
    """The folder of a split's images in a dataset: `train`, or `val` for both of the others."""
    return "train" if split == "train" else "val"

"""The split of an image (train, validation or test), and draws without a generator.

In the public layout a block is 100 neighbouring ids; of own sources the row says its block.
"""

import hashlib
from typing import Any

from bincount_sources.split import BLOCK, RULE, SPLITS, Split, split_of_block

__all__ = [
    "BLOCK",
    "RULE",
    "SPLITS",
    "Split",
    "block_of",
    "block_of_line",
    "draw_of",
    "folder_of",
    "split_of",
    "split_of_block",
]


def draw_of(identity: str, *, purpose: str) -> int:
    """64 bits, unrelated to the id's order and, for another purpose, to each other's."""
    digest = hashlib.sha256(f"bincount-{purpose}-v1:{identity}".encode()).digest()
    return int.from_bytes(digest[:8], "big")


def block_of(identity: str) -> int:
    """The block of an id, by the id's number: 01013 and 1013 are two images of one block."""
    return int(identity) // BLOCK


def block_of_line(line: dict[str, Any]) -> str:
    """The block of a line of the index or a record."""
    return str(line["block"]) if "block" in line else str(block_of(line["id"]))


def split_of(identity: str, *, validation_share: float) -> Split:
    """The id's split, which is its block's (bincount_sources.split)."""
    return split_of_block(str(block_of(identity)), validation_share=validation_share)


def folder_of(split: str) -> str:
    """The folder of a split's images in a dataset: `train`, or `val` for both of the others."""
    return "train" if split == "train" else "val"

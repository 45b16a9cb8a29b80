"""The block of an id or of a line of the index, and the split that follows from it.

In the public layout a block is 100 neighbouring ids; of own sources the row says its block. The rule of the
split, which the client has too, is in bincount_sources.split.
"""

from typing import Any

from bincount_sources.split import BLOCK, Split, split_of_block


def block_of(identity: str) -> int:
    """The block of an id, by the id's number: 01013 and 1013 are two images of one block."""
    return int(identity) // BLOCK


def block_of_line(line: dict[str, Any]) -> str:
    """The block of a line of the index or a record."""
    return str(line["block"]) if "block" in line else str(block_of(line["id"]))


def split_of(identity: str, *, validation_share: float) -> Split:
    """The id's split, which is its block's."""
    return split_of_block(str(block_of(identity)), validation_share=validation_share)

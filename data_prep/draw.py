"""A draw without a generator: a number that stands for an id, the same in every run and every process."""

import hashlib


def draw_of(identity: str, *, purpose: str) -> int:
    """64 bits, unrelated to the id's order and, for another purpose, to each other's."""
    digest = hashlib.sha256(f"bincount-{purpose}-v1:{identity}".encode()).digest()
    return int.from_bytes(digest[:8], "big")

"""Draws without a generator: which items of a list are taken, and in which order they are written."""

import hashlib


def draw_of(identity: str, *, purpose: str) -> int:
    """64 bits, unrelated to the id's order and, for another purpose, to each other's."""
    digest = hashlib.sha256(f"bincount-{purpose}-v1:{identity}".encode()).digest()
    return int.from_bytes(digest[:8], "big")

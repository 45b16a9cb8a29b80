"""Texts with wildcards, as IAM has them."""

from functools import cache


@cache
def meet(one: str, other: str) -> bool:
    """Whether some text is of both forms: `*` stands for any characters, `?` for one."""
    if not one or not other:
        return not one.strip("*") and not other.strip("*")
    if one[0] == "*" or other[0] == "*":
        starred, rest = (one, other) if one[0] == "*" else (other, one)
        return meet(starred[1:], rest) or meet(starred, rest[1:])
    same = one[0] == other[0] or "?" in (one[0], other[0])
    return same and meet(one[1:], other[1:])

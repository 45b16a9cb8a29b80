"""Which image an id may mean that names none: a folder left out, leading zeros that a spreadsheet took."""

from collections.abc import Iterable


class Likeness:
    """Images that no manifest names, by what remains of their ids without folders, case, leading zeros."""

    def __init__(self, images: Iterable[str]) -> None:
        self._by_core: dict[str, str] = {}
        for identity in images:
            self._by_core.setdefault(_core(identity), identity)

    def of(self, identity: str) -> str | None:
        """The first image that looks like this id."""
        return self._by_core.get(_core(identity))

    def example(self, missing: Iterable[str]) -> str | None:
        """`00900 looks like aisle 1/00900`, of the first id of `missing` that looks like an image."""
        for identity in missing:
            like = self.of(identity)
            if like is not None:
                return f"{identity} looks like {like}{_reason(identity, like)}"
        return None


def _core(identity: str) -> str:
    name = identity.rsplit("/", 1)[-1].strip().casefold().removesuffix(".0")
    return name.lstrip("0") or "0"


def _reason(identity: str, like: str) -> str:
    name, other = (text.rsplit("/", 1)[-1] for text in (identity, like))
    if len(name) < len(other) and name.isdecimal() and name.lstrip("0") == other.lstrip("0"):
        return " (a spreadsheet takes leading zeros away: make the column text before the ids are put in)"
    if name == other and identity.casefold().endswith(like.casefold()):
        return " (the manifest's id has a folder before it)"
    return ""

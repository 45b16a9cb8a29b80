"""Which bins a site has, in which order: the images that are there beside the ids that the manifest names."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

from bincount.counting.image import SUFFIXES
from bincount.errors import BincountError
from bincount.site.image_files import LeftAlone, image_id, is_image, is_of_the_system, other_format
from bincount.site.manifest import Manifest
from bincount.site.row import Row
from bincount.texts import listed


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Bin:
    """`name` is the image's, below the folder or prefix; `row` is there where nothing is to be counted."""

    id: str
    name: str
    size: int = 0
    row: Row | None = None


@dataclass(slots=True, kw_only=True)
class Arrangement:
    """What is to be counted, in the order of the CSV: the manifest's, then what it does not name.

    `unmatched` is a line about ids of the manifest that have no image, where some look like one.
    """

    bins: list[Bin] = field(default_factory=list[Bin])
    left_alone: LeftAlone = field(default_factory=LeftAlone)
    unmatched: str | None = None


def arrange(
    files: Iterable[tuple[str, int]],
    *,
    manifest: Manifest,
    where: str,
    image_of: Callable[[str], str],
) -> Arrangement:
    """The bins of `files` ((name, bytes), in the order of names) and of the manifest.

    `where` is the folder or address, for messages; `image_of` makes a row's `image` of a name. An id of the
    manifest without an image, a second image of an id, and an image in a format that is not counted
    are rows with an error. Raises BincountError where nothing can be counted, or where a manifest names none
    of the images, and says what its ids look like.
    """
    found = _Files(files)
    if not found.images:
        raise BincountError(_nothing(found, where))
    expected = manifest.expected
    likeness = Likeness(identity for identity in found.known() if identity not in expected)
    missing = [identity for identity in expected if not found.has(identity)]
    if expected and len(missing) == len(expected):
        example = (
            likeness.example(missing) or f"{missing[0]!r} is none of the images' {listed(found.first())}"
        )
        raise BincountError(
            f"none of {len(expected):,} ids of the manifest has an image below {where}: {example}: an id is "
            "the image's path below it, without its suffix"
        )
    made = Arrangement(left_alone=found.left_alone)
    example = likeness.example(missing)
    if example is not None:
        made.unmatched = f"{len(missing):,} of {len(expected):,} ids of the manifest have no image: {example}"
    for identity in _in_order(found, expected):
        made.bins += found.bins(identity, expected.get(identity), image_of, likeness)
    return made


def _in_order(found: "_Files", expected: dict[str, int]) -> Iterator[str]:
    yield from expected
    yield from (identity for identity in found.known() if identity not in expected)


class _Files:
    """The files by what they are."""

    def __init__(self, files: Iterable[tuple[str, int]]) -> None:
        self.images: dict[str, tuple[str, int]] = {}
        self.left_alone = LeftAlone()
        self._doubles: dict[str, list[str]] = {}
        self._foreign: dict[str, str] = {}
        for name, size in files:
            self._sort(name, size)
        for identity in [identity for identity in self._foreign if identity in self.images]:
            # The phone's original beside the JPEG that was made of it.
            self.left_alone.add(self._foreign.pop(identity))

    def has(self, identity: str) -> bool:
        return identity in self.images or identity in self._foreign

    def known(self) -> Iterator[str]:
        yield from self.images
        yield from self._foreign

    def first(self) -> list[str]:
        return [identity for identity, _ in zip(self.images, range(3), strict=False)]

    def foreign(self) -> list[str]:
        return list(self._foreign.values())

    def bins(
        self, identity: str, expected: int | None, image_of: Callable[[str], str], likeness: Likeness
    ) -> Iterator[Bin]:
        """The image of an id, or why there is none, and the further images of the same id."""

        def fault(code: str, message: str, name: str) -> Bin:
            image = image_of(name) if name else None
            row = Row.of_error(code, message, id=identity, image=image, expected=expected)
            return Bin(id=identity, name=name, row=row)

        if identity in self.images:
            name, size = self.images[identity]
            yield Bin(id=identity, name=name, size=size)
        elif identity in self._foreign:
            name = self._foreign[identity]
            yield fault("unsupported_format", f"{name} is {other_format(name)}", name)
        else:
            like = likeness.of(identity)
            hint = f"; {like!r} looks like it" if like else ""
            yield fault("no_image", f"the manifest names this id, but there is no image of it{hint}", "")
        for name in self._doubles.get(identity, ()):
            yield fault("duplicate_id", f"{name}: another image has the same id: rename one of them", name)

    def _sort(self, name: str, size: int) -> None:
        if is_of_the_system(name):
            return
        identity = image_id(name)
        if not is_image(name):
            if other_format(name) and identity not in self._foreign:
                self._foreign[identity] = name
            else:
                self.left_alone.add(name)
        elif identity in self.images:
            self._doubles.setdefault(identity, []).append(name)
        else:
            self.images[identity] = (name, size)


def _nothing(found: _Files, where: str) -> str:
    words = f"no images ({', '.join(SUFFIXES)}) below {where}"
    foreign = found.foreign()
    if foreign:
        return f"{words}, but {len(foreign):,} in other formats: {foreign[0]} is {other_format(foreign[0])}"
    rest = found.left_alone
    there = f", only {listed(rest.names, most=3, of=rest.number)}" if rest.number else ""
    return f"{words}{there}: check the address"

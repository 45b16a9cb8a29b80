"""The seed project's file list: `{"<count>": ["data/metadata/<id>.json", ...], ...}`."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, cast

from bincount_sources.names import is_litter
from data_prep.errors import BadRequest
from data_prep.select.labels import parse_json

ID = r"[0-9]{1,12}"
"""An image's id: digits, kept as a string, since 01013 and 1013 are two images."""
OWN_ID = r"[0-9a-f]{16}"
"""The id of an image of an own source, by its name (bincount_sources.names)."""

_ENTRY = re.compile(rf"(?:(?!\.\.?/)[^/\x00-\x1f]+/)*({ID})\.json")
"""Folders may have any name but `.` and `..`; only the id counts."""

_CLASS = re.compile(r"0|[1-9][0-9]{0,3}")
_SHOWN = 100


@dataclass(frozen=True, kw_only=True)
class FileList:
    """What the list names: (id, listed count) sorted by id, and the entries that cannot be taken."""

    entries: list[tuple[str, int]]
    rejected: list[dict[str, Any]]


def parse_file_list(data: bytes, *, address: str) -> FileList:
    """Read the list.

    A list that has another form is a BadRequest. An entry that is no `…/<id>.json` (`bad_id`) or names an
    id again (`listed_twice`, also under another class) is rejected by itself; the others go on.
    A class that is there twice has the entries of both; Windows's backslashes are slashes; a file manager's
    own files (`._00901.json`) are passed over.
    """
    entries: dict[str, int] = {}
    rejected: list[dict[str, Any]] = []
    for count, entry in _pairs(data, address=address):
        path = entry.replace("\\", "/") if isinstance(entry, str) else None
        if path is not None and is_litter(path):
            continue
        found = None if path is None else _ENTRY.fullmatch(path)
        if found is None:
            shown = entry if isinstance(entry, str) else f"a {type(entry).__name__}"
            rejected.append(
                {
                    "id": shown[:_SHOWN],
                    "reason": "bad_id",
                    "detail": f"class {count}: not of the form …/<digits>.json",
                }
            )
        elif found[1] in entries:
            detail = f"class {count}: listed before under class {entries[found[1]]}"
            rejected.append({"id": found[1], "reason": "listed_twice", "detail": detail})
        else:
            entries[found[1]] = count
    rejected.sort(key=lambda line: (line["id"], line["reason"], line["detail"]))
    return FileList(entries=sorted(entries.items()), rejected=rejected)


def _pairs(data: bytes, *, address: str) -> Iterator[tuple[int, Any]]:
    form = 'expected {"<count>": ["…/<id>.json", …], …}'
    try:
        value = parse_json(data, join=_both)
    except ValueError as error:
        raise BadRequest(f"file_list {address} is not JSON that can be read ({error}); {form}") from error
    if not isinstance(value, dict):
        raise BadRequest(f"file_list {address} holds a {type(value).__name__}; {form}")
    classes = cast(dict[str, Any], value)
    unknown = [name for name in classes if not _CLASS.fullmatch(name)]
    unknown += [
        name for name, listed in classes.items() if not isinstance(listed, list) and name not in unknown
    ]
    if unknown:
        shown = ", ".join(repr(name[:20]) for name in unknown[:5])
        raise BadRequest(
            f"file_list {address} has {len(unknown)} class(es) that are not a count with a list: "
            f"{shown}; {form}"
        )
    for name, listed in sorted(classes.items(), key=lambda pair: int(pair[0])):
        yield from ((int(name), entry) for entry in listed)


def _both(name: str, first: Any, second: Any) -> Any:
    if not isinstance(first, list) or not isinstance(second, list):
        raise ValueError(f"{name[:20]!r} is there twice")
    joined = cast(list[Any], first)  # of the document that is being read: nobody else holds it
    joined.extend(cast(list[Any], second))
    return joined

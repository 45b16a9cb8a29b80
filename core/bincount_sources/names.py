"""Names of images: what is one, the id that follows from it, and how else it may be spelled."""

import hashlib
import re
import unicodedata

from bincount_core.s3_address import split_s3_address
from bincount_sources.found import BadRow, normal

SUFFIXES = (".jpg", ".jpeg", ".png", ".webp")
"""How the name of an image ends, in any case. Asked of files that no table names."""

_LONGEST = 1024  # bytes of a key in S3
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_LITTER = {"__macosx", ".ds_store", "thumbs.db", "desktop.ini", ".trashes", ".fseventsd", ".spotlight-v100"}
_COUNT = re.compile(r"[0-9]{1,5}")
MOST = 10_000
"""The largest count."""


def is_litter(key: str) -> bool:
    """Whether a file or one of its folders is a file manager's own: `._00901.jpg`, `.DS_Store`, `__MACOSX/`,
    `Thumbs.db`. Such files are passed over: nobody made them."""
    parts = key.split("/")
    return any(part.startswith("._") or part.lower() in _LITTER for part in parts)


def is_image_name(name: str) -> bool:
    """Whether the name ends as that of an image."""
    return name.lower().endswith(SUFFIXES)


def id_of(name: str) -> str:
    """16 hex digits of the name's SHA-256 (64 bits: two of half a million names meet once in 10^8 sets)."""
    return hashlib.sha256(normal(name).encode("utf-8", "surrogateescape")).hexdigest()[:16]


def spellings(name: str) -> list[str]:
    """The name as it came, then in Unicode's forms NFC and NFD where they differ."""
    forms = (unicodedata.normalize(form, name) for form in ("NFC", "NFD"))
    return list(dict.fromkeys((name, *forms)))


def require_name(name: str) -> str:
    """The name, if it can be an image's key below a prefix. Raises BadRow `bad_name`."""
    if not name:
        raise BadRow("bad_name", "it names no image")
    if _CONTROL.search(name):
        raise BadRow("bad_name", "the name has a control character in it")
    if name.startswith("/") or any(part in ("", ".", "..") for part in name.split("/")):
        raise BadRow("bad_name", "not a path below the source: it must have no leading slash, no . and no ..")
    try:
        size = len(name.encode())
    except UnicodeEncodeError:
        raise BadRow("bad_name", "the name is not UTF-8: rename the file") from None
    if size > _LONGEST:
        raise BadRow("bad_name", f"the name has {size} bytes, at most {_LONGEST} are a key in S3")
    return name


def name_below(written: str, *, bucket: str | None, prefix: str) -> str:
    """The name of an image that a row spells as a path below the source or as an s3:// address.

    `bucket` is None where the source is a folder: an address's key is then looked up below it.
    Raises BadRow `bad_name`, or `other_place` for an address outside the source.
    """
    path = written.strip().replace("\\", "/")
    if not path.startswith("s3://"):
        return require_name(path.removeprefix("./"))
    try:
        found, key = split_s3_address(path)
    except ValueError as error:
        raise BadRow("bad_name", str(error)) from error
    if bucket is None:
        return require_name(key)
    if found != bucket or not key.startswith(prefix):
        raise BadRow("other_place", f"it is not below s3://{bucket}/{prefix}, the source")
    return require_name(key.removeprefix(prefix))


def count_in(value: object) -> int:
    """A whole number from 0 to 10,000: an int, or text such as "3" and, as spreadsheets write, "3.0".

    Raises BadRow `bad_count`.
    """
    number = value
    if isinstance(value, str):
        whole = re.sub(r"[.,]0{1,2}$", "", value.strip())  # "1,000" may be a thousand
        number = int(whole) if whole.isascii() and _COUNT.fullmatch(whole) else value
    elif isinstance(value, float) and value.is_integer():
        number = int(value)
    if isinstance(number, bool) or not isinstance(number, int) or not 0 <= number <= MOST:
        shown = repr(value)[:40] if isinstance(value, str | int | float) else "no number"
        raise BadRow("bad_count", f"the count is {shown}, not a whole number from 0 to {MOST}")
    return number

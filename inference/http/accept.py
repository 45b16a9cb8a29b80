"""Which of the answer's two forms the caller wants, by the Accept header (RFC 9110, section 12.5.1)."""

import re

from inference.http.errors import RequestError

JSON = "application/json"
TEXT = "text/plain"
OFFERED = (JSON, TEXT)

_RANGE = re.compile(r"\*|\*/\*|[\w!#$%&'*+.^`|~-]+/(?:\*|[\w!#$%&'*+.^`|~-]+)", re.ASCII)
# RFC 9110 has 0.2 with three digits at most; Java writes .2, others 0.8333.
_QUALITY = re.compile(r"\d+\.?\d*|\.\d+", re.ASCII)
# Commas and semicolons within quoted strings are the parameter's own (RFC 9110, section 5.6.4).
_ELEMENT = re.compile(r'(?:[^,"]|"(?:[^"\\]|\\.)*"?)+')
_PIECE = re.compile(r'(?:[^;"]|"(?:[^"\\]|\\.)*"?)+')


def choose_media_type(accept: str | None) -> str:
    """JSON or TEXT, whichever the header prefers; JSON where it is missing, empty or indifferent.

    For each form the most specific matching range gives its quality; the higher quality wins, and JSON wins
    ties. A bare `*` is `*/*`, as Java's URLConnection means it. A range that cannot be read asks for nothing.
    Raises RequestError 406 where no range that can be read allows one of the two.
    """
    if accept is None or not accept.strip():
        return JSON
    ranges = [found for part in _ELEMENT.findall(accept) if (found := _parse_range(part)) is not None]
    best = max(OFFERED, key=lambda offered: _quality_of(offered, ranges))
    if _quality_of(best, ranges) == 0:
        raise _not_acceptable(accept)
    return best


def _parse_range(part: str) -> tuple[str, float] | None:
    """One media range and its quality (1 where it names none), or None; other parameters are ignored."""
    media_range, *parameters = (piece.strip() for piece in _PIECE.findall(part) or [""])
    if not _RANGE.fullmatch(media_range):
        return None
    quality = 1.0
    for name, _, value in (parameter.partition("=") for parameter in parameters):
        if name.strip().lower() == "q":
            if not _QUALITY.fullmatch(value.strip()) or float(value) > 1:
                return None
            quality = float(value)
    return ("*/*" if media_range == "*" else media_range.lower()), quality


def _quality_of(offered: str, ranges: list[tuple[str, float]]) -> float:
    for candidate in (offered, offered.split("/")[0] + "/*", "*/*"):
        qualities = [quality for media_range, quality in ranges if media_range == candidate]
        if qualities:
            return max(qualities)
    return 0.0


def _not_acceptable(accept: str) -> RequestError:
    message = f"Accept allows neither {JSON} nor {TEXT} (got {accept[:100]!r}): ask for one of those, or none"
    return RequestError(406, "not_acceptable", message)

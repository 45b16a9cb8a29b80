"""Which of the answer's two forms the caller wants, by the Accept header (RFC 9110, section 12.5.1)."""

import re

from inference.refusal import Refusal

JSON = "application/json"
TEXT = "text/plain"
OFFERED = (JSON, TEXT)

_RANGE = re.compile(r"(\*/\*|[\w!#$%&'*+.^`|~-]+/(?:\*|[\w!#$%&'*+.^`|~-]+))", re.ASCII)
_QUALITY = re.compile(r"(0(\.\d{0,3})?|1(\.0{0,3})?)", re.ASCII)


def choose_media_type(accept: str | None) -> str:
    """JSON or TEXT, whichever the header prefers; JSON where it is missing, empty or indifferent.

    For each form the most specific matching range gives its quality; the higher quality wins, and JSON wins
    ties. Raises Refusal 406 where both have quality 0 or the header is malformed.
    """
    if accept is None or not accept.strip():
        return JSON
    ranges = [_parse_range(part, accept) for part in accept.split(",") if part.strip()]
    best = max(OFFERED, key=lambda offered: _quality_of(offered, ranges))
    if _quality_of(best, ranges) == 0:
        raise _not_acceptable(accept)
    return best


def _parse_range(part: str, accept: str) -> tuple[str, float]:
    """One media range and its quality (1 where it names none); other parameters are ignored."""
    media_range, *parameters = (piece.strip() for piece in part.split(";"))
    if not _RANGE.fullmatch(media_range):
        raise _not_acceptable(accept)
    quality = 1.0
    for name, _, value in (parameter.partition("=") for parameter in parameters):
        if name.strip().lower() == "q":
            if not _QUALITY.fullmatch(value.strip()):
                raise _not_acceptable(accept)
            quality = float(value)
    return media_range.lower(), quality


def _quality_of(offered: str, ranges: list[tuple[str, float]]) -> float:
    for candidate in (offered, offered.split("/")[0] + "/*", "*/*"):
        qualities = [quality for media_range, quality in ranges if media_range == candidate]
        if qualities:
            return max(qualities)
    return 0.0


def _not_acceptable(accept: str) -> Refusal:
    message = f"Accept allows neither {JSON} nor {TEXT} (got {accept[:100]!r}): ask for one of those, or none"
    return Refusal(406, "not_acceptable", message)

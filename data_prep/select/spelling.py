"""Why most listed ids find no image."""

from data_prep.run import Run
from data_prep.storage.store import exists

_TRIED = 5
_MOST_DIGITS = 12


def explain_missing(run: Run, ids: list[str]) -> str | None:
    """A sentence where one of the first ids has an image under another number of leading zeros. That image
    may be another bin's, so it is named, not taken."""
    for identity in ids[:_TRIED]:
        for digits in range(1, _MOST_DIGITS + 1):
            other = identity.lstrip("0").zfill(digits)
            if other != identity and exists(run.source, f"bin-images/{other}.jpg"):
                return (
                    f"{identity} has no image, but {other} has one: leading zeros were lost or added, as "
                    "spreadsheets do; list the ids as the files are named"
                )
    return None

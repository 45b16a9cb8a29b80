"""Texts of users and of AWS made fit for one line: shortened, listed, in one Unicode form."""

import re
import textwrap
import unicodedata

from bincount_core.limits import MAX_EXPECTED

# A spreadsheet writes 3 as 3.0, or as 3,0 where the comma is the decimal sign; 1,000 may be 1 or 1000.
_WHOLE = re.compile(r"([0-9]+)(?:[.,]0{1,2})?")


def whole_count(text: str) -> int | None:
    """The count in a cell of a spreadsheet, from 0 to MAX_EXPECTED; None where it is none."""
    whole = _WHOLE.fullmatch(text)
    # Python reads at most 4,300 digits.
    if whole is None or len(text) > 100 or int(whole[1]) > MAX_EXPECTED:
        return None
    return int(whole[1])


def shortened(text: str, most: int) -> str:
    """`text` on one line, at most `most` characters; where it is cut, between words, and with an ellipsis."""
    line = " ".join(text.split())
    if len(line) <= most:
        return line
    cut = textwrap.shorten(line, most, placeholder=" …")
    # One word longer than all that may be shown, such as JSON without a space.
    return cut if len(cut) > most // 2 else f"{line[: most - 1]}…"


def listed(names: list[str], *, most: int = 5, of: int | None = None) -> str:
    """`a, b, c and 12 more`; `of` is how many there are where `names` holds only the first."""
    shown = names[:most]
    rest = (of or len(names)) - len(shown)
    return ", ".join(shown) + (f" and {rest:,} more" if rest else "")


def composed(text: str) -> str:
    """NFC: macOS writes é in file names as two signs, spreadsheets as one."""
    return unicodedata.normalize("NFC", text)

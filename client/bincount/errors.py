"""What can go wrong, as the caller sees it, and the server's error responses as exceptions."""

import json
from importlib.util import find_spec

from bincount.texts import shortened

UNREACHABLE = "unreachable"
"""The code of an image that nobody answered to."""


class BincountError(Exception):
    """Something that the caller can correct; the text is one line: what happened, and what to do."""


class Refused(BincountError):
    """One image that was not counted.

    `code` is the server's stable word (docs/schemas/error.schema.json), or `no_such_file`,
    `unreadable_file`, `body_too_large` and `unreachable` from here. `status` is the HTTP status,
    None where nothing was sent.
    """

    def __init__(self, code: str, message: str, *, status: int | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.status = status


def require_packages(*names: str, extra: str, why: str) -> None:
    """Raises BincountError where one of the packages is not installed: they come with bincount[`extra`].

    `why` follows their names: "read images".
    """
    missing = [name for name in names if find_spec(name) is None]
    if missing:
        raise BincountError(f"{', '.join(missing)} {why}: pip install 'bincount[{extra}]'")


def of_response(text: str, *, status: int) -> Refused:
    """What the server said, or, where it is not the server's form, what came."""
    try:
        error = json.loads(text)["error"]
        return Refused(str(error["code"]), str(error["message"]), status=status)
    except (ValueError, KeyError, TypeError, RecursionError):
        came = shortened(text, 200) or "an empty body"
        return Refused("bad_answer", f"HTTP {status} instead of an answer: {came}", status=status)

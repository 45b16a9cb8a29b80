"""What can go wrong, as the caller is told."""

UNREACHABLE = "unreachable"
"""The code of an image that nobody answered to."""


class BincountError(Exception):
    """Something that the caller can mend; the text is one line: what happened, and what to do."""


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

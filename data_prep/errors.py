"""The errors that a step ends with. Their text starts with a stable code, which is also the class's name."""


class DataPrepError(Exception):
    """Base of all errors below; `str()` gives "<Code>: <what was expected, what came, what to do>"."""

    def __init__(self, message: str) -> None:
        super().__init__(f"{type(self).__name__}: {message}")


class BadRequest(DataPrepError):
    """The request, its file list or an event is not what a step takes; running it again will not help."""


class NotTrainable(DataPrepError):
    """No model can be trained on the images that are left; no dataset was written."""


class LeakingSplit(DataPrepError):
    """Near-duplicates are in two splits, so that figures would be too good; no dataset was written."""


class NotReconciled(DataPrepError):
    """The records do not account for every planned image exactly once; no dataset was written."""


class TransferFailed(DataPrepError):
    """Storage did not answer although every request was retried; running the step again may help."""

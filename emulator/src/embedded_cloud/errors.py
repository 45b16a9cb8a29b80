"""The one exception that becomes an AWS error response."""


class AwsError(Exception):
    """An error as AWS answers it.

    `code` is what botocore puts in `response["Error"]["Code"]`, `message` the sentence beside it and
    `status` the HTTP status.
    """

    def __init__(self, code: str, message: str, *, status: int = 400) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.status = status


def validation_error(message: str) -> AwsError:
    """The error that AWS answers to a request that is well-formed but cannot be done."""
    return AwsError("ValidationException", message)

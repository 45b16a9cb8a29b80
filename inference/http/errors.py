"""The one exception that a caller sees, as an error response: its status, code and message."""

from bincount_core.image import ImageFault


class RequestError(Exception):
    """A request that gets an error answer instead of a count.

    `status` is the HTTP status, `code` a stable word for programs, `message` one sentence for people (what
    was expected, what came, what to do). `retry_after` (seconds) is given where trying again can help.
    `of_image` marks faults of this one image: batch transform answers them with 200, so that one bad
    image does not fail a job of 100,000.
    """

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        *,
        retry_after: int | None = None,
        of_image: bool = False,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.retry_after = retry_after
        self.of_image = of_image

    def body(self, *, request_id: str) -> dict[str, object]:
        """The error as the JSON members of every error response."""
        error: dict[str, object] = {"code": self.code, "message": self.message, "request_id": request_id}
        if self.retry_after is not None:
            error["retry_after"] = self.retry_after
        return {"error": error}


def image_error(fault: ImageFault) -> RequestError:
    """The error response to bytes that cannot be read as an image."""
    if fault.reason == "empty":
        return RequestError(
            400, "empty_body", "the body is empty: send the bytes of one image", of_image=True
        )
    if fault.reason == "too_large":
        return RequestError(413, "image_too_large", f"{fault}: send it scaled down", of_image=True)
    message = f"the body is not a readable image: {fault}; send one whole JPEG, PNG or WebP file"
    return RequestError(400, "undecodable_image", message, of_image=True)

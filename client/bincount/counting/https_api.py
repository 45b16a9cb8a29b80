"""Asks the HTTPS API (`POST <ApiUrl>/count`)."""

from typing import Any

from bincount.counting.image import media_type
from bincount.stage.signed_api import SignedApi
from bincount.stage.stage import Stage


class HttpsApi:
    """The API at `url`: the output ApiUrl of the stack `bincount-<stage>-api`."""

    def __init__(self, *, stage: Stage, url: str, connections: int) -> None:
        self._api = SignedApi(stage=stage, url=url, connections=connections)

    def ask(self, data: bytes, *, expected: int | None) -> dict[str, Any]:
        """The answer's JSON. Raises Refused for this image, BincountError where no image can be asked."""
        path = "/count" if expected is None else f"/count?expected={expected}"
        return self._api.post(path, data, content_type=media_type(data))

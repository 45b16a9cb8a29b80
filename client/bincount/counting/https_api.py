"""Asks the HTTPS API (`POST <ApiUrl>/count`)."""

from typing import Any
from urllib.parse import quote

from bincount.counting.image import media_type
from bincount.stage.signed_api import SignedApi
from bincount.stage.stage import Stage


def count_path(*, expected: int | None, explain: bool) -> str:
    """`count` with its query. What else is asked stands behind the number: API Gateway copies one parameter
    into the endpoint's CustomAttributes, and cannot join two."""
    asked = ([] if expected is None else [str(expected)]) + (["explain=1"] if explain else [])
    return f"count?expected={quote(','.join(asked), safe='')}" if asked else "count"


class HttpsApi:
    """The API at `url`: the output ApiUrl of the stack `bincount-<stage>-api`."""

    def __init__(self, *, stage: Stage, url: str, connections: int) -> None:
        self._api = SignedApi(stage=stage, url=url, connections=connections)

    def ask(self, data: bytes, *, expected: int | None, explain: bool = False) -> dict[str, Any]:
        """The answer's JSON. Raises Refused for this image, BincountError where no image can be asked."""
        path = f"/{count_path(expected=expected, explain=explain)}"
        return self._api.post(path, data, content_type=media_type(data))

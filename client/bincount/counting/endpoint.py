"""Asks the SageMaker endpoint."""

import json
from typing import Any

from botocore.exceptions import ClientError, ConnectionError, HTTPClientError

from bincount.counting.image import media_type
from bincount.errors import UNREACHABLE, BincountError, Refused, of_response
from bincount.stage.stage import Stage

FULL_RETRIES = 5
_SERVER_FULL = 503


def custom_attributes(*, expected: int | None, explain: bool) -> str:
    """SageMaker's CustomAttributes that ask for it; empty where nothing is asked."""
    number = [] if expected is None else [f"expected-count={expected}"]
    return ",".join([*number, "explain=1"] if explain else number)


class Endpoint:
    """InvokeEndpoint of one endpoint. botocore retries what AWS throttles, and a server that is full."""

    def __init__(self, *, stage: Stage, name: str) -> None:
        self._client = stage.client("sagemaker-runtime")
        self._name = name
        self._client.meta.events.register_last(
            "needs-retry.sagemaker-runtime.InvokeEndpoint", _retry_when_full, unique_id="bincount-full"
        )

    def ask(self, data: bytes, *, expected: int | None, explain: bool = False) -> dict[str, Any]:
        """The answer's JSON. Raises Refused for this image, BincountError where no image can be asked."""
        asked = custom_attributes(expected=expected, explain=explain)
        attributes = {"CustomAttributes": asked} if asked else {}
        try:
            response = self._client.invoke_endpoint(
                EndpointName=self._name,
                ContentType=media_type(data),
                Accept="application/json",
                Body=data,
                **attributes,
            )
            return json.loads(response["Body"].read())
        except ClientError as error:
            if error.response["Error"]["Code"] == "ModelError":
                status = int(error.response.get("OriginalStatusCode", 0))
                raise of_response(error.response.get("OriginalMessage", ""), status=status) from error
            if "not found" in str(error).lower() or "could not find" in str(error).lower():
                raise BincountError(
                    f"there is no endpoint {self._name}: approve a model first (`bincount models`), or check "
                    "stage and region"
                ) from error
            raise
        except (ConnectionError, HTTPClientError) as error:
            raise Refused(
                UNREACHABLE, f"no answer from the endpoint {self._name}: {error}: check the network"
            ) from error
        except ValueError as error:
            raise Refused("bad_answer", f"the endpoint {self._name} answered no JSON: {error}") from error


def _retry_when_full(*, attempts: int, response: Any, **_: Any) -> float | None:
    """Seconds until the next attempt where the container was full (503) and says when to come back."""
    if response is None or attempts > FULL_RETRIES:
        return None
    parsed = response[1]
    if parsed.get("OriginalStatusCode") != _SERVER_FULL:
        return None
    try:
        after = json.loads(parsed.get("OriginalMessage", ""))["error"].get("retry_after", 1)
    except (ValueError, KeyError, TypeError):
        after = 1
    return float(after)

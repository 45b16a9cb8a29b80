"""A refusal of the front itself, in the form of every other refusal (docs/schemas/refusal.schema.json)."""

import json


def front_refusal(code: str, message: str, *, retry_after: int | None = None) -> str:
    """The JSON body as an API Gateway template; `$context.requestId` becomes the request's id.

    `message` is ours and fixed: nothing that AWS says gets through, since that can name account numbers,
    roles and ARNs.
    """
    error: dict[str, str | int] = {"code": code, "message": message, "request_id": "$context.requestId"}
    if retry_after is not None:
        error["retry_after"] = retry_after
    return json.dumps({"error": error})

"""The server's refusals (docs/schemas/error.schema.json) as exceptions."""

import json

from bincount.errors import Refused
from bincount.texts import shortened


def refusal(text: str, *, status: int) -> Refused:
    """What the server said, or, where it is not the server's form, what came."""
    try:
        error = json.loads(text)["error"]
        return Refused(str(error["code"]), str(error["message"]), status=status)
    except (ValueError, KeyError, TypeError, RecursionError):
        came = shortened(text, 200) or "an empty body"
        return Refused("bad_answer", f"HTTP {status} instead of an answer: {came}", status=status)

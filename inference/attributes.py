"""What the caller says beside the image: the expected count and the request's id."""

import re
import uuid

from inference.refusal import Refusal

MAX_EXPECTED = 999_999
_COUNT = re.compile(r"[0-9]{1,6}", re.ASCII)
_SAFE_ID = re.compile(r"[A-Za-z0-9._:/+=@-]{1,64}", re.ASCII)


def expected_count(attributes: str | None) -> int | None:
    """The number after `expected-count=` (or a bare number) in SageMaker's CustomAttributes, or None.

    Attributes are separated by commas or semicolons; those with other names are left to others.
    Raises Refusal 422 where the number is no whole number from 0 to MAX_EXPECTED, or is given twice.
    """
    found: list[str] = []
    for piece in re.split("[,;]", attributes or ""):
        name, equals, value = piece.partition("=")
        if not equals and piece.strip():
            found.append(piece.strip())
        elif name.strip().lower() == "expected-count":
            found.append(value.strip())
    if not found:
        return None
    if len(found) > 1 or not _COUNT.fullmatch(found[0]):
        raise Refusal(
            422,
            "bad_expected_count",
            f"expected one whole number from 0 to {MAX_EXPECTED}, as in expected-count=3, "
            f"got {', '.join(found)[:100]!r}",
        )
    return int(found[0])


def request_id(inference_id: str | None) -> str:
    """The caller's id where it is 1 to 64 safe characters, else a fresh one."""
    if inference_id is not None and _SAFE_ID.fullmatch(inference_id):
        return inference_id
    return uuid.uuid4().hex

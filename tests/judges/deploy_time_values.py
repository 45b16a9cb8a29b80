"""Values of templates that only a deploy or an execution makes known, and what is known of them."""

import json
from typing import Any, cast

# What pseudo parameters may be, for texts that are joined with them: the longest of the usual ones.
SAMPLES = {
    "AWS::AccountId": "123456789012",
    "AWS::Region": "ap-southeast-2",
    "AWS::Partition": "aws",
    "AWS::URLSuffix": "amazonaws.com",
    "AWS::StackName": "bincount-stage-serving",
}
LATE = "\ufffd"
"""In a definition: a value that only a deploy makes known."""


def text_of(value: Any) -> tuple[str, bool]:
    """A property's text, and whether it is whole: what only a deploy makes known (an ARN) is left out."""
    if isinstance(value, str):
        return value.replace(LATE, ""), LATE not in value
    if isinstance(value, dict) and not is_late(value, in_states=False):
        return json.dumps(value), False  # a document, such as a policy
    if isinstance(value, dict):
        ((function, argument),) = cast("dict[str, Any]", value).items()
        if function == "Ref" and argument in SAMPLES:
            return SAMPLES[argument], True
        if function == "Fn::Join":
            delimiter, parts = argument
            texts = [text_of(part) for part in parts]
            return delimiter.join(text for text, _ in texts), all(whole for _, whole in texts)
    return "", False


def is_late(value: Any, in_states: bool) -> bool:
    """Whether only a deploy or an execution makes the value known; joined texts are looked at."""
    if isinstance(value, str):
        return in_states and value.startswith("{%")
    if not isinstance(value, dict) or len(cast("dict[str, Any]", value)) != 1:
        return False
    ((function, _),) = cast("dict[str, Any]", value).items()
    return function in ("Ref", "Condition") or function.startswith("Fn::")


def holds_text(value: Any) -> bool:
    """Whether a text is anywhere in the value."""
    if isinstance(value, dict):
        values = cast("dict[str, Any]", value)
        return not is_late(values, in_states=False) and any(map(holds_text, values.values()))
    if isinstance(value, list):
        return any(map(holds_text, cast("list[Any]", value)))
    return isinstance(value, str)

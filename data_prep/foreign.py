"""What others made: JSON that breaks the usual ways, and files that file managers leave behind."""

import json
from collections.abc import Callable
from typing import Any

_LITTER = {"__macosx", ".ds_store", "thumbs.db", "desktop.ini", ".trashes", ".fseventsd", ".spotlight-v100"}


def parse_json(data: bytes, *, join: Callable[[str, Any, Any], Any]) -> Any:
    """The document. `join(name, first, second)` says what a name means that an object has twice.

    Raises ValueError for what is no JSON, or is nested too deeply to be read.
    """

    def build(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        built: dict[str, Any] = {}
        for name, value in pairs:
            built[name] = join(name, built[name], value) if name in built else value
        return built

    try:
        return json.loads(data, object_pairs_hook=build)
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error


def is_litter(key: str) -> bool:
    """Whether a file or one of its folders is a file manager's own: `._00901.jpg`, `.DS_Store`, `__MACOSX/`,
    `Thumbs.db`. Such files are passed over: nobody made them."""
    parts = key.split("/")
    return any(part.startswith("._") or part.lower() in _LITTER for part in parts)

"""Finds the embedded cloud that runs on this machine (docs/contracts.md, "The embedded cloud")."""

import json
import os
import socket
from pathlib import Path
from urllib.parse import urlsplit

from bincount.errors import BincountError

VARIABLE = "BINCOUNT_CLOUD"
_PLACES = ("build/demo/cloud/client.json", "build/embedded-cloud/client.json")


def embedded_cloud(folder: Path | None = None) -> dict[str, str]:
    """The variables with which AWS clients reach it: AWS_ENDPOINT_URL, keys, region, AWS_CA_BUNDLE.

    They stand in the file that the variable BINCOUNT_CLOUD names, or in a usual place below `folder`
    (default: the working directory) or a folder above it. Raises BincountError where none runs.
    """
    start = (folder or Path.cwd()).resolve()
    named = os.environ.get(VARIABLE)
    candidates = (
        [Path(named)] if named else [base / place for base in (start, *start.parents) for place in _PLACES]
    )
    for path in candidates:
        if path.is_file():
            variables: dict[str, str] = json.loads(path.read_text(encoding="utf-8"))
            if _answers(variables["AWS_ENDPOINT_URL"]):
                return variables
    where = named or f"{start} and the folders above it"
    raise BincountError(
        f"no embedded cloud runs (looked in {where}): start one with `KEEP=1 make demo`, call from the "
        f"project's folder, or set {VARIABLE} to its client.json"
    )


def _answers(url: str) -> bool:
    """Whether something listens there; a killed cloud leaves its file behind."""
    parts = urlsplit(url)
    if parts.hostname != "127.0.0.1" or parts.port is None:
        return False
    try:
        socket.create_connection((parts.hostname, parts.port), timeout=5).close()
    except OSError:
        return False
    return True

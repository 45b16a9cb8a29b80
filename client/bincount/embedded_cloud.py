"""Reaches an embedded cloud on this machine (docs/contracts.md, "The embedded cloud")."""

import json
import os
import socket
from pathlib import Path
from urllib.parse import urlsplit

from bincount.errors import BincountError

VARIABLE = "BINCOUNT_CLOUD"


def embedded_cloud() -> dict[str, str]:
    """The variables with which AWS clients reach it: AWS_ENDPOINT_URL, keys, region, AWS_CA_BUNDLE.

    They stand in the file that the variable BINCOUNT_CLOUD names; {} where it is not set, which means AWS.
    Raises BincountError where that cloud does not run.
    """
    named = os.environ.get(VARIABLE)
    if not named:
        return {}
    path = Path(named)
    if path.is_file():
        variables: dict[str, str] = json.loads(path.read_text(encoding="utf-8"))
        if _answers(variables["AWS_ENDPOINT_URL"]):
            return variables
    raise BincountError(
        f"no embedded cloud runs at {named}: start one with `KEEP=1 make demo`, set {VARIABLE} to its "
        f"client.json, or unset {VARIABLE} to reach AWS"
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

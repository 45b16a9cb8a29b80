"""The reference implementation of JSONata, in a Node process that serves this process to its end."""

import atexit
import json
import subprocess
from functools import cache
from pathlib import Path
from typing import Any

_PROGRAM = Path(__file__).with_name("evaluate.mjs")


def evaluated(asked: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """{"value": …} or {"fault": why it has none} of each {"expression", "states", "variables"}, in order.

    Raises RuntimeError where Node or npm's jsonata is missing.
    """
    process = _node()
    assert process.stdin and process.stdout
    process.stdin.write(json.dumps(asked) + "\n")
    process.stdin.flush()
    line = process.stdout.readline()
    if not line:
        raise RuntimeError("Node ended (its words are above): is npm's jsonata there? Run make install")
    return json.loads(line)


@cache
def _node() -> subprocess.Popen[str]:
    process = subprocess.Popen(
        ["node", str(_PROGRAM)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, encoding="utf-8"
    )
    atexit.register(process.terminate)
    return process

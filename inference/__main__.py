"""The program: `python -m inference --model-dir DIR --port N`, and `serve` in the image."""

import argparse
import ctypes
import os
import resource
import signal
import socket
import sys
from pathlib import Path
from types import FrameType

from inference.logs import log_event, route_logging
from inference.model_json import ModelFault, read_description
from inference.run import run_server
from inference.service import Service
from inference.settings import SettingsFault, read_settings

_BACKLOG = 2048

# glibc raises its own threshold up to 32 MB once large blocks were freed, and then keeps the memory of
# decoded images: 570 MB stayed resident after eighteen of 24 million pixels, 195 MB with the threshold set.
_M_MMAP_THRESHOLD = -3
_MAPPED_FROM_BYTES = 1024 * 1024
# A threshold that is set also ends the growth of the other one, above which the free end of a heap goes
# back: at its 128 KB each photograph's memory was fetched anew, 184 page faults a request.
_M_TRIM_THRESHOLD = -1
_TRIMMED_FROM_BYTES = 8 * 1024 * 1024


def main(arguments: list[str]) -> int:
    """Serve one model until SIGTERM; exit status 0 then, 1 with one line on stderr where it cannot."""
    options = _parse(arguments)
    _give_memory_back()
    route_logging()
    try:
        settings = read_settings(os.environ)
        read_description(options.model_dir / "model.json")
        listener = socket.create_server((options.host, options.port), backlog=_BACKLOG)
    except (SettingsFault, ModelFault, OSError) as error:
        return _fail(str(error))
    # A thousand idle connections must not keep the one that works from being accepted.
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    # uvicorn handles the signal while it serves and raises it once more when it is done: that is no crash.
    signal.signal(signal.SIGTERM, _leave)
    service = Service(model_dir=options.model_dir, settings=settings)
    fault = run_server(service=service, settings=settings, listener=listener)
    return _fail(fault) if fault else 0


def _parse(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m inference", description=__doc__)
    parser.add_argument("--model-dir", type=Path, required=True, help="model.json, model.xml, model.bin")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    parser.add_argument("--port", type=int, default=8080, help="0 takes a free one (default: %(default)s)")
    return parser.parse_args(arguments)


def _give_memory_back() -> None:
    """Let blocks above _MAPPED_FROM_BYTES go back to the system when freed (mallopt(3), glibc only)."""
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_M_MMAP_THRESHOLD, _MAPPED_FROM_BYTES)
        mallopt(_M_TRIM_THRESHOLD, _TRIMMED_FROM_BYTES)


def _leave(signum: int, frame: FrameType | None) -> None:
    os._exit(0)


def _fail(fault: str) -> int:
    log_event("fatal", error=fault)
    print(f"bincount: {fault}", file=sys.stderr, flush=True)
    return 1


if __name__ == "__main__":
    status = main(sys.argv[1:])
    sys.stdout.flush()
    # Python's own exit waits for worker threads, for ever where a stuck model holds one.
    os._exit(status)

"""The program: `python -m inference --model-dir DIR --port N`, and `serve` in the image."""

import argparse
import os
import resource
import signal
import socket
import sys
from pathlib import Path
from types import FrameType

from bincount_core.model_json import ModelFault, read_description
from inference.http.logs import log_event, route_logging
from inference.model.resources import give_memory_back
from inference.model.service import Service
from inference.run import run_server
from inference.settings import SettingsFault, read_settings

_BACKLOG = 2048


def main(arguments: list[str]) -> int:
    """Serve one model until SIGTERM; exit status 0 then, 1 with one line on stderr where it cannot."""
    options = _parse(arguments)
    give_memory_back()
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
    # uvicorn handles the signal while it serves and raises it once more when it is done: that is not a crash.
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


def _leave(signum: int, frame: FrameType | None) -> None:
    os._exit(0)


def _fail(fault: str) -> int:
    log_event("fatal", error=fault)
    print(f"bincount: {fault}", file=sys.stderr, flush=True)
    return 1


if __name__ == "__main__":
    status = main(sys.argv[1:])
    sys.stdout.flush()
    # Python's own exit waits for worker threads, without end where a stuck model holds one.
    os._exit(status)

"""The server process: listens, loads its model, serves, and ends cleanly on SIGTERM."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncGenerator
from types import FrameType

import uvicorn
from starlette.applications import Starlette

from bincount_core.model_json import ModelFault
from inference.http.logs import log_event
from inference.http.protocol import bounded_protocol
from inference.http.server import create_app
from inference.model.resources import freeze_garbage_collector
from inference.model.service import Service
from inference.settings import Settings

# SageMaker's router keeps connections for a minute: the side that answers must not close first.
_KEEP_ALIVE_SECONDS = 75


class _Server(uvicorn.Server):
    """uvicorn's server that informs the service when it is asked to stop."""

    def __init__(self, config: uvicorn.Config, *, service: Service) -> None:
        super().__init__(config)
        self._service = service

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        self._service.draining = True
        super().handle_exit(sig, frame)


def run_server(*, service: Service, settings: Settings, listener: socket.socket) -> str | None:
    """Serve on `listener` until SIGTERM or SIGINT; returns the fault that stopped it, None after a clean end.

    Accepted requests are finished, at most `settings.drain_seconds` long. The port answers (503) while the
    model is loading.
    """
    faults: list[str] = []

    @contextlib.asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncGenerator[None]:
        task = asyncio.create_task(load_and_watch())
        yield
        task.cancel()

    async def load_and_watch() -> None:
        try:
            await service.load()
        except Exception as error:
            text = " ".join(str(error).split())
            unforeseen = f"the model does not answer: {type(error).__name__}: {text}"
            faults.append(str(error) if isinstance(error, ModelFault) else unforeseen)
            server.should_exit = True
            return
        freeze_garbage_collector()
        await service.health.watch()

    config = uvicorn.Config(
        create_app(service=service, settings=settings, lifespan=lifespan),
        http=bounded_protocol(patience_seconds=settings.header_seconds),
        loop="uvloop",
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=_KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=int(settings.drain_seconds),
    )
    server = _Server(config, service=service)
    log_event("listening", address=listener.getsockname()[0], port=listener.getsockname()[1])
    server.run(sockets=[listener])
    return faults[0] if faults else None

"""Runs the embedded cloud in this process."""

import asyncio
import fcntl
import json
import logging
import os
import shutil
import signal
import socket
import ssl
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from embedded_cloud.environment import client_environment, trust_environment
from embedded_cloud.identity import REGION
from embedded_cloud.ministack_hooks.hooks import HookError, verify
from embedded_cloud.settings import Settings

_CLOSE_SECONDS = 2.0
READY = "embedded cloud ready at "


def serve(settings: Settings, *, until_stdin_closes: bool = False) -> int:
    """Serves until SIGTERM, SIGINT or, where asked for, the end of standard input; returns the exit code."""
    if not port_is_free(settings.port):
        return _complain(
            f"port {settings.port} on 127.0.0.1 is in use: end what listens there or pass another --port"
        )
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    with (settings.data_dir / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return _complain(
                f"another embedded cloud uses {settings.data_dir}: end it or pass another --data"
            )
        return _serve_alone(settings, until_stdin_closes=until_stdin_closes)


def _serve_alone(settings: Settings, *, until_stdin_closes: bool) -> int:
    _prepare(settings)
    try:
        verify()
    except HookError as error:
        return _complain(str(error))
    _make_certificate(settings)
    _run(settings, until_stdin_closes=until_stdin_closes)
    return 0


def port_is_free(port: int) -> bool:
    """Whether 127.0.0.1:`port` can be listened on."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def _prepare(settings: Settings) -> None:
    """Folders, and the variables that ministack reads when it is imported.

    What an earlier cloud left in the working folders goes: its records went with it.
    """
    for folder in (settings.temporary_dir, settings.jobs_dir, settings.models_dir):
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
    os.environ.setdefault("LOG_LEVEL", "WARNING")
    os.environ.update(
        {
            "BIND_HOST": "127.0.0.1",
            "GATEWAY_PORT": str(settings.port),
            "MINISTACK_HOST": "127.0.0.1",
            "MINISTACK_REGION": REGION,
            "TMPDIR": str(settings.temporary_dir),
            "S3_DATA_DIR": str(settings.data_dir / "s3"),
            "STATE_DIR": str(settings.data_dir / "state"),
            "IOT_MTLS_ENABLED": "0",
            "SFTP_ENABLED": "0",
            "LAMBDA_EXECUTOR": "local",
            "DOCKER_HOST": f"unix://{settings.data_dir / 'no-docker.sock'}",
            "AUTH": "true",
            "MINISTACK_COGNITO_PRETOKEN_STRICT": "1",
            "USE_SSL": "1",
            **trust_environment(settings),
        }
    )


def _make_certificate(settings: Settings) -> None:
    """The server's certificate, and a bundle of it with the system's roots (the *_CA_BUNDLE variables
    replace them).
    """
    from ministack.core import tls

    tls.resolve_tls_material()
    system = ssl.get_default_verify_paths().openssl_cafile
    roots = Path(system).read_bytes() if Path(system).is_file() else b""
    settings.certificate_bundle.write_bytes(roots + b"\n" + settings.certificate.read_bytes())


def _run(settings: Settings, *, until_stdin_closes: bool) -> None:
    # Imported here: all of them read their settings from the environment, which _prepare has just set.
    from embedded_cloud.cognito.installation import at_aws_hosts
    from embedded_cloud.ministack_hooks.parts import app, lambda_runtime
    from embedded_cloud.ministack_hooks.patches import install
    from embedded_cloud.sagemaker.administration import with_administration

    sagemaker = install(settings)

    def end_children() -> None:
        sagemaker.close()
        lambda_runtime.reset()

    known = at_aws_hosts(app.app)
    served = with_administration(known, interrupt=sagemaker.training_jobs.interrupt)
    try:
        asyncio.run(_serve_until_asked(served, settings, end_children, until_stdin_closes=until_stdin_closes))
    finally:
        end_children()


async def _serve_until_asked(
    application: Any, settings: Settings, end_children: Callable[[], None], *, until_stdin_closes: bool
) -> None:
    """Serves until it is asked to end; the APIs still answer while the children end, as jobs write their last
    lines.
    """
    from hypercorn.asyncio import serve as hypercorn_serve

    asked, close = asyncio.Event(), asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(name, asked.set)
    if until_stdin_closes:
        threading.Thread(target=_wait_for_end_of_stdin, args=(loop, asked), daemon=True).start()
    serving = asyncio.create_task(
        hypercorn_serve(application, _hypercorn(settings), shutdown_trigger=close.wait)
    )
    announcement = asyncio.create_task(_announce(settings))
    await asyncio.wait({serving, asyncio.create_task(asked.wait())}, return_when=asyncio.FIRST_COMPLETED)
    announcement.cancel()
    if serving.done():
        serving.result()
    settings.client_file.unlink(missing_ok=True)
    await asyncio.to_thread(end_children)
    close.set()
    await asyncio.wait({serving}, timeout=_CLOSE_SECONDS)
    logging.shutdown()
    sys.stdout.flush()
    # Threads of running executions and TLS connections that clients keep open would hold the interpreter for
    # half a minute; nothing is left that they could do.
    os._exit(0)


def _hypercorn(settings: Settings) -> Any:
    from hypercorn.config import Config

    config = Config()
    config.bind = [f"127.0.0.1:{settings.port}"]
    config.keep_alive_timeout = 75
    config.graceful_timeout = 1
    config.loglevel = "WARNING"
    config.certfile, config.keyfile = (
        str(settings.certificate),
        str(settings.certificate.with_suffix(".key")),
    )
    if settings.plain_port:
        config.insecure_bind = [f"127.0.0.1:{settings.plain_port}"]
    return config


async def _announce(settings: Settings) -> None:
    """Prints the ready line once the port accepts connections."""
    while True:
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", settings.port)
        except OSError:
            await asyncio.sleep(0.05)
            continue
        writer.close()
        settings.client_file.write_text(json.dumps(client_environment(settings), indent=2) + "\n")
        print(f"{READY}{settings.endpoint_url} (pid {os.getpid()}, data in {settings.data_dir})", flush=True)
        return


def _wait_for_end_of_stdin(loop: asyncio.AbstractEventLoop, asked: asyncio.Event) -> None:
    while os.read(0, 1024):
        continue
    loop.call_soon_threadsafe(asked.set)


def _complain(message: str) -> int:
    print(f"error: {message}", file=sys.stderr)
    return 1

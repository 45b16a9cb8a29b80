"""The sides of benchmarks/serving.py that speak HTTP: ours, and the stock stack, each as a real process."""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import sysconfig
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil
import urllib3

ROOT = Path(__file__).resolve().parent.parent
STOCK = Path(__file__).with_name("stock")
_PATIENCE_SECONDS = 120


@dataclass(frozen=True, slots=True)
class Server:
    """A running server; seconds from its start to the first good /ping and to the first answered image."""

    process: subprocess.Popen[bytes]
    url: str
    ping_seconds: float
    answer_seconds: float

    def resident_mb(self) -> float:
        """MiB of the whole process tree; what processes share is counted once (proportional set size)."""
        root = psutil.Process(self.process.pid)
        tree = [root, *root.children(recursive=True)]
        return sum(process.memory_full_info().pss for process in tree) / 2**20


@contextlib.contextmanager
def ours(*, model_dir: Path, image: bytes, folder: Path = ROOT, **environment: str) -> Iterator[Server]:
    """`python -m inference` of the checkout in `folder`, with its default settings on a free port."""
    port = free_port()
    command = [
        sys.executable,
        "-m",
        "inference",
        "--model-dir",
        str(model_dir.resolve()),
        "--port",
        str(port),
    ]
    with _running(command, folder=folder, port=port, image=image, environment=environment) as server:
        yield server


@contextlib.contextmanager
def stock(*, venv: Path, image: bytes, folder: Path, **environment: str) -> Iterator[Server]:
    """torchserve with sagemaker-pytorch-inference's configuration and handler service, and an eager ResNet50.

    What the managed image's start script does, but for the address (127.0.0.1) and the places of its files.
    """
    port = free_port()
    model = folder / "model"
    _make_model(model)
    (container,) = (venv / "lib").glob("python*/site-packages/sagemaker_pytorch_serving_container")
    address = f"http://127.0.0.1:{port}"
    settings = {
        "default_response_timeout": 60,
        "inference_address": address,
        "management_address": address,
        "metrics_address": f"http://127.0.0.1:{free_port()}",
        "default_service_handler": f"{container / 'handler_service.py'}:handle",
    }
    lines = [(container / "etc/default-ts.properties").read_text()]
    lines += [f"{name}={value}" for name, value in settings.items()]
    (folder / "ts.properties").write_text("\n".join(lines) + "\n")
    (folder / "store").mkdir(exist_ok=True)
    command = ["torchserve", "--start", "--foreground", "--no-config-snapshots"]
    command += ["--model-store", str(folder / "store"), "--models", f"model={model}"]
    command += ["--ts-config", str(folder / "ts.properties")]
    command += ["--log-config", str(container / "etc/log4j2.xml")]
    places = {
        "PATH": f"{venv / 'bin'}:{os.environ['PATH']}",
        "PYTHONPATH": str(model / "code"),
        "SAGEMAKER_BASE_DIR": str(folder),
        "TMPDIR": str(folder),  # torchserve keeps its pid there, and does not start beside another
    }
    environment = {**places, **environment}
    with _running(command, folder=folder, port=port, image=image, environment=environment) as server:
        yield server


def make_stock_venv(venv: Path) -> None:
    """An environment with the stock stack's packages; torch and torchvision are the project's own.

    Torch is so 2.14 instead of the managed image's last 2.6, to the stock side's advantage if anything.
    """
    if (venv / "complete").exists():
        return
    subprocess.run([sys.executable, "-m", "venv", "--clear", venv], check=True)
    (packages,) = (venv / "lib").glob("python*/site-packages")
    (packages / "zz_project.pth").write_text(sysconfig.get_path("purelib") + "\n")
    pip = [venv / "bin/python", "-m", "pip", "install", "--quiet", "-r", STOCK / "requirements.txt"]
    subprocess.run(pip, check=True)
    (venv / "complete").touch()


def free_port() -> int:
    """A port of 127.0.0.1 that nobody uses now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _make_model(model: Path) -> None:
    """The stock stack's model directory; its weights are random, the arithmetic is the same."""
    import torch
    import torchvision

    (model / "code").mkdir(parents=True, exist_ok=True)
    shutil.copy(STOCK / "inference.py", model / "code")
    torch.save(torchvision.models.resnet50(num_classes=6).state_dict(), model / "weights.pt")


@contextlib.contextmanager
def _running(
    command: list[str], *, folder: Path, port: int, image: bytes, environment: dict[str, str]
) -> Iterator[Server]:
    url = f"http://127.0.0.1:{port}"
    with tempfile.TemporaryFile() as log:
        started = time.perf_counter()
        process = subprocess.Popen(
            command,
            cwd=folder,
            env={**os.environ, **environment},
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            _until_ok(process, "GET", f"{url}/ping", None)
            ping = time.perf_counter() - started
            _until_ok(process, "POST", f"{url}/invocations", image)
            yield Server(process, url, ping, time.perf_counter() - started)
        except RuntimeError:
            log.seek(0)
            print(log.read()[-2000:].decode(errors="replace"), file=sys.stderr)
            raise
        finally:
            _end(process)


def _end(process: subprocess.Popen[bytes]) -> None:
    """End the server and all that it started, and wait for them."""
    tree: list[psutil.Process] = []
    with contextlib.suppress(psutil.NoSuchProcess):
        tree = psutil.Process(process.pid).children(recursive=True)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGTERM)
    process.wait(timeout=60)
    psutil.wait_procs(tree, timeout=60)


def _until_ok(process: subprocess.Popen[bytes], method: str, url: str, body: bytes | None) -> None:
    """Ask until the answer is 200. Raises RuntimeError where the server ends or takes too long."""
    end = time.perf_counter() + _PATIENCE_SECONDS
    headers = {"Content-Type": "image/jpeg"}
    while time.perf_counter() < end and process.poll() is None:
        # Until it listens, connections are refused.
        with contextlib.suppress(urllib3.exceptions.HTTPError):
            answer = urllib3.request(
                method, url, body=body, headers=headers, retries=False, timeout=_PATIENCE_SECONDS
            )
            if answer.status == 200:
                return
        time.sleep(0.01)
    raise RuntimeError(f"{' '.join(map(str, process.args))[:200]} does not answer {method} {url}")

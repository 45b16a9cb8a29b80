"""One stage for the tests that look at a part of it: deployed once, with what each of them needs."""

import hashlib
import io
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import torch
import torchvision
from embedded_cloud.cloud import Cloud

from demo.cloud import BINCOUNT
from demo.deployment import Deployment
from tests.e2e.mlflow_kit import Gate, an_mlflow
from tests.e2e.part_settings import ONE_PART

STACKS = ("bincount-local-training", "bincount-local-recount")
FILE = "resnet18-f37072fd.pth"


class WeightsSource(ThreadingHTTPServer):
    """Serves one file of weights below /whole/, and below /cut/ breaks off in the middle of it."""

    def __init__(self, content: bytes) -> None:
        self.content = content
        self.asked = 0
        super().__init__(("127.0.0.1", 0), _Answer)

    def address(self, how: str) -> str:
        """An address whose answers are as `how` says."""
        return f"http://127.0.0.1:{self.server_address[1]}/{how}/"


class _Answer(BaseHTTPRequestHandler):
    server: WeightsSource

    def do_GET(self) -> None:
        self.server.asked += 1
        content = self.server.content
        self.send_response(200 if self.path.endswith(FILE) else 404)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content[: len(content) // 2] if self.path.startswith("/cut/") else content)

    def log_message(self, format: str, *args: object) -> None:
        pass


@dataclass(frozen=True, kw_only=True)
class CommonStage:
    """Stage `local` with the data, training and recount stacks; where its weights come from, its MLflow."""

    cloud: Cloud
    out: Path
    outputs: dict[str, dict[str, str]]
    weights: WeightsSource
    weights_sha256: str
    mlflow: Gate

    @property
    def bucket(self) -> str:
        """The stage's bucket."""
        return self.outputs["bincount-local-data"]["BucketName"]


@contextmanager
def common_stage_on_a_cloud(out: Path) -> Iterator[CommonStage]:
    """The stage on a cloud of its own below `out`, which is gone afterwards."""
    content = io.BytesIO()
    torch.save(torchvision.models.resnet18(weights=None).state_dict(), content)
    sha256 = hashlib.sha256(content.getvalue()).hexdigest()
    weights = WeightsSource(content.getvalue())
    threading.Thread(target=weights.serve_forever, daemon=True).start()
    overrides: dict[str, str] = {
        **ONE_PART,
        "data_prep.batch_size": "30",
        "training.pretrained": "auto",
        "training.weights_source": weights.address("whole"),
        "training.weights_sha256": sha256,
        "training.network_isolation": "true",
        "training.image_size": "32",
        "training.batch_sizes": "[16, 32]",
    }
    try:
        with an_mlflow() as mlflow, Cloud(data_dir=out / "cloud", project=BINCOUNT) as cloud:
            overrides["experiments.mlflow"] = mlflow.url
            deployment = Deployment(
                environment=cloud.environment(), out=out, overrides=overrides, say=lambda _: None
            )
            deployment.bootstrap()
            yield CommonStage(
                cloud=cloud,
                out=out,
                outputs=deployment.deploy(*STACKS),
                weights=weights,
                weights_sha256=sha256,
                mlflow=mlflow,
            )
    finally:
        weights.shutdown()
        weights.server_close()

"""The emulator as this project uses it: its programs in place of its images, and the sizes of a run here."""

import json
import sys
from typing import Any

from embedded_cloud.settings import Project

from demo.options import ROOT

STAGE = "local"
REPOSITORY = "bincount-inference"
INFERENCE_IMAGE = f"000000000000.dkr.ecr.us-east-1.amazonaws.com/{REPOSITORY}:1"
"""An image that needs no build: the server of this source tree runs in its place."""
WHOLE_NETWORK = {
    "training.fixed": "{}",
    "training.image_size": "64",
    "training.epochs": "[4, 5]",
    "training.batch_sizes": "[16]",
}
"""For a network without learned weights, of which all layers are trained: small images, few epochs."""
BINCOUNT = Project(
    folder=ROOT,
    server_command=(sys.executable, "-m", "inference", "--model-dir", "{model_dir}", "--port", "{port}"),
    server_repository=REPOSITORY,
    python_path=(ROOT / "core",),
)


def run_sizes() -> dict[str, str]:
    """What `local` lays over the stage that it extends, as `-c section.field=value` takes it."""
    stages: dict[str, Any] = json.loads((ROOT / "cdk.json").read_text(encoding="utf-8"))["context"]["stages"]
    sections: dict[str, dict[str, Any]] = {k: v for k, v in stages[STAGE].items() if k != "extends"}
    return {
        f"{section}.{name}": value if isinstance(value, str) else json.dumps(value)
        for section, values in sections.items()
        for name, value in values.items()
    }

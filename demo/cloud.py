"""The emulator as this project uses it: its own programs run in place of its images."""

import sys

from embedded_cloud.settings import Project

from demo.options import ROOT

REPOSITORY = "bincount-inference"
INFERENCE_IMAGE = f"000000000000.dkr.ecr.us-east-1.amazonaws.com/{REPOSITORY}:1"
"""An image that needs no build: the server of this source tree runs in its place."""
BINCOUNT = Project(
    folder=ROOT,
    server_command=(sys.executable, "-m", "inference", "--model-dir", "{model_dir}", "--port", "{port}"),
    server_repository=REPOSITORY,
    python_path=(ROOT / "core",),
)

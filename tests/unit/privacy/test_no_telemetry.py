"""Nothing that we run reports anything to anybody (OpenVINO does by default, on import)."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
LISTEN = """
import socket
asked = []
def look_up(host, *rest, **more):
    asked.append(host)
    raise OSError("no network in this test")
socket.getaddrinfo = look_up
{use}
import threading, time
time.sleep(0.5)  # reports are sent from a thread or a process of their own
print("asked", asked)
"""

QUANTISE = """
import bintrain.export.precision, numpy, openvino
values = openvino.opset13.parameter([-1, 3, 8, 8], name="image")
weights = openvino.opset13.constant(numpy.ones((4, 3, 3, 3), numpy.float32))
layer = openvino.opset13.convolution(values, weights, [1, 1], [0, 0], [0, 0], [1, 1])
bintrain.export.precision.quantise(openvino.Model([layer], [values]), batches=[numpy.ones((1, 3, 8, 8))])
"""
"""What an NNCF job does; nncf reports it by default."""


@pytest.mark.parametrize(
    ("room", "use"),
    [
        (".", "import inference.model.engine"),
        ("training", "import bintrain.export.openvino_model"),
        ("training", "import bintrain.export.openvino_model"),
        ("training", QUANTISE),
    ],
)
def test_importing_asks_for_no_host_and_writes_nothing_home(tmp_path: Path, room: str, use: str) -> None:
    result = subprocess.run(
        [sys.executable, "-c", LISTEN.format(use=use)],
        cwd=ROOT / room,
        env={"HOME": str(tmp_path), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert result.stdout.strip() == "asked []"
    assert not list(tmp_path.iterdir())


def test_openvino_would_report_by_default(tmp_path: Path) -> None:
    """So that the tests above can fail: without our line, a host is looked up or a file is written."""
    result = subprocess.run(
        [sys.executable, "-c", LISTEN.format(use="import openvino")],
        cwd=tmp_path,
        env={"HOME": str(tmp_path), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert "asked []" not in result.stdout or list(tmp_path.iterdir())

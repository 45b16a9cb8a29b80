"""The GPU benchmark on a machine without a GPU."""

import os
import subprocess
import sys
from pathlib import Path

SCRIPT = Path(__file__).parents[3] / "benchmarks" / "training_gpu.py"


def test_without_a_gpu_it_says_so_in_one_line_and_fails() -> None:
    result = subprocess.run(
        [sys.executable, str(SCRIPT)],
        env=os.environ | {"CUDA_VISIBLE_DEVICES": ""},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )

    assert result.returncode == 1
    assert result.stderr.strip().splitlines() == [
        "error: no GPU that torch can use here; run this on a GPU instance (ml.g5.xlarge)"
    ]

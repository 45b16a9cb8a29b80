"""A training process keeps the memory that a step has freed for the next one."""

import subprocess
import sys
from pathlib import Path

import pytest

TRAINING = Path(__file__).parents[3] / "training"
STEPS = """
import resource, sys
sys.path.insert(0, sys.argv[1])
import bintrain, torch
from bintrain.engine.resources import keep_freed_memory
if sys.argv[2] == "kept":
    keep_freed_memory()
def step():
    return [torch.zeros(16, 64, 112, 112) for _ in range(4)]
def faults():
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(10):  # until the heap has its size
    step()
before = faults()
for _ in range(5):
    step()
print((faults() - before) // 5)
"""
PAGES_OF_A_STEP = 4 * 16 * 64 * 112 * 112 * 4 // 4096


def page_faults(how: str) -> int:
    command = [sys.executable, "-c", STEPS, str(TRAINING), how]
    return int(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


@pytest.mark.skipif(sys.platform != "linux", reason="glibc's switch")
def test_a_step_finds_the_memory_of_the_last_one() -> None:
    assert page_faults("as it comes") > PAGES_OF_A_STEP / 2
    assert page_faults("kept") < PAGES_OF_A_STEP / 100

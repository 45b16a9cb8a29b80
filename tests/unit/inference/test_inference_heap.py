"""What is loaded once is not looked at again by Python's collector."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[3]
PROGRAM = """
import gc
from inference.model.resources import freeze_garbage_collector
loaded = [[] for _ in range(100_000)]
cycle = []
cycle.append(cycle)
del cycle
before = len(gc.get_objects())
freeze_garbage_collector()
print(before, len(gc.get_objects()), gc.get_freeze_count(), gc.isenabled())
"""


def test_a_collection_under_load_looks_at_little():
    ended = subprocess.run(
        [sys.executable, "-c", PROGRAM], cwd=ROOT, capture_output=True, text=True, check=True
    )

    before, looked_at, spared, enabled = ended.stdout.split()
    assert int(before) > 100_000
    assert int(looked_at) < 1_000
    assert int(spared) > 100_000
    assert enabled == "True"  # what requests leave behind is still collected

"""The training job: data, engine, evaluation, export, reports; `job.py` puts them in order."""

import os
import sys

# Read by OpenMP when torch is loaded, so it is here. Threads that spin while they wait take the CPU from
# those they wait for: on 2 CPUs at a load of 10 a ResNet18 step took 4.7 s with and 0.8 s without.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

# Importing openvino reports it to Google Analytics and writes to the home folder (seen with 2026.4.1).
# Without this module openvino takes its own stub instead.
sys.modules.setdefault("openvino_telemetry", None)  # pyright: ignore[reportArgumentType]

"""The counting server: a model directory and an image in, a count with its certainty out."""

import sys

# Importing openvino reports it to Google Analytics (seen with 2026.4.1) and writes to the
# home folder. Without this module openvino takes its own stub instead.
sys.modules.setdefault("openvino_telemetry", None)  # pyright: ignore[reportArgumentType]

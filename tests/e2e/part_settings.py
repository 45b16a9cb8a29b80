"""Settings of the tests that look at one part of a stage with models and images made for it.

The journeys run `dev` and `prod` as they are; here no floor of the gate decides and nothing waits longer
than the part needs.
"""

from demo.cloud import WHOLE_NETWORK

OPEN_GATE = {
    "gate.min_accuracy": "0",
    "gate.max_rmse": "10",
    "gate.min_within_one": "0",
    "gate.min_coverage": "0",
    "gate.min_images": "1",
}
NO_WAITING = {"release.poll_seconds": "1", "release.timeout_minutes": "6", "serving.bake_seconds": "0"}
SCRATCH = {**WHOLE_NETWORK, "training.arch": "resnet18", "training.pretrained": "none"}
ONE_PART = {**OPEN_GATE, **NO_WAITING, **SCRATCH}

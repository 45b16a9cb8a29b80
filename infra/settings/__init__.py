"""The settings of a stage: typed, bounded, all faults reported at once.

They are in `cdk.json` under `context.stages.<stage>`; a stage may take those of another with `"extends"`. A
single value can be overridden for one run with its dotted path: `cdk synth -c stage=dev -c
training.arch=resnet34`. One file a section.
"""

from infra.settings.api import Api, Labels
from infra.settings.data_prep import DataPrep
from infra.settings.operations import Drift, Live, Operations
from infra.settings.reading import SettingsError, context_of_cdk_json, load, paths, stages_of_cdk_json
from infra.settings.release import Gate, Release
from infra.settings.serving import Capture, Recount, Serving
from infra.settings.stage import Network, Security, Settings, Storage
from infra.settings.training import Training
from infra.settings.web import Web

STAGES = stages_of_cdk_json()
"""The stages of cdk.json; any name is allowed (infra/settings/reading.py)."""

__all__ = [
    "STAGES",
    "DataPrep",
    "Api",
    "Gate",
    "Labels",
    "Live",
    "Recount",
    "Release",
    "Serving",
    "Settings",
    "SettingsError",
    "Capture",
    "Drift",
    "Network",
    "Operations",
    "Security",
    "Storage",
    "Training",
    "Web",
    "context_of_cdk_json",
    "load",
    "paths",
]

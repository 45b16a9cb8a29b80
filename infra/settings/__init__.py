"""The settings of a stage: typed, bounded, all faults reported at once.

They stand in `cdk.json` under `context.stages.<stage>`; a stage may take those of another with `"extends"`. A
single value can be overridden for one run with its dotted path: `cdk synth -c stage=dev -c
training.arch=resnet34`. One file a section.
"""

from infra.settings.capture import Capture
from infra.settings.data_prep import DataPrep
from infra.settings.declared import context_of_cdk_json, stages_of_cdk_json
from infra.settings.errors import SettingsError
from infra.settings.front import Front
from infra.settings.gate import Gate
from infra.settings.network import Network
from infra.settings.operations import Operations
from infra.settings.reading import load, paths
from infra.settings.recount import Recount
from infra.settings.release import Release
from infra.settings.security import Security
from infra.settings.serving import Serving
from infra.settings.stage import Settings
from infra.settings.storage import Storage
from infra.settings.training import Training

STAGES = stages_of_cdk_json()
"""The stages of cdk.json; any name may stand there (infra/settings/declared.py)."""

__all__ = [
    "STAGES",
    "DataPrep",
    "Front",
    "Gate",
    "Recount",
    "Release",
    "Serving",
    "Settings",
    "SettingsError",
    "Capture",
    "Network",
    "Operations",
    "Security",
    "Storage",
    "Training",
    "context_of_cdk_json",
    "load",
    "paths",
]

"""The folder of one training job, laid out as `/opt/ml` in SageMaker's training container."""

import json
import shutil
from pathlib import Path
from typing import Any

CONTAINER_ROOT = "/opt/ml"


class JobFiles:
    """Makes and names the folders of a job below `root`."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.model = root / "model"
        self.output = root / "output"
        self.output_data = root / "output" / "data"
        self.failure = root / "output" / "failure"
        self.input_data = root / "input" / "data"
        self.config = root / "input" / "config"
        self.code = root / "code"
        self.temporary = root / "tmp"

    def make(self) -> None:
        """Makes the folders; a folder that is left from another job of this name is an error."""
        self.root.mkdir(parents=True)
        for folder in (self.model, self.output_data, self.input_data, self.config, self.code, self.temporary):
            folder.mkdir(parents=True)

    def remake(self) -> None:
        """Makes them anew, empty: the job goes on on another instance."""
        shutil.rmtree(self.root)
        self.make()

    def local_path(self, path: str) -> Path:
        """Where a path of the container is on this machine."""
        return Path(self.localised(path))

    def localised(self, text: str) -> str:
        """`text` with a leading `/opt/ml` (also inside JSON quotes) replaced by this job's folder."""
        for quote in ("", '"'):
            prefix = f"{quote}{CONTAINER_ROOT}"
            if text.startswith(f"{prefix}/") or text.rstrip('"') == prefix:
                return f"{quote}{self.root}{text[len(prefix) :]}"
        return text

    def write_config(self, record: dict[str, Any]) -> None:
        """Writes hyperparameters.json, resourceconfig.json and inputdataconfig.json as the platform does."""
        hyperparameters = {
            key: self.localised(value) for key, value in record.get("HyperParameters", {}).items()
        }
        instance_type = record.get("ResourceConfig", {}).get("InstanceType", "ml.m5.large")
        resources = {
            "current_host": "algo-1",
            "current_instance_type": instance_type,
            "current_group_name": "homogeneousCluster",
            "hosts": ["algo-1"],
            "instance_groups": [
                {
                    "instance_group_name": "homogeneousCluster",
                    "instance_type": instance_type,
                    "hosts": ["algo-1"],
                }
            ],
            "network_interface_name": "lo",
        }
        channels = {
            channel["ChannelName"]: {
                "TrainingInputMode": channel.get("InputMode", "File"),
                "S3DistributionType": "FullyReplicated",
                "RecordWrapperType": channel.get("RecordWrapperType", "None"),
            }
            for channel in record.get("InputDataConfig", [])
        }
        for name, content in (
            ("hyperparameters", hyperparameters),
            ("resourceconfig", resources),
            ("inputdataconfig", channels),
        ):
            (self.config / f"{name}.json").write_text(json.dumps(content), encoding="utf-8")

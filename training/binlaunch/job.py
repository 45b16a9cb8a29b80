"""What a training job and the trials of a tuning job have in common, as the SDK wants it."""

# The SDK has an environment of its own (make launch-env):
# pyright: reportMissingModuleSource=false

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sagemaker.core import shapes
from sagemaker.core.helper.session_helper import Session
from sagemaker.train import ModelTrainer
from sagemaker.train.configs import Compute, InputData, Networking, RetryStrategy, StoppingCondition
from sagemaker.train.distributed import Torchrun

from binlaunch.stage import Stage
from binlaunch.wheels import MOUNT

NUMBER = r"([-+0-9.eE]+)"


@dataclass(frozen=True, kw_only=True)
class Job:
    """One call, resolved. `wheels` is an S3 address, or None where the job has a network."""

    name: str
    stage: Stage
    tree: Path
    revision: str
    wheels: str | None
    max_runtime_seconds: int
    flags: dict[str, Any]

    @property
    def metrics(self) -> list[dict[str, str]]:
        """MetricDefinitions by the one rule of docs/contracts.md."""
        return [{"Name": name, "Regex": f"metric={name} value={NUMBER}"} for name in self.stage.metrics]

    def inputs(self) -> list[InputData]:
        """Channels beside the code: dataset, and where the stage has them weights and wheels."""
        channels = {
            "dataset": self.stage.dataset,
            "weights": self.stage.channel("weights"),
            "wheels": self.wheels,
        }
        return [InputData(channel_name=name, data_source=uri) for name, uri in channels.items() if uri]

    def trainer(self, *, session: Session, source_code: Any, hyperparameters: dict[str, Any]) -> ModelTrainer:
        """A ModelTrainer on the stage's instances, with its role, image, bucket and network."""
        stage, definition = self.stage, self.stage.definition
        distributed = Torchrun() if stage.distributed and source_code else None
        output, vpc = definition["OutputDataConfig"], definition.get("VpcConfig", {})
        return ModelTrainer(
            sagemaker_session=session,
            role=definition["RoleArn"],
            base_job_name=self.name,
            training_image=definition["AlgorithmSpecification"]["TrainingImage"],
            source_code=source_code,
            distributed=distributed,
            hyperparameters=hyperparameters,
            compute=self._compute(),
            networking=Networking(
                enable_network_isolation=stage.isolated,
                enable_inter_container_traffic_encryption=definition.get(
                    "EnableInterContainerTrafficEncryption"
                ),
                subnets=vpc.get("Subnets"),
                security_group_ids=vpc.get("SecurityGroupIds"),
            ),
            stopping_condition=self._stopping(),
            output_data_config=shapes.OutputDataConfig(
                s3_output_path=output["S3OutputPath"], **_key("kms_key_id", output.get("KmsKeyId"))
            ),
            # Always: a spot instance that is taken away would start again from nothing, perhaps without end.
            checkpoint_config=shapes.CheckpointConfig(s3_uri=f"s3://{stage.bucket}/checkpoints/{self.name}"),
            environment=self._environment(),
            # The budget counts by them; a tuner takes them over.
            tags=[shapes.Tag(key=tag["Key"], value=tag["Value"]) for tag in stage.tags],
        ).with_retry_strategy(
            RetryStrategy(maximum_retry_attempts=definition["RetryStrategy"]["MaximumRetryAttempts"])
        )

    def _compute(self) -> Compute:
        resources = self.stage.definition["ResourceConfig"]
        return Compute(
            instance_type=resources["InstanceType"],
            instance_count=resources["InstanceCount"],
            volume_size_in_gb=resources["VolumeSizeInGB"],
            enable_managed_spot_training=self.stage.definition["EnableManagedSpotTraining"],
            **_key("volume_kms_key_id", resources.get("VolumeKmsKeyId")),
        )

    def _stopping(self) -> StoppingCondition:
        wait = self.stage.definition["StoppingCondition"].get("MaxWaitTimeInSeconds")
        return StoppingCondition(
            max_runtime_in_seconds=self.max_runtime_seconds,
            **_key("max_wait_time_in_seconds", wait and max(wait, self.max_runtime_seconds)),
        )

    def _environment(self) -> dict[str, str]:
        own = {**self.stage.definition["Environment"], "SOURCE_REVISION": self.revision}
        return {**own, "PIP_NO_INDEX": "1", "PIP_FIND_LINKS": MOUNT} if self.wheels else own


def _key(name: str, value: Any) -> dict[str, Any]:
    return {name: value} if value else {}

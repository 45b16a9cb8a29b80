"""A tuning job, by HyperparameterTuner: the image's toolkit starts train.py, as in the pipeline."""

# The SDK has an environment of its own (make launch-env):
# pyright: reportMissingModuleSource=false

from __future__ import annotations

import tarfile
import tempfile
from pathlib import Path
from typing import Any

from sagemaker.core.helper.session_helper import Session
from sagemaker.core.parameter import (
    CategoricalParameter,
    ContinuousParameter,
    IntegerParameter,
    ParameterRange,
)
from sagemaker.train.configs import InputData
from sagemaker.train.tuner import HyperparameterTuner

from binlaunch.errors import LaunchError
from binlaunch.job import Job
from binlaunch.options import TUNED
from binlaunch.session import PREFIX

ARCHIVE = "sourcedir.tar.gz"


class StageTuner(HyperparameterTuner):
    """The SDK's tuner (sagemaker-train 1.27) drops three settings of its ModelTrainer; this one does not."""

    def _build_training_job_definition(self, inputs: Any) -> Any:
        definition = super()._build_training_job_definition(inputs)
        network, compute = self.model_trainer.networking, self.model_trainer.compute
        definition.enable_network_isolation = network.enable_network_isolation
        if network.enable_inter_container_traffic_encryption is not None:
            definition.enable_inter_container_traffic_encryption = (
                network.enable_inter_container_traffic_encryption
            )
        if compute.volume_kms_key_id:
            definition.resource_config.volume_kms_key_id = compute.volume_kms_key_id
        return definition


def start_tuning(*, job: Job, session: Session, max_jobs: int) -> str:
    """Start it; returns the job's name. Raises LaunchError where every range was fixed by a flag."""
    tuning = job.stage.tuning
    ranges = {name: value for name, value in _ranges(tuning).items() if name not in job.flags}
    if not ranges:
        raise LaunchError(
            f"nothing is left to tune: leave one of --{', --'.join(TUNED)} away, or start one job with: train"
        )
    # Without the SDK's source code: its tuner would have the toolkit fetch the archive itself, which a job
    # without a network cannot.
    code = f"{PREFIX}/{job.name}/{ARCHIVE}"
    _upload(job.tree, bucket=job.stage.bucket, key=code, s3=session.boto_session.client("s3"))
    flags = {
        **job.stage.hyperparameters,
        **job.flags,
        "sagemaker_program": "train.py",
        "sagemaker_submit_directory": f"/opt/ml/input/data/code/{ARCHIVE}",
    }
    if job.stage.distributed:
        flags["sagemaker_torch_distributed_enabled"] = True
    objective = tuning["HyperParameterTuningJobObjective"]
    tuner = StageTuner(
        model_trainer=job.trainer(session=session, source_code=None, hyperparameters=flags),
        objective_metric_name=objective["MetricName"],
        objective_type=objective["Type"],
        hyperparameter_ranges=ranges,
        metric_definitions=job.metrics,
        strategy=tuning["Strategy"],
        early_stopping_type=tuning["TrainingJobEarlyStoppingType"],
        max_jobs=max_jobs,
        max_parallel_jobs=min(max_jobs, tuning["ResourceLimits"]["MaxParallelTrainingJobs"]),
    )
    channels = [
        *job.inputs(),
        InputData(channel_name="code", data_source=f"s3://{job.stage.bucket}/{code}"),
    ]
    tuner.tune(inputs=channels, job_name=job.name, wait=False)
    return job.name


def _ranges(tuning: dict[str, Any]) -> dict[str, ParameterRange]:
    ranges = tuning["ParameterRanges"]
    found: dict[str, ParameterRange] = {}
    for limits in ranges.get("IntegerParameterRanges", []):
        low, high = int(limits["MinValue"]), int(limits["MaxValue"])
        found[limits["Name"]] = IntegerParameter(low, high, limits["ScalingType"])
    for limits in ranges.get("ContinuousParameterRanges", []):
        low, high = float(limits["MinValue"]), float(limits["MaxValue"])
        found[limits["Name"]] = ContinuousParameter(low, high, limits["ScalingType"])
    for choice in ranges.get("CategoricalParameterRanges", []):
        found[choice["Name"]] = CategoricalParameter(choice["Values"])
    return found


def _upload(tree: Path, *, bucket: str, key: str, s3: Any) -> None:
    with tempfile.TemporaryDirectory() as scratch:
        archive = Path(scratch, ARCHIVE)
        with tarfile.open(archive, "w:gz") as packed:
            packed.add(tree, arcname=".")
        s3.upload_file(str(archive), bucket, key)

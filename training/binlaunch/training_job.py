"""One training job, by ModelTrainer: the SDK's own drivers start train.py."""

# The SDK has an environment of its own (make launch-env):
# pyright: reportMissingModuleSource=false

from __future__ import annotations

from sagemaker.core import shapes
from sagemaker.core.helper.session_helper import Session
from sagemaker.train.configs import SourceCode

from binlaunch.job import Job


def start_training(*, job: Job, session: Session) -> str:
    """Start it; returns the job's name."""
    source = SourceCode(
        source_dir=str(job.tree), entry_script="train.py", requirements="requirements.txt", ignore_patterns=[]
    )
    flags = {**job.stage.hyperparameters, **job.flags}
    trainer = job.trainer(session=session, source_code=source, hyperparameters=flags)
    trainer.with_metric_definitions(
        [shapes.MetricDefinition(name=metric["Name"], regex=metric["Regex"]) for metric in job.metrics]
    )
    trainer.train(input_data_config=job.inputs(), wait=False, logs=False)
    started = trainer._latest_training_job
    assert started is not None  # train() raises where it starts nothing
    return str(started.training_job_name)

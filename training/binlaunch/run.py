"""One call from its options to a job that runs, or to its end."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from binlaunch.cost import check_cost
from binlaunch.errors import LaunchError
from binlaunch.options import Options
from binlaunch.stage import Stage, read_stage
from binlaunch.watch import watch_training, watch_tuning
from binlaunch.weights import check_network, check_weights
from binlaunch.wheels import stage_wheels
from binlaunch.working_tree import copy_tree

try:
    from binlaunch.job import Job
    from binlaunch.session import sdk_session
    from binlaunch.training_job import start_training
    from binlaunch.tuning_job import start_tuning
except ImportError as error:
    raise LaunchError(
        f"the SageMaker SDK is not in this environment ({error}): make launch-env, then call "
        "build/launch-venv/bin/python training/launch.py"
    ) from error


def run(options: Options) -> None:
    """Start the job and, with --wait, follow it. Raises LaunchError."""
    session = boto3.Session(region_name=options.region)
    if session.region_name is None:
        raise LaunchError("no AWS region is known: give --region, or set AWS_REGION")
    stage = read_stage(name=options.stage, dataset=options.dataset, session=session)
    sagemaker = session.client("sagemaker")
    try:
        name = _start(options, stage, session)
        if not options.wait:
            return
        watch = watch_training if options.command == "train" else watch_tuning
        watch(name=name, sagemaker=sagemaker)
    except (BotoCoreError, ClientError) as error:
        raise LaunchError(f"AWS rejected the call: {error}") from error


def _start(options: Options, stage: Stage, session: boto3.Session) -> str:
    jobs = 1
    if options.command == "tune":
        jobs = options.max_jobs or stage.tuning["ResourceLimits"]["MaxNumberOfTrainingJobs"]
    longest = options.max_runtime_seconds or stage.definition["StoppingCondition"]["MaxRuntimeInSeconds"]
    print(f"{options.command}: {check_cost(stage=stage, jobs=jobs, max_runtime_seconds=longest)}", flush=True)
    check_network(stage=stage, flags=options.flags)
    check_weights(stage=stage, s3=session.client("s3"))
    with tempfile.TemporaryDirectory() as scratch:
        tree = Path(scratch, "training")
        revision = copy_tree(tree)
        wheels = None
        if stage.isolated:
            wheels = stage_wheels(
                stage=stage, requirements=tree / "requirements.txt", s3=session.client("s3")
            )
        job = Job(
            name=f"try-{stage.name}-{time.strftime('%Y%m%d%H%M%S', time.gmtime())}",
            stage=stage,
            tree=tree,
            revision=revision,
            wheels=wheels,
            max_runtime_seconds=longest,
            flags=options.flags,
        )
        sdk = sdk_session(stage=stage, session=session)
        if options.command == "train":
            name = start_training(job=job, session=sdk)
        else:
            name = start_tuning(job=job, session=sdk, max_jobs=jobs)
    print(f"started {name}: code {revision}, dataset {stage.dataset}", flush=True)
    return name

"""The Lambda's entry point: the pipeline logs its runs, whose jobs may have no network of their own.

Environment: `STAGE`, `MLFLOW` (an ARN or a URL), `SECRET` (the ARN of one, or "").
"""

import os
from typing import Any

from bincount.errors import BincountError
from bincount.experiments.address import parse_address
from bincount.experiments.log import log_runs
from bincount.experiments.mlflow import Mlflow
from bincount.experiments.of_stage import read_secret
from bincount.runs.run import runs_beside
from bincount.stage.stage import Stage

SPARE_MILLISECONDS = 180_000
"""What is left for a run that was just begun: a large archive over a slow network takes a minute."""


class RunsNotLogged(BincountError):
    """MLflow does not take some of the runs; trying again will not help."""


def handler(event: dict[str, str], context: Any) -> dict[str, Any]:
    """`{"training_job", "model_package"}`: the runs of that job's tuning job, or it alone, and its version.

    Returns `{"experiment", "logged", "left"}`, numbers of runs; while some are left, the same call goes on.
    Raises MlflowUnavailable, which is worth another attempt, and RunsNotLogged.
    """
    stage, secret = Stage(os.environ["STAGE"]), os.environ["SECRET"]
    address = parse_address(os.environ["MLFLOW"], secret=read_secret(stage, secret) if secret else "")
    runs = runs_beside(stage, event["training_job"], package=event["model_package"])
    done = log_runs(
        stage,
        Mlflow(stage=stage, address=address),
        runs,
        may_go_on=lambda: context.get_remaining_time_in_millis() > SPARE_MILLISECONDS,
    )
    if done.failed and not done.left:
        name, why = next(iter(done.failed.items()))
        raise RunsNotLogged(f"{len(done.failed)} of {len(runs)} runs; {name}: {why}")
    return {"experiment": stage.prefix, "logged": len(done.logged), "left": len(done.left)}

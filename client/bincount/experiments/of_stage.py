"""The MLflow of a stage's settings (`experiments.mlflow`), or another that is named."""

import json
from pathlib import Path

from botocore.exceptions import ClientError

from bincount.errors import BincountError
from bincount.experiments.address import parse_address, secret_of_environment
from bincount.experiments.file_store import FileStore
from bincount.experiments.mlflow import Mlflow
from bincount.stage.stage import Stage

OF_STAGE = "stage"
"""In place of an address: the one of the stage."""


def open_mlflow(stage: Stage, address: str | None) -> Mlflow | FileStore:
    """The MLflow at `address`, by default the stage's. A path with a slash in it is a store in files.

    The secret is that of MLflow's own variables, else the stage's. Raises BincountError where the stage names
    no MLflow.
    """
    if address is not None and "/" in address and "://" not in address and not address.startswith("arn:"):
        return FileStore(Path(address))
    secret = secret_of_environment()
    if address is None:
        settings = _settings(stage)
        address = settings["mlflow"]
        if settings.get("secret") and not secret:
            secret = read_secret(stage, settings["secret"])
    return Mlflow(stage=stage, address=parse_address(address, secret=secret))


def read_secret(stage: Stage, arn: str) -> str:
    """The text of a secret in Secrets Manager."""
    return stage.client("secretsmanager").get_secret_value(SecretId=arn)["SecretString"].strip()


def _settings(stage: Stage) -> dict[str, str]:
    """What the stage publishes in the parameter `/bincount/<stage>/training`."""
    try:
        answer = stage.client("ssm").get_parameter(Name=stage.parameter("training"))
    except ClientError as error:
        if error.response["Error"]["Code"] != "ParameterNotFound":
            raise
        found = None
    else:
        found = json.loads(answer["Parameter"]["Value"]).get("experiments")
    if not found:
        raise BincountError(
            f"{stage.prefix} names no MLflow: set experiments.mlflow and deploy, or give an address in place "
            f"of the word {OF_STAGE}, or a folder such as ./mlruns"
        )
    return found

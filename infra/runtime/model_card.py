"""Writes the card of a model that is about to be registered; a Lambda of the pipeline, which only reads.

It takes the figures out of the output.tar.gz that training left beside the model, and the gate's verdict.
"""

import json
import logging
import tarfile
from typing import Any

import boto3
from botocore.exceptions import ClientError
from model_card_content import card_of, package_card_of

log = logging.getLogger()
log.setLevel(logging.INFO)

MOST_CHARACTERS = 100_000
METRICS = "evaluation/metrics.json"


def handler(event: dict[str, Any], context: Any) -> dict[str, str]:
    """`{"package", "card"}`: JSON texts, for the package and for a card of its own.

    `event`: stage, risk_rating, training_job, model_data, dataset_id, dataset_uri, image, champion,
    evaluation (the gate's folder) and verdict.
    """
    _, partition, _, region, account, *_ = context.invoked_function_arn.split(":")
    job = event["training_job"]
    facts = {**event, "training_arn": f"arn:{partition}:sagemaker:{region}:{account}:training-job/{job}"}
    found = read_metrics(boto3.client("s3"), event["model_data"])
    cards = {"package": package_card_of(facts, found), "card": card_of(facts, found)}
    return {name: _written(card) for name, card in cards.items()}


def read_metrics(s3: Any, model_data: str) -> dict[str, Any]:
    """Training's metrics.json from the archive beside the model; {} where there is none that may be read."""
    bucket, _, key = model_data.removeprefix("s3://").partition("/")
    output = f"{key.rpartition('/')[0]}/output.tar.gz"
    try:
        body = s3.get_object(Bucket=bucket, Key=output)["Body"]
        with body, tarfile.open(fileobj=body, mode="r|gz") as archive:
            for member in archive:
                file = archive.extractfile(member) if member.name.removeprefix("./") == METRICS else None
                if file:
                    return json.load(file)
    except (ClientError, tarfile.TarError, EOFError, ValueError) as error:
        log.warning("s3://%s/%s has no figures for the card: %s", bucket, output, error)
    return {}


def _written(card: dict[str, Any]) -> str:
    content = json.dumps(card, ensure_ascii=False)
    if len(content) > MOST_CHARACTERS:
        raise ValueError(f"the card has {len(content)} characters, and SageMaker takes {MOST_CHARACTERS}")
    return content

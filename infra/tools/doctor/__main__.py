"""`make doctor STAGE=dev`: what an account still needs for a stage, before and after its deploy.

It asks AWS with the caller's credentials, changes nothing, and ends with 0 only where nothing is missing.
"""

import argparse
import json
import os
import sys
from collections.abc import Collection
from typing import Any

from infra import settings
from infra.settings import Settings

# isort: split
import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from infra.tools.doctor import account, capacity, cost, deployed, images, quotas, source, stacks, tuning
from infra.tools.doctor.finding import Finding, error_of, look
from infra.tools.doctor.subject import Subject
from infra.tools.doctor.table import table
from infra.tools.stage_option import add_stage

# (name of the finding where AWS does not answer, the question, how a person asks the same)
QUESTIONS = (
    ("identity", account.identity, "aws sts get-caller-identity"),
    ("bootstrap", account.bootstrap, f"aws ssm get-parameter --name {account.BOOTSTRAP}"),
    ("quotas", quotas.held_quotas, "aws service-quotas list-services"),
    ("instance types", capacity.instance_types, "aws ec2 describe-instance-type-offerings"),
    ("zones", capacity.zones, "aws ec2 describe-instance-type-offerings --location-type availability-zone"),
    ("training-image", images.training_image, "aws ecr batch-get-image"),
    ("API logging role", account.logging_role, "aws apigateway get-account"),
    ("stacks", stacks.stacks, "aws cloudformation describe-stacks"),
    (
        "left from before",
        stacks.left_from_before,
        "aws s3 ls; aws kms list-aliases; aws logs describe-log-groups",
    ),
    (source.NAME, source.images, "aws s3 ls"),
    ("licence", source.licence, "read docs/dataset.md"),
    ("costs", cost.costs, "read docs/cost.md"),
    ("budget", cost.budget, "aws budgets describe-budgets"),
    ("alarms reach a person", deployed.mail, "aws sns list-subscriptions"),
    (tuning.NAME, tuning.tuning_fields, "aws stepfunctions test-state"),
    ("image-build", images.serving_image, "aws ecr batch-get-image"),
    ("endpoint-strict-mode", deployed.api, "aws apigateway get-rest-apis"),
    ("typed-parameter", deployed.typed_parameter, "aws cloudformation describe-stacks"),
    ("endpoint", deployed.endpoint, "aws sagemaker list-endpoints"),
)


class CannotAsk(Exception):
    """Nobody can be asked anything; the text says why and what to do."""


def main() -> int:
    """Print the findings; 0 where nothing is missing, 1 where something is, 2 for a wrong call."""
    options = _options()
    try:
        chosen = _settings(options)
        subject = _sign_in(_session(options.profile, chosen.region), chosen)
    except (CannotAsk, settings.SettingsError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    findings = examine(subject)
    if options.json:
        print(json.dumps([finding.record() for finding in findings], indent=2))
    else:
        colour = sys.stdout.isatty() and "NO_COLOR" not in os.environ
        print(table(findings, colour=colour, stage=chosen.stage))
    return int(any(finding.state == "missing" for finding in findings))


def examine(subject: Subject, *, only: Collection[str] = ()) -> list[Finding]:
    """Every finding for a stage; `only` names the questions, else all are asked."""
    return [
        finding
        for name, question, command in QUESTIONS
        if not only or name in only
        for finding in look(name, lambda question=question: question(subject), next=command)
    ]


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m infra.tools.doctor", description=__doc__)
    add_stage(parser, which="a stage of cdk.json")
    parser.add_argument("--profile", help="AWS profile; else what the AWS SDK finds")
    parser.add_argument("--json", action="store_true", help="the findings as JSON")
    return parser.parse_args()


def _settings(options: argparse.Namespace) -> Settings:
    """The stage's, with those of the command line. Raises SettingsError."""
    context = settings.context_of_cdk_json([*options.context, f"stage={options.stage}"])
    return settings.load(context.get, given=context)


def _session(profile: str | None, region: str) -> boto3.Session:
    try:
        return boto3.Session(profile_name=profile, region_name=region)
    except BotoCoreError as error:
        raise CannotAsk(f"{error}: see `aws configure list-profiles`") from error


def _sign_in(session: boto3.Session, chosen: Settings) -> Subject:
    """Raises CannotAsk where AWS does not know the caller or cannot be reached: then no question helps."""
    made: dict[str, Any] = {}
    config = Config(retries={"mode": "standard", "total_max_attempts": 3}, connect_timeout=5, read_timeout=30)

    def client(service: str) -> Any:
        if service not in made:
            made[service] = session.client(service, config=config)
        return made[service]

    try:
        caller = client("sts").get_caller_identity()
    except ClientError as error:
        text = ": ".join(error_of(error))
        raise CannotAsk(f"AWS does not take these credentials: {text}: sign in again (aws login)") from error
    except (BotoCoreError, ValueError) as error:  # ValueError: an endpoint that is not an address
        hint = "sign in (aws login, aws configure), or look at the network and AWS_ENDPOINT_URL"
        raise CannotAsk(f"AWS cannot be asked: {error}: {hint}") from error
    return Subject(client=client, settings=chosen, caller=caller["Arn"], account=caller["Account"])


if __name__ == "__main__":
    sys.exit(main())

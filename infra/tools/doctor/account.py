"""The caller, and what the account and its region must have before a stage comes."""

from collections.abc import Iterable

from aws_cdk.region_info import RegionInfo
from botocore.exceptions import ClientError

from infra.tools.doctor.finding import Finding, error_of, missing, ok
from infra.tools.doctor.subject import Subject

BOOTSTRAP = "/cdk-bootstrap/hnb659fds/version"
OLDEST_BOOTSTRAP = 6
"""What templates of CDK v2 with new-style synthesis demand (their rule CheckBootstrapVersion)."""


def identity(subject: Subject) -> Iterable[Finding]:
    """The caller, and whether its partition is the region's."""
    wanted = RegionInfo.get(subject.region).partition or "aws"
    text = f"{subject.caller}, account {subject.account}, region {subject.region}"
    if subject.partition != wanted:
        step = "sign in to an account of that partition, or change the stage's `region` in cdk.json"
        return [missing("identity", f"{text}: that region belongs to partition {wanted}", next=step)]
    return [ok("identity", text)]


def bootstrap(subject: Subject) -> Iterable[Finding]:
    """The CDK's own stack in the account and region."""
    step = f"npx cdk bootstrap aws://{subject.account}/{subject.region}"
    try:
        version = int(subject.client("ssm").get_parameter(Name=BOOTSTRAP)["Parameter"]["Value"])
    except ClientError as error:
        if error_of(error)[0] != "ParameterNotFound":
            raise
        text = f"{subject.account} is not bootstrapped in {subject.region}"
        return [missing("bootstrap", text, next=step)]
    if version < OLDEST_BOOTSTRAP:
        text = f"version {version} is too old, {OLDEST_BOOTSTRAP} or newer is needed"
        return [missing("bootstrap", text, next=step)]
    return [ok("bootstrap", f"version {version}")]


def logging_role(subject: Subject) -> Iterable[Finding]:
    """API Gateway's logging role, which an account has once a region, whoever sets it."""
    name, api = "API logging role", subject.settings.api
    if not api.enabled:
        return [ok(name, "the stage has no API")]
    role: str = subject.client("apigateway").get_account().get("cloudwatchRoleArn") or ""
    if not api.logging_role:
        if role:
            return [ok(name, f"{role}, which no bincount stage sets or removes")]
        text = "none is set, and api.logging_role is false: API Gateway refuses a stage with logs"
        return [
            missing(
                name,
                text,
                next=f"npx cdk deploy --all -c stage={subject.settings.stage} -c api.logging_role=true",
            )
        ]
    if role and not role.rpartition("/")[2].startswith("bincount-"):
        text = f"{role} is not of bincount, and this stage would put its own in place, for all APIs there"
        return [missing(name, text, next="set api.logging_role to false for this stage in cdk.json")]
    if not role:
        return [ok(name, "none yet: the stage sets it")]
    own = role.rpartition("/")[2].startswith(f"{subject.names.prefix}-")
    return [ok(name, f"{role}: set by {'this stage' if own else 'another bincount stage'}")]

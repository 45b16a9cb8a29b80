"""The caller, and what the account and its region must have before a stage comes."""

from collections.abc import Iterable

from aws_cdk.region_info import RegionInfo
from botocore.exceptions import ClientError

from infra.tools.doctor.asked import Asked
from infra.tools.doctor.finding import Finding, error_of, missing, ok

BOOTSTRAP = "/cdk-bootstrap/hnb659fds/version"
OLDEST_BOOTSTRAP = 6
"""What templates of CDK v2 with new-style synthesis demand (their rule CheckBootstrapVersion)."""


def identity(asked: Asked) -> Iterable[Finding]:
    """The caller, and whether its partition is the region's."""
    wanted = RegionInfo.get(asked.region).partition or "aws"
    text = f"{asked.caller}, account {asked.account}, region {asked.region}"
    if asked.partition != wanted:
        step = "sign in to an account of that partition, or change the stage's `region` in cdk.json"
        return [missing("identity", f"{text}: that region belongs to partition {wanted}", next=step)]
    return [ok("identity", text)]


def bootstrap(asked: Asked) -> Iterable[Finding]:
    """The CDK's own stack in the account and region."""
    step = f"npx cdk bootstrap aws://{asked.account}/{asked.region}"
    try:
        version = int(asked.client("ssm").get_parameter(Name=BOOTSTRAP)["Parameter"]["Value"])
    except ClientError as error:
        if error_of(error)[0] != "ParameterNotFound":
            raise
        text = f"{asked.account} is not bootstrapped in {asked.region}"
        return [missing("bootstrap", text, next=step)]
    if version < OLDEST_BOOTSTRAP:
        text = f"version {version} is too old, {OLDEST_BOOTSTRAP} or newer is needed"
        return [missing("bootstrap", text, next=step)]
    return [ok("bootstrap", f"version {version}")]


def logging_role(asked: Asked) -> Iterable[Finding]:
    """API Gateway's logging role, which an account has once a region, whoever sets it."""
    name, api = "API logging role", asked.settings.api
    if not api.enabled:
        return [ok(name, "the stage has no API")]
    role: str = asked.client("apigateway").get_account().get("cloudwatchRoleArn") or ""
    if not api.logging_role:
        if role:
            return [ok(name, f"{role}, which no bincount stage sets or removes")]
        text = "none is set, and api.logging_role is false: API Gateway refuses a stage with logs"
        return [
            missing(
                name,
                text,
                next=f"npx cdk deploy --all -c stage={asked.settings.stage} -c api.logging_role=true",
            )
        ]
    if role and not role.rpartition("/")[2].startswith("bincount-"):
        text = f"{role} is not of bincount, and this stage would put its own in place, for all APIs there"
        return [missing(name, text, next="set api.logging_role to false for this stage in cdk.json")]
    if not role:
        return [ok(name, "none yet: the stage sets it")]
    own = role.rpartition("/")[2].startswith(f"{asked.names.prefix}-")
    return [ok(name, f"{role}: set by {'this stage' if own else 'another bincount stage'}")]

"""What of the stage is in the account: its stacks, and what a destroyed stage of that name left."""

from collections.abc import Iterable, Iterator

from infra.tools import leftovers
from infra.tools.doctor.finding import Finding, missing, ok, unknown
from infra.tools.doctor.subject import Subject

LEFT_FROM_BEFORE = "left from before"


def stacks(subject: Subject) -> Iterable[Finding]:
    """The stage's stacks, each in a state from which it can be deployed."""
    found = leftovers.stacks_of(subject.client("cloudformation"), subject.names)
    if not found:
        return [ok("stacks", f"none: stage {subject.settings.stage} is not deployed")]
    region = f"--region {subject.region}"
    bad = {name: state for name, state in found.items() if state in ("ROLLBACK_COMPLETE", "ROLLBACK_FAILED")}
    findings = [
        missing(
            "stacks",
            f"{name} is {state}: its first deploy failed, and only a deletion helps",
            next=f"aws cloudformation delete-stack --stack-name {name} {region}",
        )
        for name, state in bad.items()
    ]
    for name, state in found.items():
        if state == "UPDATE_ROLLBACK_FAILED":
            step = f"aws cloudformation continue-update-rollback --stack-name {name} {region}"
            findings.append(missing("stacks", f"{name} is {state}", next=step))
        elif state == "DELETE_FAILED":
            step = f"npx cdk destroy {name} -c stage={subject.settings.stage}"
            findings.append(missing("stacks", f"{name} is {state}", next=step))
        elif state.endswith("_IN_PROGRESS"):
            step = f"aws cloudformation describe-stack-events --stack-name {name} {region}"
            findings.append(unknown("stacks", f"{name} is {state}: ask again when it is done", next=step))
    return findings or [ok("stacks", f"{len(found)} deployed: {', '.join(sorted(found))}")]


def left_from_before(subject: Subject) -> Iterable[Finding]:
    """What a deploy would stumble over, or would leave lying beside what it makes."""
    stage = subject.settings.stage
    if leftovers.stacks_of(subject.client("cloudformation"), subject.names):
        yield ok(LEFT_FROM_BEFORE, "the stage is deployed: a deploy updates it")
        return
    kept = [*_kept(subject)]
    if kept:
        text = f"{', '.join(kept)}. `make teardown STAGE={stage}` removes them instead, data and all"
        yield missing(LEFT_FROM_BEFORE, text, next=f"make adopt STAGE={stage}")
    groups = [*_log_groups(subject)]
    for group in groups:
        step = f"aws logs delete-log-group --log-group-name {group} --region {subject.region}"
        yield missing(LEFT_FROM_BEFORE, f"log group {group}, which the deploy makes itself", next=step)
    if not kept and not groups:
        yield ok(LEFT_FROM_BEFORE, "nothing of a stage with this name")


def _kept(subject: Subject) -> Iterator[str]:
    """As adopt and teardown find them."""
    names = subject.names
    for bucket in leftovers.buckets(subject.client("s3"), prefix=f"{names.stack('data')}-"):
        yield f"bucket {bucket}"
    if leftovers.registry_of(subject.client("sagemaker"), group=names.model_package_group):
        yield f"model package group {names.model_package_group}"
    for key in leftovers.keys_of(subject.client("kms"), part=f"{names.stack('data')}/Key"):
        yield f"key {key}"
    for alias in leftovers.pages(subject.client("kms"), "list_aliases", "Aliases"):
        if alias["AliasName"] == f"alias/{names.prefix}":
            yield f"key alias {alias['AliasName']}"


def _log_groups(subject: Subject) -> Iterator[str]:
    """Groups with fixed names, which SageMaker and CodeBuild make again as their last lines arrive."""
    names, logs = subject.names, subject.client("logs")
    fixed = [f"/aws/sagemaker/Endpoints/{names.endpoint}"]
    fixed += [f"/aws/codebuild/{names.stack(f'image-{kind}')}" for kind in ("amd64", "arm64")]
    for name in fixed:
        for group in leftovers.pages(logs, "describe_log_groups", "logGroups", logGroupNamePrefix=name):
            if group["logGroupName"] == name:
                yield name

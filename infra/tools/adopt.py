"""`make adopt STAGE=prod`: takes what a destroyed stage left into its new stacks, so that it deploys again.

After `cdk destroy` of a stage with `retain_data` its buckets, key and model registry remain, and a deployment
would make others beside them, or fail on the registry's name. This imports them into new stacks by
CloudFormation's resource import; `npx cdk deploy --all` then builds the rest around them. Nothing is copied.
"""

import argparse
import json
import sys
from collections.abc import Callable, Mapping
from typing import Any

from infra import settings, stage  # isort: skip  (before aws_cdk: infra loads it)

import aws_cdk as cdk
import boto3
from botocore.exceptions import BotoCoreError, ClientError

from infra.names import PART, Names
from infra.tools import leftovers
from infra.tools.leftovers import StacksRemain
from infra.tools.stage_option import add_stage

KEPT = "RetainExceptOnCreate"
CHANGE_SET = "adopt"
SECONDS = 5  # between two looks at CloudFormation
Resources = dict[str, dict[str, Any]]


class NotAdoptable(Exception):
    """What was left does not fit what the stage's templates hold; the text says what to do."""


def main() -> int:
    """Import what was left; 0 also where nothing was, or 1 after a fault that was reported."""
    options = _options()
    try:
        context = settings.context_of_cdk_json([*options.context, f"stage={options.stage}"])
        chosen = settings.load(context.get, given=context)
        client = boto3.Session(region_name=chosen.region).client
        names = Names(chosen.stage)
        say = "the stage is there, so there is nothing to adopt; to move to another, destroy it first"
        leftovers.require_destroyed(client("cloudformation"), names, first=say)
        templates = _kept(context, chosen)
        adopted = [adopt(client=client, stack=name, kept=kept, say=print) for name, kept in templates.items()]
        if not any(adopted):
            print(f"nothing was left of stage {chosen.stage} in {chosen.region}")
        print(f"now: npx cdk deploy --all -c stage={chosen.stage}")
    except (settings.SettingsError, StacksRemain, NotAdoptable, BotoCoreError, ClientError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


def adopt(*, client: Callable[[str], Any], stack: str, kept: Resources, say: Callable[[str], None]) -> bool:
    """Make `stack` of what is left of `kept` (logical id -> resource of its template); False where none is.

    Raises NotAdoptable where two candidates exist, or where one refers to another that is gone.
    """
    identifiers = _identifiers(client, kept)
    if not identifiers:
        return False
    for name in identifiers:
        for other in _references(kept[name]["Properties"]):
            if other not in identifiers:
                raise NotAdoptable(
                    f"{stack}: {name} was left, but not {other} ({kept[other]['Type']}) to which it refers: "
                    f"remove what is left with make teardown, or bring {other} back first"
                )
    cloudformation = client("cloudformation")
    where = {"StackName": stack, "ChangeSetName": CHANGE_SET}
    wait = {"Delay": SECONDS, "MaxAttempts": 240}
    cloudformation.create_change_set(
        **where,
        ChangeSetType="IMPORT",
        TemplateBody=json.dumps({"Resources": {name: kept[name] for name in identifiers}}),
        ResourcesToImport=[
            {
                "ResourceType": kept[name]["Type"],
                "LogicalResourceId": name,
                "ResourceIdentifier": identifier,
            }
            for name, identifier in identifiers.items()
        ],
    )
    cloudformation.get_waiter("change_set_create_complete").wait(**where, WaiterConfig=wait)
    cloudformation.execute_change_set(**where)
    cloudformation.get_waiter("stack_import_complete").wait(StackName=stack, WaiterConfig=wait)
    for name, identifier in identifiers.items():
        say(f"{stack}: adopted {kept[name]['Type']} {next(iter(identifier.values()))}")
    return True


def _kept(context: Mapping[str, Any], chosen: settings.Settings) -> dict[str, Resources]:
    """What outlives each stack of the stage: {stack: {logical id: resource}}."""
    app = cdk.App(context={key: value for key, value in context.items() if key != "stages"})
    stage.build(app=app, settings=chosen)
    found: dict[str, Resources] = {}
    for each in app.synth().stacks:
        resources: Resources = each.template["Resources"]
        kept = {name: r for name, r in resources.items() if r.get("DeletionPolicy") == KEPT}
        if kept:
            found[each.stack_name] = kept
    return found


def _identifiers(client: Callable[[str], Any], kept: Resources) -> dict[str, dict[str, str]]:
    """Logical id -> the identifier by which CloudFormation imports what is there of it."""
    found: dict[str, dict[str, str]] = {}
    for name, resource in kept.items():
        kind, properties = resource["Type"], resource["Properties"]
        if kind == "AWS::S3::Bucket":
            candidates = leftovers.buckets_of(client("s3"), part=_part(properties))
            key = "BucketName"
        elif kind == "AWS::KMS::Key":
            candidates, key = leftovers.keys_of(client("kms"), part=_part(properties)), "KeyId"
        elif kind == "AWS::SageMaker::ModelPackageGroup":
            arn = leftovers.registry_of(client("sagemaker"), group=properties["ModelPackageGroupName"])
            candidates, key = [arn] if arn else [], "ModelPackageGroupArn"
        else:
            continue
        if len(candidates) > 1:
            raise NotAdoptable(
                f"{name} may be any of {', '.join(sorted(candidates))}: take the tag {PART} off "
                "all but the one to adopt"
            )
        if candidates:
            found[name] = {key: candidates[0]}
    for name, resource in kept.items():  # a policy is known by its bucket
        if resource["Type"] == "AWS::S3::BucketPolicy":
            bucket = found.get(resource["Properties"]["Bucket"]["Ref"])
            if bucket and _has_policy(client("s3"), bucket["BucketName"]):
                found[name] = {"Bucket": bucket["BucketName"]}
    return found


def _part(properties: Mapping[str, Any]) -> str:
    return next(tag["Value"] for tag in properties["Tags"] if tag["Key"] == PART)


def _has_policy(s3: Any, bucket: str) -> bool:
    try:
        s3.get_bucket_policy(Bucket=bucket)
    except ClientError as error:
        if error.response["Error"]["Code"] != "NoSuchBucketPolicy":
            raise
        return False
    return True


def _references(value: Any) -> set[str]:
    """The logical ids to which a resource's properties refer; pseudo parameters begin with AWS."""
    match value:
        case {"Ref": str(name)}:
            return set() if name.startswith("AWS::") else {name}
        case {"Fn::GetAtt": [str(name), *_]}:
            return {name}
        case dict():
            return {name for item in value.values() for name in _references(item)}  # pyright: ignore[reportUnknownVariableType]
        case list():
            return {name for item in value for name in _references(item)}  # pyright: ignore[reportUnknownVariableType]
        case _:
            return set()


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m infra.tools.adopt", description=__doc__)
    add_stage(parser, which="a stage of cdk.json that was destroyed")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())

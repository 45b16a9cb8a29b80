"""`make teardown STAGE=dev`: removes what `cdk destroy` leaves of a stage, after its name was typed.

Everything is found by the stage's fixed names and tags, so that another stage's things are never touched.
"""

import argparse
import sys
from collections.abc import Callable
from typing import Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from infra import settings
from infra.names import Names
from infra.tools.leftovers import StacksRemain, buckets, keys_of, pages, registry_of, require_destroyed
from infra.tools.stage_option import add_stage

KEY_DAYS = 7  # KMS deletes no key at once
JOB_GROUPS = tuple(f"/aws/sagemaker/{kind}Jobs" for kind in ("Training", "Processing", "Transform"))


def main() -> int:
    """Ask for the stage's name and remove what is left; 0, or 1 after a fault that was reported."""
    parser = argparse.ArgumentParser(prog="python -m infra.tools.teardown", description=__doc__)
    add_stage(parser, which="a stage of cdk.json")
    options = parser.parse_args()
    stage: str = options.stage
    try:
        context = settings.context_of_cdk_json([*options.context, f"stage={stage}"])
        region = settings.load(context.get, given=context).region
        print(f"This removes all data, models, images and logs of stage {stage} in {region} permanently.")
        if input(f"Type {stage} to go on: ").strip() != stage:
            print("Nothing was removed.")
            return 1
        tear_down(client=boto3.Session(region_name=region).client, names=Names(stage), say=print)
    except EOFError:
        print("error: no name was typed, so nothing was removed", file=sys.stderr)
        return 1
    except (settings.SettingsError, StacksRemain, BotoCoreError, ClientError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


def tear_down(*, client: Callable[[str], Any], names: Names, say: Callable[[str], None]) -> None:
    """Remove buckets, logs, models, images, logging role and key; `client` makes a boto3 client of a service.

    It may be run again after a failure. Raises StacksRemain while the stage is deployed.
    """
    require_destroyed(
        client("cloudformation"), names, first=f"run npx cdk destroy --all -c stage={names.stage} first"
    )
    _remove_packages(client("sagemaker"), names.model_package_group, say)
    _remove_cards(client("sagemaker"), names.model_package_group, say)
    _remove_images(client("ecr"), f"{names.stack('serving')}-", say)
    _remove_buckets(client("s3"), f"{names.stack('data')}-", say)
    _remove_logs(client("logs"), names, say)
    _remove_streams(client("logs"), names, say)
    _remove_parameters(client("ssm"), names, say)
    _remove_logging_role(client("iam"), client("apigateway"), names, say)
    _schedule_key(client("kms"), names, say)


def _remove_buckets(s3: Any, prefix: str, say: Callable[[str], None]) -> None:
    for name in buckets(s3, prefix=prefix):
        for page in s3.get_paginator("list_object_versions").paginate(Bucket=name):
            versions = [*page.get("Versions", ()), *page.get("DeleteMarkers", ())]
            doomed = [{"Key": v["Key"], "VersionId": v["VersionId"]} for v in versions]
            if doomed:
                answer = s3.delete_objects(Bucket=name, Delete={"Objects": doomed, "Quiet": True})
                for error in answer.get("Errors", ()):
                    raise ClientError({"Error": error}, f"DeleteObjects of {name}/{error['Key']}")
        s3.delete_bucket(Bucket=name)
        say(f"removed bucket {name}")


def _remove_logs(logs: Any, names: Names, say: Callable[[str], None]) -> None:
    prefixes = (
        f"{names.prefix}-",
        f"/aws/sagemaker/Endpoints/{names.endpoint}",
        f"/aws/lambda/{names.prefix}-",
        f"/aws/codebuild/{names.prefix}-",
        f"/aws/vendedlogs/states/{names.prefix}-",
    )
    for prefix in prefixes:
        for group in [*pages(logs, "describe_log_groups", "logGroups", logGroupNamePrefix=prefix)]:
            logs.delete_log_group(logGroupName=group["logGroupName"])
            say(f"removed log group {group['logGroupName']}")


def _remove_streams(logs: Any, names: Names, say: Callable[[str], None]) -> None:
    """SageMaker keeps the lines of all stages' jobs in groups of its own, in streams named after the jobs."""
    found = pages(logs, "describe_log_groups", "logGroups", logGroupNamePrefix="/aws/sagemaker/")
    for group in [group["logGroupName"] for group in found if group["logGroupName"] in JOB_GROUPS]:
        for prefix in names.jobs:
            where = {"logGroupName": group, "logStreamNamePrefix": prefix}
            for stream in [*pages(logs, "describe_log_streams", "logStreams", **where)]:
                logs.delete_log_stream(logGroupName=group, logStreamName=stream["logStreamName"])
                say(f"removed log stream {stream['logStreamName']} of {group}")


def _remove_packages(sagemaker: Any, group: str, say: Callable[[str], None]) -> None:
    if registry_of(sagemaker, group=group) is None:
        return
    packages = pages(sagemaker, "list_model_packages", "ModelPackageSummaryList", ModelPackageGroupName=group)
    for package in [*packages]:
        sagemaker.delete_model_package(ModelPackageName=package["ModelPackageArn"])
    sagemaker.delete_model_package_group(ModelPackageGroupName=group)
    say(f"removed model package group {group}")


def _remove_cards(sagemaker: Any, group: str, say: Callable[[str], None]) -> None:
    """Those of the group's versions: `<group>-<number>`."""
    for card in [*pages(sagemaker, "list_model_cards", "ModelCardSummaries", NameContains=group)]:
        name = card["ModelCardName"]
        if name.removeprefix(f"{group}-").isdigit():
            sagemaker.delete_model_card(ModelCardName=name)
            say(f"removed model card {name}")


def _remove_images(ecr: Any, prefix: str, say: Callable[[str], None]) -> None:
    for repository in [*pages(ecr, "describe_repositories", "repositories")]:
        name = repository["repositoryName"]
        if name.startswith(prefix):
            ecr.delete_repository(repositoryName=name, force=True)
            say(f"removed image repository {name}")


def _remove_parameters(ssm: Any, names: Names, say: Callable[[str], None]) -> None:
    path = names.parameters
    for parameter in [*pages(ssm, "get_parameters_by_path", "Parameters", Path=path, Recursive=True)]:
        ssm.delete_parameters(Names=[parameter["Name"]])
        say(f"removed parameter {parameter['Name']}")


def _schedule_key(kms: Any, names: Names, say: Callable[[str], None]) -> None:
    """The key is found by its tag: `cdk destroy` has removed the alias of a key that it left."""
    for key in keys_of(kms, part=f"{names.stack('data')}/Key"):
        kms.schedule_key_deletion(KeyId=key, PendingWindowInDays=KEY_DAYS)
        say(f"key {key} is deleted in {KEY_DAYS} days")
    for found in [*pages(kms, "list_aliases", "Aliases")]:
        if found["AliasName"] == f"alias/{names.prefix}":
            kms.delete_alias(AliasName=found["AliasName"])


def _remove_logging_role(iam: Any, apigateway: Any, names: Names, say: Callable[[str], None]) -> None:
    """The API's logging role goes, but not from under the account's other APIs."""
    used = apigateway.get_account().get("cloudwatchRoleArn")
    for role in [*pages(iam, "list_roles", "Roles")]:
        name = role["RoleName"]
        if not name.startswith(f"{names.stack('api')}-Logging"):
            continue
        if role["Arn"] == used:
            say(f"kept role {name}: all APIs of this account and region write their logs with it")
            continue
        for policy in iam.list_attached_role_policies(RoleName=name)["AttachedPolicies"]:
            iam.detach_role_policy(RoleName=name, PolicyArn=policy["PolicyArn"])
        iam.delete_role(RoleName=name)
        say(f"removed role {name}")


if __name__ == "__main__":
    sys.exit(main())

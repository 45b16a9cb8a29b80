"""Puts this package's types and checks into ministack's CloudFormation; `hooks.py` names what is touched."""

import functools
from collections.abc import Callable, Iterable
from typing import Any

from embedded_cloud.autoscaling.api import ApplicationAutoScaling
from embedded_cloud.aws import Aws
from embedded_cloud.cloudformation import imports
from embedded_cloud.cloudformation.api_types import api_types
from embedded_cloud.cloudformation.autoscaling_types import autoscaling_types
from embedded_cloud.cloudformation.bucket_tags import with_bucket_tags
from embedded_cloud.cloudformation.busy_stacks import BusyStacks
from embedded_cloud.cloudformation.checked_types import checked
from embedded_cloud.cloudformation.conditions import check_references
from embedded_cloud.cloudformation.existing import Existing
from embedded_cloud.cloudformation.sagemaker_types import sagemaker_types
from embedded_cloud.cloudformation.typed_parameters import with_resolved_values
from embedded_cloud.ministack_hooks.parts import (
    changesets,
    cloudwatch,
    ecr,
    engine,
    eventbridge,
    handlers,
    provisioners,
    s3,
    sfn,
    sns,
    stacks,
)
from embedded_cloud.request_checks import ec2_texts
from embedded_cloud.sagemaker.service import SageMaker


def teach_cloudformation(sagemaker: SageMaker, autoscaling: ApplicationAutoScaling, aws: Aws) -> None:
    """Called once in a process."""
    provisioners._RESOURCE_HANDLERS.update(sagemaker_types(sagemaker))
    provisioners._RESOURCE_HANDLERS.update(autoscaling_types(autoscaling))
    called = api_types(aws)
    provisioners._RESOURCE_HANDLERS.update(called)
    for name, check in (("AWS::EC2::SecurityGroup", ec2_texts.check_group),):
        provisioners._RESOURCE_HANDLERS[name] = checked(name, provisioners._RESOURCE_HANDLERS[name], check)
    _teach_imports(sagemaker)
    bucket = provisioners._RESOURCE_HANDLERS["AWS::S3::Bucket"]
    provisioners._RESOURCE_HANDLERS["AWS::S3::Bucket"] = with_bucket_tags(bucket, s3._bucket_tags)
    existing = Existing(lookups=changesets._IMPORT_LOOKUPS, names=_taken_names())
    for name in existing.types:
        if "create" in provisioners._RESOURCE_HANDLERS.get(name, {}):
            handler, refuse = provisioners._RESOURCE_HANDLERS[name], functools.partial(existing.refuse, name)
            provisioners._RESOURCE_HANDLERS[name] = checked(name, handler, refuse, created_only=True)
    stacks._runs_on_worker_thread = _with_waiting(
        stacks._runs_on_worker_thread, frozenset(("AWS::SageMaker::Endpoint", *called))
    )
    validate = engine.validate_template_support

    def validate_template_support(template: Any, conditions: Any, params: Any = None) -> None:
        validate(template, conditions, params)
        if params is not None:  # ValidateTemplate has no parameter values, so none of its conditions
            check_references(template, conditions, references=engine._intrinsic_references)

    engine.validate_template_support = validate_template_support
    handlers.validate_template_support = validate_template_support
    changesets.validate_template_support = validate_template_support
    _refuse_changes_of_busy_stacks()
    actions = handlers._ACTION_HANDLERS
    actions["DescribeStacks"] = with_resolved_values(
        actions["DescribeStacks"], find_stack=handlers._resolve_stack
    )


def _teach_imports(sagemaker: SageMaker) -> None:
    lookups = changesets._IMPORT_LOOKUPS
    further = imports.import_lookups(
        policies=s3._bucket_policies,
        describe_group=lambda name: sagemaker.call(
            "DescribeModelPackageGroup", {"ModelPackageGroupName": name}
        ),
    )
    lookups.update(further)
    policy = provisioners._RESOURCE_HANDLERS["AWS::S3::BucketPolicy"]
    provisioners._RESOURCE_HANDLERS["AWS::S3::BucketPolicy"] = imports.bucket_policy_import(policy)
    buckets = imports.ImportedBuckets()
    changesets._deploy_stack_async = buckets.deploying(changesets._deploy_stack_async)
    stacks._validation_errors = buckets.validating(stacks._validation_errors)

    def template_of(params: dict[str, Any]) -> dict[str, Any]:
        body, _ = handlers._resolve_template(params)
        return handlers._parse_template(body) if body else {}

    handlers._ACTION_HANDLERS["GetTemplateSummary"] = imports.with_identifiers(
        handlers._ACTION_HANDLERS["GetTemplateSummary"], template_of=template_of, lookups=lookups
    )


def _taken_names() -> dict[str, tuple[str, Callable[[], Iterable[str]]]]:
    """The property that names a resource, and the names that are taken, of types that cannot be imported."""

    def last(arns: Iterable[str]) -> list[str]:
        return [arn.rpartition(":")[2] for arn in arns]

    return {
        "AWS::StepFunctions::StateMachine": ("StateMachineName", lambda: last(sfn._state_machines)),
        "AWS::SNS::Topic": ("TopicName", lambda: last(sns._topics)),
        "AWS::Events::Rule": ("Name", lambda: [rule["Name"] for rule in eventbridge._rules.values()]),
        "AWS::CloudWatch::Alarm": ("AlarmName", lambda: list(cloudwatch._alarms)),
        "AWS::CloudWatch::Dashboard": ("DashboardName", lambda: list(cloudwatch._dashboards)),
        "AWS::ECR::Repository": ("RepositoryName", lambda: list(ecr._repositories)),
    }


def _refuse_changes_of_busy_stacks() -> None:
    busy = BusyStacks(
        find_stack=handlers._resolve_stack,
        find_change_set=lambda name, stack: changesets._find_change_set(name, stack)[1],
        refuse=changesets._error,
    )
    actions = handlers._ACTION_HANDLERS
    for name in ("UpdateStack", "CreateChangeSet"):
        actions[name] = busy.updating(actions[name])
    actions["ExecuteChangeSet"] = busy.executing(actions["ExecuteChangeSet"])


def _with_waiting(waits: Callable[[str], bool], types: frozenset[str]) -> Callable[[str], bool]:
    def run(resource_type: str) -> bool:
        return resource_type in types or waits(resource_type)

    return run

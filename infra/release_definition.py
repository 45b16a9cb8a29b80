"""The release, as a state machine in Amazon States Language (JSONata)."""

from typing import Any

from infra.asl import State, catch, choice, end, task
from infra.names import Names
from infra.release_lock import journal, lock_states, unlock
from infra.release_restore import restore_states
from infra.release_rollback import rollback_states
from infra.release_update import MODEL_PARAMETER, serves_states, smoke_states, update_states
from infra.settings import Release

__all__ = ["MODEL_PARAMETER", "release_definition"]
STATUS_CHANGE = "Step Functions Execution Status Change"
# Waiting for the lock, releasing and restoring may each take as long as a release.
PHASES = 3


def release_definition(
    *, names: Names, settings: Release, partition: str, table: str, smoke_function: str
) -> dict[str, Any]:
    """An approved package comes in, its model serves at the end, or the former one still does.

    Input: the registry's event of an approval (`detail.ModelPackageArn`), a person's rollback
    (`rollback.model_package`), or the event of the end of an execution of this machine that did not succeed
    (`detail.executionArn`), after which what it left is put back. One execution at a time changes anything
    (release_lock.py). An approval that was taken back, an older package than the newest approved one (but for
    a rollback), and the package that serves already all end well without a change: SageMaker may send an
    event twice, and tells of every edit of an approved package.
    """
    sdk = f"arn:{partition}:states:::aws-sdk"
    poll = settings.poll_seconds
    return {
        "Comment": "Brings an approved model to the endpoint, or puts the former one back.",
        "QueryLanguage": "JSONata",
        "TimeoutSeconds": PHASES * settings.timeout_minutes * 60,
        "StartAt": "Begin",
        "States": {
            **_begin(),
            **lock_states(table=table, partition=partition, poll_seconds=poll),
            **_choose(sdk, names, table=table, partition=partition, settings=settings),
            **update_states(sdk=sdk, names=names, poll_seconds=poll),
            **serves_states(
                sdk=sdk, names=names, prefix="Describe", wanted="$model", yes="SmokeTest", no="Restore"
            ),
            **smoke_states(partition=partition, function=smoke_function, names=names, passed="IsItARollback"),
            "IsItARollback": choice(("$kind = 'rollback'", "Settle"), otherwise="Commit"),
            "Commit": unlock(table=table, partition=partition, next_state="Released"),
            "Released": end(model_package="{% $package %}", model="{% $model %}"),
            **rollback_states(sdk=sdk, partition=partition, names=names, table=table),
            **restore_states(sdk=sdk, partition=partition, names=names, table=table, settings=settings),
        },
    }


def _begin() -> dict[str, State]:
    """Every variable, so that no expression can name one that was never assigned."""

    def detail(member: str) -> str:
        return given(f"$states.input.detail.{member}", otherwise="''")

    def given(path: str, *, otherwise: str) -> str:
        return f"($exists({path}) ? $string({path}) : {otherwise})"

    wanted = given("$states.input.rollback.model_package", otherwise=detail("ModelPackageArn"))

    return {
        "Begin": {
            "Type": "Pass",
            "Assign": {
                "me": "{% $states.context.Execution.Id %}",
                "approved": f"{{% {wanted} %}}",
                "kind": "{% $exists($states.input.rollback) ? 'rollback' : 'release' %}",
                "ended": f"{{% {detail('executionArn')} %}}",
                "after_restore": f"{{% $contains({detail('input')}, '{STATUS_CHANGE}') %}}",
                **dict.fromkeys(
                    ("holder", "left", "package", "approval", "model", "former", "verdict", "reason"), ""
                ),
                "taken_over": False,
                "version": 0,
                "deadline": 0,
            },
            "Next": "WhyStarted",
        },
        # The end of a restore starts no other one: the next approval does it.
        "WhyStarted": choice(
            ("$ended != '' and $after_restore", "NothingToDo"),
            ("$ended != ''", "ReadLock"),
            ("$approved = ''", "BadInput"),
            otherwise="Acquire",
        ),
        "BadInput": {
            "Type": "Fail",
            "Error": "BadInput",
            "Cause": "Expected an event (of an approval, or of a bad end), or "
            '{"rollback": {"model_package": "<ARN>"}}: nothing was changed.',
        },
        "NothingToDo": end(
            reason="{% $ended & ' left nothing to put back, or is followed by no second restore' %}"
        ),
    }


def _choose(sdk: str, names: Names, *, table: str, partition: str, settings: Release) -> dict[str, State]:
    """Is the event's package the one that should serve, and what does now?"""
    statistics = "$states.result.ModelMetrics.ModelQuality.Statistics.S3Uri"
    versions = "$states.result.ModelPackageSummaryList.ModelPackageVersion"
    return {
        "DescribePackage": task(
            f"{sdk}:sagemaker:describeModelPackage",
            {"ModelPackageName": "{% $approved %}"},
            Assign={
                "package": "{% $states.result.ModelPackageArn %}",
                "version": "{% $states.result.ModelPackageVersion %}",
                "approval": "{% $states.result.ModelApprovalStatus %}",
                "model": "{% $states.result.InferenceSpecification.Containers[0].ModelDataUrl %}",
                "verdict": f"{{% $exists({statistics}) ? {statistics} : '' %}}",
            },
            Catch=catch("FreeUnread"),
            next_state="ListApproved",
        ),
        "ListApproved": task(
            f"{sdk}:sagemaker:listModelPackages",
            {
                "ModelPackageGroupName": names.model_package_group,
                "ModelApprovalStatus": "Approved",
                "SortBy": "CreationTime",
                "SortOrder": "Descending",
                "MaxResults": 100,
            },
            # The list may lag behind: an empty one says nothing against the package that was just described.
            Output={"newest": f"{{% $max($append([0], {versions})) %}}"},
            Catch=catch("FreeUnread"),
            next_state="ReadServingModel",
        ),
        "ReadServingModel": task(
            f"{sdk}:ssm:getParameter",
            {"Name": names.parameter("model")},
            Assign={"former": "{% $states.result.Parameter.Value %}"},
            Output="{% $states.input %}",
            Catch=catch("FreeUnread"),
            next_state="ShallItServe",
        ),
        **_decide(table=table, partition=partition, settings=settings),
    }


def _decide(*, table: str, partition: str, settings: Release) -> dict[str, State]:
    """Journal and go on, or free the lock and say why nothing is changed."""
    free = {"table": table, "partition": partition}
    return {
        "ShallItServe": choice(
            ("$approval != 'Approved'", "FreeTakenBack"),
            ("$kind = 'release' and $states.input.newest > $version", "FreeSuperseded"),
            # It serves, and yet a newer one is approved: only that is to be mended.
            ("$model = $former and $states.input.newest > $version", "Settle"),
            ("$model = $former", "FreeServing"),
            ("$verdict = ''", "FreeUnjudged"),
            otherwise="Journal",
        ),
        "Journal": journal(
            **free,
            former="$former",
            kind="$kind",
            next_state="PutModel",
            Assign={
                "deadline": f"{{% $millis() + {settings.timeout_minutes * 60_000} %}}",
                "left": "{% $kind %}",
            },
        ),
        "FreeUnread": unlock(**free, next_state="Unread"),
        "Unread": {
            "Type": "Fail",
            "Error": "NotRead",
            "Cause": "{% 'What is known of ' & $approved & ' could not be read: nothing was changed. ' "
            "& $states.input.Cause %}",
        },
        "FreeTakenBack": unlock(**free, next_state="TakenBack"),
        "TakenBack": end(
            reason="{% $package & ' is ' & $approval & ': nothing was changed' & ($kind = 'rollback' "
            "? '. Approve it first, then roll back to it' : '') %}"
        ),
        "FreeSuperseded": unlock(**free, next_state="Superseded"),
        "Superseded": end(reason="{% $package & ' is not the newest approved one: nothing was changed' %}"),
        "FreeServing": unlock(**free, next_state="AlreadyServes"),
        "AlreadyServes": end(reason="{% $model & ' serves already: nothing was changed' %}"),
        "FreeUnjudged": unlock(**free, next_state="Unjudged"),
        "Unjudged": {
            "Type": "Fail",
            "Error": "Unjudged",
            "Cause": "{% $package & ' has no verdict of the gate: nothing was changed. Let the pipeline "
            "register it (input: candidate).' %}",
        },
    }

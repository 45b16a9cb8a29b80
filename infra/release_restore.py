"""The release's way back: parameter and stack as they were, looked at before anybody says so."""

from infra.asl import State, catch, choice, task, wait
from infra.names import NO_MODEL, Names
from infra.release_lock import unlock
from infra.release_update import BUSY, NO_UPDATES, describe_stack, put, serves_states, update_stack
from infra.settings import Release


def restore_states(
    *, sdk: str, partition: str, names: Names, table: str, settings: Release
) -> dict[str, State]:
    """From Restore (input: Cause; variables: former, package) to Failed, or NotRestored with the lock kept.

    A released package becomes Rejected: what served before is then the newest approved one again, and a
    second approval by a person is what tries it once more.
    """
    restore = put(sdk, names, value="{% $former %}", next_state="RestoreStack", on_error="NotRestored")
    restore["Assign"] = {"reason": "{% $states.input.Cause %}"}
    poll_seconds = settings.poll_seconds
    words = r"'Release failed: ' & $replace($reason, /\s+/, ' ')"  # SageMaker takes one line
    return {
        "Restore": restore,
        "RestoreStack": update_stack(sdk, names, next_state="WaitRestored", refused="RestoreRefused"),
        "RestoreRefused": choice(
            (NO_UPDATES, "LetLateWritesLand"), (BUSY, "WaitToRestore"), otherwise="NotRestored"
        ),
        "WaitToRestore": wait(poll_seconds, next_state="RestoreStack"),
        "WaitRestored": wait(poll_seconds, next_state="DescribeRestored"),
        "DescribeRestored": describe_stack(sdk, names, next_state="IsRestored", on_error="NotRestored"),
        "IsRestored": choice(
            ("$states.input.status = 'UPDATE_COMPLETE'", "LetLateWritesLand"),
            ("$contains($states.input.status, /(ROLLBACK_COMPLETE|FAILED)$/)", "NotRestored"),
            otherwise="WaitRestored",
        ),
        **_settle_states(sdk=sdk, names=names, seconds=settings.settle_seconds),
        "DidAnythingServe": choice((f"$former = '{NO_MODEL}'", "IsItARelease"), otherwise="RestoredEndpoint"),
        **serves_states(
            sdk=sdk,
            names=names,
            prefix="Restored",
            wanted="$former",
            yes="IsItARelease",
            no="NotRestored",
        ),
        # What a rollback went back to is older than what serves again: it stands in nobody's way.
        "IsItARelease": choice(("$left = 'rollback'", "FreeRestored"), otherwise="RejectPackage"),
        "RejectPackage": task(
            f"{sdk}:sagemaker:updateModelPackage",
            {
                "ModelPackageArn": "{% $package %}",
                "ModelApprovalStatus": "Rejected",
                "ApprovalDescription": f"{{% $substring({words}, 0, 1000) %}}",
            },
            Output="{% $states.input %}",
            Catch=catch("FreeRestored"),  # a package that was deleted needs no rejecting
            next_state="FreeRestored",
        ),
        "FreeRestored": unlock(table=table, partition=partition, next_state="WasItAnothers"),
        # An approval that found a dead release has put things right, and goes on with its own package.
        "WasItAnothers": choice(("$ended = '' and $approved != $package", "Acquire"), otherwise="Failed"),
        **_ends(),
    }


def _settle_states(*, sdk: str, names: Names, seconds: int) -> dict[str, State]:
    """From LetLateWritesLand to DidAnythingServe, or back to Restore where another model is named again.

    An execution that was aborted may have had a write of the parameter under way, which lands after it was
    put back: Parameter Store knows no conditional write that would refuse it. So the parameter is read once
    more after `seconds`, ahead of the look at the endpoint, and put back again where it is
    another. A late UpdateStack does no harm: it names no model, the stack reads the parameter.
    """
    return {
        "LetLateWritesLand": wait(seconds, next_state="ReadRestored"),
        "ReadRestored": task(
            f"{sdk}:ssm:getParameter",
            {"Name": names.parameter("model")},
            Output={"value": "{% $states.result.Parameter.Value %}", "Cause": "{% $reason %}"},
            Catch=catch("NotRestored"),
            next_state="IsItStillTheFormer",
        ),
        "IsItStillTheFormer": choice(
            ("$states.input.value = $former", "DidAnythingServe"), otherwise="Restore"
        ),
    }


def _ends() -> dict[str, State]:
    what = "'The ' & ($left = 'rollback' ? 'rollback to ' : 'release of ') & $package"
    return {
        "Failed": {
            "Type": "Fail",
            "Error": "ReleaseFailed",
            "Cause": f"{{% {what} & ' failed and '"
            " & ($former = 'none' ? 'no model' : $former) & ' serves again: ' & $reason %}",
        },
        "NotRestored": {
            "Type": "Fail",
            "Error": "NotRestored",
            "Cause": f"{{% {what} & ' failed (' & $reason & ') and ' & $former"
            " & ' could NOT be put back: ' & $states.input.Cause & '. Mend the serving stack, then approve a "
            "package: that release puts it back first.' %}",
        },
    }

"""The release's way back: parameter and stack as they were, looked at before anybody says so."""

from infra.asl import State, catch, choice, task, wait
from infra.names import NO_MODEL, Names
from infra.release_lock import unlock
from infra.release_update import BUSY, NO_UPDATES, describe_stack, put, serves_states, update_stack


def restore_states(
    *, sdk: str, partition: str, names: Names, table: str, poll_seconds: int
) -> dict[str, State]:
    """From Restore (input: Cause; variables: former, package) to Failed, or NotRestored with the lock kept.

    The package becomes Rejected: what served before is then the newest approved one again, and a second
    approval by a person is what tries it once more.
    """
    restore = put(sdk, names, value="{% $former %}", next_state="RestoreStack", on_error="NotRestored")
    restore["Assign"] = {"reason": "{% $states.input.Cause %}"}
    words = r"'Release failed: ' & $replace($reason, /\s+/, ' ')"  # SageMaker takes one line
    return {
        "Restore": restore,
        "RestoreStack": update_stack(sdk, names, next_state="WaitRestored", refused="RestoreRefused"),
        "RestoreRefused": choice(
            (NO_UPDATES, "DidAnythingServe"), (BUSY, "WaitToRestore"), otherwise="NotRestored"
        ),
        "WaitToRestore": wait(poll_seconds, next_state="RestoreStack"),
        "WaitRestored": wait(poll_seconds, next_state="DescribeRestored"),
        "DescribeRestored": describe_stack(sdk, names, next_state="IsRestored", on_error="NotRestored"),
        "IsRestored": choice(
            ("$states.input.status = 'UPDATE_COMPLETE'", "DidAnythingServe"),
            ("$contains($states.input.status, /(ROLLBACK_COMPLETE|FAILED)$/)", "NotRestored"),
            otherwise="WaitRestored",
        ),
        "DidAnythingServe": choice(
            (f"$former = '{NO_MODEL}'", "RejectPackage"), otherwise="RestoredEndpoint"
        ),
        **serves_states(
            sdk=sdk, names=names, prefix="Restored", wanted="$former", yes="RejectPackage", no="NotRestored"
        ),
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
        "Failed": {
            "Type": "Fail",
            "Error": "ReleaseFailed",
            "Cause": "{% 'The release of ' & $package & ' failed and '"
            " & ($former = 'none' ? 'no model' : $former) & ' serves again: ' & $reason %}",
        },
        "NotRestored": {
            "Type": "Fail",
            "Error": "NotRestored",
            "Cause": "{% 'The release of ' & $package & ' failed (' & $reason & ') and ' & $former"
            " & ' could NOT be put back: ' & $states.input.Cause & '. Mend the serving stack, then approve a "
            "package: that release puts it back first.' %}",
        },
    }

"""The rollback's last step: newer approved packages become Rejected, so that the newest approved one serves.

First the journal learns that the rollback is done. Whoever takes over from then on finishes it instead of
putting the newer model back.
"""

from infra.asl import State, catch, choice, end, task
from infra.names import Names
from infra.release_lock import ROLLED_BACK, journal, unlock


def rollback_states(*, sdk: str, partition: str, names: Names, table: str) -> dict[str, State]:
    """From Settle (the model was seen to serve), or from ListNewer (taken over), to RolledBack or Acquire.

    A fault of Settle is no reason to restore here, as its write may have been done: the execution that the
    bad end starts reads the journal and knows.
    """
    settle = journal(
        table=table,
        partition=partition,
        former="$model",
        kind=f"'{ROLLED_BACK}'",
        next_state="ListNewer",
        Assign={"former": "{% $model %}"},
        Catch=catch("Unsettled"),
    )
    return {
        "Settle": settle,
        "Unsettled": _fail(
            "Unsettled",
            "$package & ' serves, but the journal could not be written (' & $states.input.Cause & '): the "
            "execution that follows this one finishes the rollback, or puts the former model back'",
        ),
        "ListNewer": task(
            f"{sdk}:sagemaker:listModelPackages",
            {
                "ModelPackageGroupName": names.model_package_group,
                "ModelApprovalStatus": "Approved",
                "SortBy": "CreationTime",
                "SortOrder": "Descending",
                "MaxResults": 100,
            },
            Output={
                "newer": "{% [$states.result.ModelPackageSummaryList[ModelPackageVersion > $version]"
                ".ModelPackageArn] %}"
            },
            Catch=catch("NotRejected"),
            next_state="IsAnyNewer",
        ),
        "IsAnyNewer": choice(("$count($states.input.newer) > 0", "RejectNewer"), otherwise="CommitRollback"),
        "RejectNewer": _reject_each(sdk),
        "NotRejected": _fail(
            "NotRejected",
            "$former & ' serves again, but a newer package is still approved: ' & $states.input.Cause "
            "& '. The next execution of this machine finishes the rollback'",
        ),
        "CommitRollback": unlock(table=table, partition=partition, next_state="WhoseRollback"),
        # An approval that found a dead rollback has finished it, and goes on with its own package.
        "WhoseRollback": choice(("$taken_over and $ended = ''", "Acquire"), otherwise="RolledBack"),
        "RolledBack": end(model_package="{% $package %}", model="{% $former %}"),
    }


def _reject_each(sdk: str) -> State:
    """Looked for again afterwards: the list may lag behind, or have another page."""
    reject = task(
        f"{sdk}:sagemaker:updateModelPackage",
        {
            "ModelPackageArn": "{% $states.input %}",
            "ModelApprovalStatus": "Rejected",
            "ApprovalDescription": "{% 'Rolled back to version ' & $string($version) & ' by the execution ' "
            "& $states.context.Execution.Name %}",
        },
        next_state="",
    )
    del reject["Next"]
    return {
        "Type": "Map",
        "Items": "{% $states.input.newer %}",
        "MaxConcurrency": 1,
        "ItemProcessor": {
            "ProcessorConfig": {"Mode": "INLINE"},
            "StartAt": "RejectOne",
            "States": {"RejectOne": {**reject, "End": True}},
        },
        "Catch": catch("NotRejected"),
        "Next": "ListNewer",
    }


def _fail(error: str, cause: str) -> State:
    return {"Type": "Fail", "Error": error, "Cause": f"{{% {cause} %}}"}

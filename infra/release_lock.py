"""The release's lock and journal: one item in DynamoDB, whose writes are conditional and read back at once.

The item names the execution that holds it and, once a release has begun, what served before it. So a crash
leaves behind who it was and what to put back: who finds the holder ended takes the item over and restores, or
finishes a rollback whose model serves already (release_rollback.py).

Every write may be repeated: Step Functions tries a task again whose answer was lost, though it was done.
"""

from infra.asl import State, catch, choice, task, wait

ITEM = {"id": {"S": "release"}}
MINE = {":me": {"S": "{% $me %}"}}
LOST = "DynamoDB.ConditionalCheckFailedException"
# An ended holder's own restore (started by its end's event) comes first; this long after, anybody may.
PATIENCE_SECONDS = 120
# What the item's `kind` says of a rollback whose model was seen to serve: only the rejecting is left to do.
ROLLED_BACK = "rolled back"


def lock_states(*, table: str, partition: str, poll_seconds: int) -> dict[str, State]:
    """From Acquire or ReadLock to DescribePackage (the lock is ours), Restore or ListNewer (taken over), or
    NothingToDo.
    """
    dynamo = f"arn:{partition}:states:::dynamodb"
    old = f"$toMillis($states.result.StopDate) + {PATIENCE_SECONDS * 1000} < $millis()"
    return {
        "Acquire": _conditional(
            f"{dynamo}:putItem",
            {
                "TableName": table,
                "Item": {**ITEM, "holder": {"S": "{% $me %}"}},
                "ConditionExpression": "attribute_not_exists(id) OR holder = :me",
                "ExpressionAttributeValues": MINE,
            },
            lost="ReadLock",
            next_state="DescribePackage",
            Assign={"taken_over": False},
        ),
        "ReadLock": task(
            f"{dynamo}:getItem",
            {"TableName": table, "Key": ITEM, "ConsistentRead": True},
            Assign={
                **{name: _member(name) for name in ("holder", "former", "package")},
                "left": _member("kind"),
                "version": _number("version"),
            },
            next_state="WhoHolds",
        ),
        "WhoHolds": choice(
            ("$ended != '' and $holder = $ended", "TakeOver"),
            ("$ended != ''", "NothingToDo"),
            ("$holder = ''", "Acquire"),
            otherwise="DescribeHolder",
        ),
        "DescribeHolder": task(
            f"arn:{partition}:states:::aws-sdk:sfn:describeExecution",
            {"ExecutionArn": "{% $holder %}"},
            Output={"dead": f"{{% $states.result.Status = 'RUNNING' ? false : {old} %}}"},
            Retry=[],
            Catch=catch("TakeOver", "Sfn.ExecutionDoesNotExistException") + catch("WaitForLock"),
            next_state="IsHolderDead",
        ),
        "IsHolderDead": choice(("$states.input.dead", "TakeOver"), otherwise="WaitForLock"),
        "WaitForLock": wait(poll_seconds, next_state="Acquire"),
        "TakeOver": _conditional(
            f"{dynamo}:updateItem",
            {
                "TableName": table,
                "Key": ITEM,
                "UpdateExpression": "SET holder = :me",
                # Mine already: the answer of the first attempt was lost.
                "ConditionExpression": "holder = :dead OR holder = :me",
                "ExpressionAttributeValues": {**MINE, ":dead": {"S": "{% $holder %}"}},
            },
            lost="ReadLock",
            next_state="WasItMidway",
            Assign={"taken_over": True},
            Output={"Cause": "{% 'the execution ' & $holder & ' ended before it was complete' %}"},
        ),
        "WasItMidway": choice(
            (f"$left = '{ROLLED_BACK}'", "ListNewer"), ("$former != ''", "Restore"), otherwise="FreeUnused"
        ),
        "FreeUnused": unlock(table=table, partition=partition, next_state="GoOnAfterTakeOver"),
        "GoOnAfterTakeOver": choice(("$ended = ''", "Acquire"), otherwise="NothingToDo"),
    }


def journal(
    *, table: str, partition: str, former: str, kind: str, next_state: str, **fields: object
) -> State:
    """Write down what is to be put back, ahead of the first change: `former`, a variable's name.

    `kind` is a JSONata expression: release, rollback, or that a rollback is to be finished.
    """
    return task(
        f"arn:{partition}:states:::dynamodb:updateItem",
        {
            "TableName": table,
            "Key": ITEM,
            "UpdateExpression": "SET former = :former, package = :package, kind = :kind, version = :version",
            "ConditionExpression": "holder = :me",
            "ExpressionAttributeValues": {
                **MINE,
                ":former": {"S": f"{{% {former} %}}"},
                ":package": {"S": "{% $package %}"},
                ":kind": {"S": f"{{% {kind} %}}"},
                ":version": {"S": "{% $string($version) %}"},
            },
        },
        next_state=next_state,
        **fields,
    )


def unlock(*, table: str, partition: str, next_state: str) -> State:
    """Delete the item; that it is not ours any more is no fault (a repeated call)."""
    return _conditional(
        f"arn:{partition}:states:::dynamodb:deleteItem",
        {
            "TableName": table,
            "Key": ITEM,
            "ConditionExpression": "holder = :me",
            "ExpressionAttributeValues": MINE,
        },
        lost=next_state,
        next_state=next_state,
        Output="{% $states.input %}",
    )


def _conditional(resource: str, arguments: State, *, lost: str, next_state: str, **fields: object) -> State:
    """A write whose condition may fail, which is not tried again."""
    state = task(resource, arguments, next_state=next_state, **fields)
    # Ahead of the other retries: zero attempts for this one.
    state["Retry"] = [{"ErrorEquals": [LOST], "MaxAttempts": 0}, *state["Retry"]]
    state["Catch"] = [{"ErrorEquals": [LOST], "Output": "{% $states.input %}", "Next": lost}]
    return state


def _member(name: str) -> str:
    path = f"$states.result.Item.{name}.S"
    return f"{{% $exists({path}) ? {path} : '' %}}"


def _number(name: str) -> str:
    path = f"$states.result.Item.{name}.S"
    return f"{{% $exists({path}) ? $number({path}) : 0 %}}"

"""The release's lock and journal: one item in DynamoDB, whose writes are conditional.

The item names the execution that holds it and, once a release has begun, what served before it. So a crash
leaves behind its name and what to put back: an execution that finds the holder ended takes the
item over and restores, or finishes a rollback whose model serves already (infra/runtime/release_plan.py).

Every write may be repeated: Step Functions tries a task again whose answer was lost, though it was done.
"""

from typing import Any

from infra.shared.state_language import State, never, task

ITEM = {"id": {"S": "release"}}
MINE = {":me": {"S": "{% $me %}"}}
LOST = "DynamoDB.ConditionalCheckFailedException"


def take(*, table: str, partition: str, lost: str, next_state: str) -> State:
    """From `$answer.holder`, "" where the lock is free; to `lost` where it is another's by now.

    What is there already is left: an ended holder's journal says what to put back.
    """
    free = "$answer.holder = '' ? 'attribute_not_exists(id) OR ' : ''"
    return _write(
        f"arn:{partition}:states:::dynamodb:updateItem",
        {
            "TableName": table,
            "Key": ITEM,
            "UpdateExpression": "SET holder = :me",
            # Mine already: the answer of the first attempt was lost.
            "ConditionExpression": f"{{% ({free}) & 'holder = :before OR holder = :me' %}}",
            "ExpressionAttributeValues": {**MINE, ":before": {"S": "{% $answer.holder %}"}},
        },
        lost=lost,
        next_state=next_state,
    )


def journal(*, table: str, partition: str, former: str, kind: str, next_state: str, **fields: Any) -> State:
    """Write down what is to be put back, ahead of the first change: `former`, a JSONata expression.

    `kind` is one too: release, rollback, or that a rollback is to be finished.
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
                ":package": {"S": "{% $work.package %}"},
                ":kind": {"S": f"{{% {kind} %}}"},
                ":version": {"S": "{% $string($work.version) %}"},
            },
        },
        next_state=next_state,
        **fields,
    )


def unlock(*, table: str, partition: str, next_state: str) -> State:
    """Delete the item; that it is not ours any more is no fault (a repeated call)."""
    return _write(
        f"arn:{partition}:states:::dynamodb:deleteItem",
        {
            "TableName": table,
            "Key": ITEM,
            "ConditionExpression": "holder = :me",
            "ExpressionAttributeValues": MINE,
        },
        lost=next_state,
        next_state=next_state,
    )


def _write(resource: str, arguments: State, *, lost: str, next_state: str) -> State:
    """A write whose condition may fail, which is not tried again."""
    state = task(resource, arguments, next_state=next_state)
    state["Retry"] = [never(LOST), *state["Retry"]]
    state["Catch"] = [{"ErrorEquals": [LOST], "Next": lost}]
    return state

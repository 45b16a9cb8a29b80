"""A SageMaker job as one state of a state machine: created, described until its end, its failure reported.

The request goes to SageMaker as it is (`aws-sdk`). The optimised integration (`.sync`) takes only the
fields that Step Functions knows of, and no public text lists them below the first level.
"""

from typing import Any, Literal

from infra.shared import state_language
from infra.shared.state_language import IS_THERE, any_fault, catch, job_fault

Kind = Literal["HyperParameterTuningJob", "ProcessingJob", "TransformJob"]
WORDS: dict[Kind, str] = {
    "HyperParameterTuningJob": "tuning job",
    "ProcessingJob": "processing job",
    "TransformJob": "transform job",
}
# A look comes 2 % of the time after the last one that the job has taken until then, 2 seconds to 10 minutes:
# about 1,300 looks in a week. A look makes at most 12 events, and an execution ends at 25,000.
SHORTEST_PAUSE, LONGEST_PAUSE, SHARE = 2, 600, 0.02


def job_name(prefix: str) -> str:
    """A JSONata expression: the name of an execution's only job of a kind.

    It is the same in each attempt, so that no attempt starts a second job, and its job
    can be stopped by the execution's name (job_stopper.py). Names of tuning jobs have at most 32 characters.
    """
    return name_of(prefix, execution="$states.context.Execution.Id")


def name_of(prefix: str, *, execution: str) -> str:
    """The same for the execution whose ARN the expression `execution` gives."""
    return f"'{prefix}' & $substring($hash({execution}, 'SHA-256'), 0, 16)"


def job_state(
    *,
    partition: str,
    kind: Kind,
    name: str,
    request: dict[str, Any],
    keep: dict[str, str],
    error: str,
    where: str,
    result: str,
    before: dict[str, dict[str, Any]] | None = None,
    **fields: Any,
) -> dict[str, Any]:
    """A state that adds the member `result` to its input: `{"job": {…}}` with `keep`, names and JSONata
    expressions of the job's description.

    `name` is a JSONata expression; `request` all but the name, in JSONata over the state's input. It fails as
    `error` where the job does not complete, and says why and `where` to look. `before` are states ahead of
    `Create<kind>`, the first of them first. `fields` are its `Next` and the like.
    """
    sdk = f"arn:{partition}:states:::aws-sdk:sagemaker"
    described, reason = "$states.result", "$states.result.FailureReason"
    elapsed = "($millis() - $toMillis($states.input.created)) / 1000"
    pause = f"$round($max([{SHORTEST_PAUSE}, $min([{LONGEST_PAUSE}, {elapsed} * {SHARE}])]))"
    answer = {
        "status": f"{{% {described}.{kind}Status %}}",
        "reason": f"{{% $exists({reason}) ? {reason} : 'no reason given' %}}",
        "name": f"{{% {described}.{kind}Name %}}",
        "created": f"{{% {described}.CreationTime %}}",
        "kept": {key: f"{{% {value} %}}" for key, value in keep.items()},
    }
    look = {
        "Type": "Task",
        "Resource": f"{sdk}:describe{kind}",
        "Arguments": {f"{kind}Name": f"{{% {name} %}}"},
        "Retry": any_fault(),
        "Output": answer,
        "Next": f"Has{kind}Ended",
    }
    what = f"'The {WORDS[kind]} ' & $states.input.name & ' is ' & $states.input.status & ': '"
    states: dict[str, Any] = {
        f"Create{kind}": {
            "Type": "Task",
            "Resource": f"{sdk}:create{kind}",
            "Arguments": {f"{kind}Name": f"{{% {name} %}}", **request},
            "Retry": job_fault(),
            "Catch": catch(f"Describe{kind}", *IS_THERE),
            "Next": f"Describe{kind}",
        },
        f"Describe{kind}": look,
        f"Has{kind}Ended": {
            "Type": "Choice",
            "Choices": [
                {"Condition": "{% $states.input.status = 'Completed' %}", "Next": f"{kind}Completed"},
                {"Condition": "{% $states.input.status in ['Failed', 'Stopped'] %}", "Next": f"{kind}Failed"},
            ],
            "Default": f"WaitFor{kind}",
        },
        f"WaitFor{kind}": {"Type": "Wait", "Seconds": f"{{% {pause} %}}", "Next": f"Describe{kind}"},
        f"{kind}Completed": {"Type": "Pass", "Output": "{% $states.input.kept %}", "End": True},
        f"{kind}Failed": {
            "Type": "Fail",
            "Error": error,
            "Cause": f"{{% {what} & $states.input.reason & '. {where}' %}}",
        },
    }
    states = {**(before or {}), **states}
    branch = {"StartAt": next(iter(states)), "States": states}
    # The branch's one result is a list of one.
    output = state_language.keep(**{result: "{'job': $states.result[0]}"})
    return {"Type": "Parallel", "Branches": [branch], "Output": output, **fields}

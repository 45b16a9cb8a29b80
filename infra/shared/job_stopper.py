"""Stops the paid jobs of an execution that ended badly: a call of the AWS SDK does not, as `.sync` did."""

from collections.abc import Mapping
from typing import Any

from aws_cdk import Stack
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_kms as kms
from constructs import Construct

from infra.settings import Settings
from infra.shared.grants import sagemaker_arn
from infra.shared.nag import explain_wildcards
from infra.shared.sagemaker_job import WORDS, Kind, name_of
from infra.shared.state_language import State, any_fault, catch, choice, end, never, task, wait
from infra.shared.state_machine import StageStateMachine, StateMachineRole, Undelivered, bad_ends

# A create that was under way as the execution ended is done by then.
PAUSE_SECONDS = 20
TIMEOUT_SECONDS = 1800
_NOT_THERE = "SageMaker.ResourceNotFoundException"
# Of a missing job SageMaker mostly says ValidationException, which has this name, as all that has none of its
# own: a missing right and a throttled call too. Those say nothing of the job.
_ANY_ERROR = "SageMaker.SageMakerException"
_NOT_DESCRIBED = "not authorized|AccessDenied|Rate exceeded|Throttling|Status Code: (403|429|5[0-9]{2})"
_RESOURCES: dict[Kind, str] = {
    "HyperParameterTuningJob": "hyper-parameter-tuning-job",
    "ProcessingJob": "processing-job",
    "TransformJob": "transform-job",
}


class JobStopper(Construct):
    """A rule and a small state machine `<name>-stop` for the state machine `name`.

    `jobs`: the kinds of its jobs, and how their names begin (sagemaker_job.py). Jobs that have ended, or
    never began, are left alone.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        name: str,
        jobs: Mapping[Kind, str],
        settings: Settings,
        key: kms.Key | None,
    ) -> None:
        super().__init__(scope, id)
        role = StateMachineRole(self, "Role", name=f"{name}-stop")
        machine = StageStateMachine(
            self,
            "StateMachine",
            name=f"{name}-stop",
            role=role,
            definition=stop_definition(partition=Stack.of(self).partition, jobs=jobs),
            settings=settings,
            key=key,
            logs_id="Logs",
        )
        for kind, prefix in jobs.items():
            resource = sagemaker_arn(self, _RESOURCES[kind], f"{prefix}*")
            machine.allow(f"sagemaker:Describe{kind}", f"sagemaker:Stop{kind}", on=[resource])
            reason = "the names of jobs end with a digest of their execution"
            explain_wildcards(role, {f":{_RESOURCES[kind]}/{prefix}*": reason})
        undelivered = Undelivered(self, "Undelivered", name=f"{name}-stop-undelivered")
        target = targets.SfnStateMachine(machine, dead_letter_queue=undelivered)
        events.Rule(
            self,
            "OnBadEnd",
            description=f"An execution of {name} ended without success: stop its jobs",
            event_pattern=bad_ends(self, name),
            targets=[target],  # pyright: ignore[reportArgumentType]
        )


def stop_definition(*, partition: str, jobs: Mapping[Kind, str]) -> dict[str, Any]:
    """Input: the event of an execution's bad end (`detail.executionArn`). Each kind of job in turn."""
    sdk = f"arn:{partition}:states:::aws-sdk:sagemaker"
    states: dict[str, State] = {}
    kinds = list(jobs)
    for kind, following in zip(kinds, [*kinds[1:], None], strict=True):
        name = {f"{kind}Name": f"{{% {name_of(jobs[kind], execution='$ended')} %}}"}
        next_state = f"Describe{following}" if following else "Stopped"
        job = f"'The {WORDS[kind]} ' & {name_of(jobs[kind], execution='$ended')}"
        # No such job: the execution never came that far.
        no_job = catch(next_state, _NOT_THERE) + catch(f"Was{kind}Described", _ANY_ERROR)
        states |= {
            f"Describe{kind}": task(
                f"{sdk}:describe{kind}",
                name,
                Output={"status": f"{{% $states.result.{kind}Status %}}"},
                Retry=[never(_NOT_THERE), *any_fault()],
                Catch=no_job,
                next_state=f"Is{kind}Running",
            ),
            f"Was{kind}Described": choice(
                (f"$contains($states.input.Cause, /{_NOT_DESCRIBED}/)", f"{kind}NotDescribed"),
                otherwise=next_state,
            ),
            f"{kind}NotDescribed": {
                "Type": "Fail",
                "Error": "JobNotDescribed",
                "Cause": f"{{% {job} & ' may run on and cost money: ' & $states.input.Cause %}}",
            },
            f"Is{kind}Running": choice(
                ("$states.input.status = 'InProgress'", f"Stop{kind}"), otherwise=next_state
            ),
            # It may end by itself in between, which SageMaker answers with an error: looked at once more.
            f"Stop{kind}": task(
                f"{sdk}:stop{kind}", name, Catch=catch(f"Check{kind}"), next_state=next_state
            ),
            f"Check{kind}": task(
                f"{sdk}:describe{kind}",
                name,
                Output={"status": f"{{% $states.result.{kind}Status %}}"},
                next_state=f"Has{kind}Ended",
            ),
            f"Has{kind}Ended": choice(
                ("$states.input.status = 'InProgress'", f"{kind}StillRunning"), otherwise=next_state
            ),
            f"{kind}StillRunning": {
                "Type": "Fail",
                "Error": "JobStillRunning",
                "Cause": f"{{% {job} & ' could not be stopped, and costs money: stop it by hand.' %}}",
            },
        }
    return {
        "Comment": "Stops what an execution that ended badly had under way.",
        "QueryLanguage": "JSONata",
        "TimeoutSeconds": TIMEOUT_SECONDS,
        "StartAt": "Begin",
        "States": {
            "Begin": {
                "Type": "Pass",
                "Assign": {"ended": "{% $states.input.detail.executionArn %}"},
                "Next": "WaitForJobCreation",
            },
            "WaitForJobCreation": wait(PAUSE_SECONDS, next_state=f"Describe{kinds[0]}"),
            **states,
            "Stopped": end(ended="{% $ended %}"),
        },
    }

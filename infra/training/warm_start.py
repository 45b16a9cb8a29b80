"""The setting training.warm_start: the tuning job learns from earlier ones, where SageMaker takes them."""

from typing import Any

from aws_cdk import Duration
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from constructs import Construct

from infra.names import Names
from infra.settings import Settings
from infra.shared.functions import PlainFunction
from infra.shared.grants import sagemaker_arn
from infra.shared.nag import explain_wildcards
from infra.shared.sagemaker_job import job_name
from infra.shared.state_language import IS_THERE, State, catch, choice, job_fault, keep, lambda_fault, task

DESCRIBE = "DescribeHyperParameterTuningJob"
CREATE = "CreateHyperParameterTuningJob"
# The dataset differs from run to run, so it is never the identical one.
KIND = "TransferLearning"
REFUSED = ("SageMaker.SageMakerException", "SageMaker.ResourceNotFoundException")


class ParentFinder(PlainFunction):
    """The Lambda that finds the ended tuning jobs which the next one may learn from."""

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        settings: Settings,
        runtime: lambda_.Runtime,
        log_group: logs.ILogGroup,
    ) -> None:
        super().__init__(
            scope,
            id,
            module="warm_start",
            runtime=runtime,
            log_group=log_group,
            timeout=Duration.minutes(2),
        )
        parents = settings.training.warm_start
        names = parents if isinstance(parents, tuple) else (f"{Names(settings.stage).tuning_jobs}*",)
        arns = [sagemaker_arn(self, "hyper-parameter-tuning-job", name) for name in names]
        actions = [f"sagemaker:{DESCRIBE}"]
        self.own_role.add_to_policy(iam.PolicyStatement(actions=actions, resources=arns))
        if parents == "last":
            actions = ["sagemaker:ListHyperParameterTuningJobs"]
            self.own_role.add_to_policy(iam.PolicyStatement(actions=actions, resources=["*"]))
            explain_wildcards(
                self.own_role,
                {
                    f":hyper-parameter-tuning-job/{names[0]}": "jobs are named as they start",
                    "Resource::*": "ListHyperParameterTuningJobs knows no resources",
                },
            )


def find_parents(*, settings: Settings, function: str, tuning_job: dict[str, Any]) -> State:
    """Adds `warm_start` to the input: `{"parents", "left_out"}` of infra/runtime/warm_start.py.

    A function that fails is no reason to stop: the tuning job then starts without parents.
    """
    parents = settings.training.warm_start
    asked = {
        "parents": [*parents] if isinstance(parents, tuple) else parents,
        "prefix": Names(settings.stage).tuning_jobs,
        "config": tuning_job["HyperParameterTuningJobConfig"],
        "static": tuning_job["TrainingJobDefinition"]["StaticHyperParameters"],
    }
    return task(
        function,
        asked,
        Retry=lambda_fault(),
        Catch=[_without_parents(*catch("Tune"))],
        Output=keep(warm_start="$states.result"),
        next_state="Tune",
    )


def create_with_parents(
    *, settings: Settings, partition: str, tuning_job: dict[str, Any]
) -> dict[str, State]:
    """States ahead of the one that creates the tuning job without parents: with them, where there are any.

    Where SageMaker refuses the parents, for a rule of its own, the job is created without.
    """
    create: State = {
        "Type": "Task",
        "Resource": f"arn:{partition}:states:::aws-sdk:sagemaker:createHyperParameterTuningJob",
        "Arguments": {
            "HyperParameterTuningJobName": f"{{% {job_name(Names(settings.stage).tuning_jobs)} %}}",
            **tuning_job,
            "WarmStartConfig": {
                "ParentHyperParameterTuningJobs": "{% [$states.input.warm_start.parents] %}",
                "WarmStartType": KIND,
            },
        },
        "Retry": job_fault(),
        "Catch": [*catch(DESCRIBE, *IS_THERE), _without_parents(*catch(CREATE, *REFUSED))],
        "Next": DESCRIBE,
    }
    has_parents = "$count($states.input.warm_start.parents) > 0"
    return {
        "HasParents": choice((has_parents, "CreateFromParents"), otherwise=CREATE),
        "CreateFromParents": create,
    }


def _without_parents(caught: State) -> State:
    reason = "{'parents': [], 'left_out': [$states.errorOutput.Error & ': ' & $states.errorOutput.Cause]}"
    return {**caught, "Output": keep(warm_start=reason)}

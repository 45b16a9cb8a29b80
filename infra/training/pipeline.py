"""The pipeline: request -> dataset -> tuned model -> gate and registry (gate.py)."""

from typing import Any

from aws_cdk import Stack
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_stepfunctions as sfn
from aws_cdk import aws_stepfunctions_tasks as tasks
from constructs import Construct

from infra.names import Names
from infra.settings import Settings
from infra.shared.sagemaker_job import job_name, job_state
from infra.shared.state_language import add_to, any_fault, lambda_fault
from infra.shared.state_machine import MapItems, MapResults
from infra.training import weights as imagenet_weights
from infra.training.gate import Gate
from infra.training.tuning_job import OBJECTIVE

TRANSFER_FAILED = "TransferFailed"  # S3 could not be reached; what was done is kept, the batch resumes
NO_TRIAL = (
    "No trial of the tuning job {name} finished with a value of {objective}. See the FailureReason of its "
    "training jobs (SageMaker, Training, Hyperparameter tuning jobs) and their logs in "
    "/aws/sagemaker/TrainingJobs."
)


class PipelineDefinition(Construct):
    """The states, in the order in which they run; `start` is the first.

    Input: `{"request": {…}}` or `{}` for the stage's own request. With
    `"candidate": {"training_job": name, "model_data": "s3://…"}` nothing is trained: that model is evaluated.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        settings: Settings,
        bucket: s3.IBucket,
        data_prep: lambda_.Function,
        tuning_job: dict[str, Any],
        weights: lambda_.Function | None,
        evaluation_job: dict[str, Any],
    ) -> None:
        super().__init__(scope, id)
        self._settings = settings
        self._names = Names(settings.stage)
        self._bucket = bucket
        self._data_prep = data_prep
        publish = self._publish_dataset()
        gate = Gate(self, "Gate", settings=settings, evaluation_job=evaluation_job)
        tune = self._tune(tuning_job).next(self._has_best(self._describe_best().next(gate.start)))
        publish.next(
            sfn.Choice(self, "HasCandidate", state_name="HasCandidate")
            .when(sfn.Condition.is_present("$.candidate.model_data"), gate.start)
            .otherwise(self._stage_weights(weights).next(tune) if weights else tune)
        )
        plan = self._data_step("Plan", "plan", "$.plan").next(
            self._unless_empty(
                "Arrange", "$.plan.work_list.key", "$.plan.to_do", self._pack_and_seal().next(publish)
            )
        )
        prepare = self._unless_empty("Index", "$.dataset.parts.key", "$.dataset.parts.count", plan)
        open_ = self._data_step("Open", "open", "$.dataset")
        open_.next(
            sfn.Choice(self, "IsSealed", state_name="IsSealed")
            .when(sfn.Condition.boolean_equals("$.dataset.sealed", True), publish)
            .otherwise(prepare)
        )
        self.start = self._choose_request(open_)

    def _choose_request(self, first: sfn.IChainable) -> sfn.State:
        own = sfn.Pass(
            self,
            "DefaultRequest",
            state_name="UseStageRequest",
            result=sfn.Result.from_object(self._settings.data_prep.request()),
            result_path="$.request",
        )
        return (
            sfn.Choice(self, "HasRequest", state_name="HasRequest")
            .when(sfn.Condition.is_present("$.request"), first)
            .otherwise(own.next(first))
        )

    def _unless_empty(self, id: str, items_key: str, count: str, following: sfn.IChainable) -> sfn.Choice:
        """The map, then `following`; `following` alone where `count` is 0.

        No map is started over an empty list, of which no public text says what becomes: a run that is taken
        up again may have nothing left, and what a faulty list leads to is said by the step behind.
        """
        return (
            sfn.Choice(self, f"IsAnyTo{id}", state_name=f"Is there anything to {id.lower()}?")
            .when(sfn.Condition.number_equals(count, 0), following)
            .otherwise(self._data_map(id, items_key).next(following))
        )

    def _pack_and_seal(self) -> sfn.Chain:
        """Shards, where the request's layout has them; then the seal."""
        seal = self._data_step("Seal", "seal", sfn.JsonPath.DISCARD)
        shards = self._data_step("Deal", "deal", "$.shards").next(
            self._unless_empty("Pack", "$.shards.work_list.key", "$.shards.shards", seal)
        )
        has_shards = (
            sfn.Choice(self, "HasShards", state_name="WantsShards")
            .when(sfn.Condition.boolean_equals("$.plan.shards", True), shards)
            .otherwise(seal)
        )
        return sfn.Chain.custom(has_shards, [seal], seal)  # pyright: ignore[reportArgumentType]

    def _data_step(self, id: str, step: str, result_path: str) -> tasks.LambdaInvoke:
        """One call of the Lambda; `open` takes the request, all others the dataset's id.

        The request's list may change while the pipeline runs: it is read once.
        """
        name, path = ("request", "$.request") if step == "open" else ("dataset_id", "$.dataset.dataset_id")
        task = tasks.LambdaInvoke(
            self,
            id,
            lambda_function=self._data_prep,  # pyright: ignore[reportArgumentType]
            payload=sfn.TaskInput.from_object({"step": step, name: sfn.JsonPath.object_at(path)}),
            payload_response_only=True,
            retry_on_service_exceptions=False,
            result_path=result_path,
        )
        add_to(task, lambda_fault(TRANSFER_FAILED))
        return task

    def _data_map(self, id: str, items_key: str) -> sfn.DistributedMap:
        """The Lambda over batches of the items in the JSON array that `items_key` names, in parallel."""
        data = self._settings.data_prep
        step = id.lower()
        worker = tasks.LambdaInvoke(
            self,
            f"{id}Batch",
            lambda_function=self._data_prep,  # pyright: ignore[reportArgumentType]
            payload_response_only=True,
            retry_on_service_exceptions=False,
        )
        add_to(worker, lambda_fault(TRANSFER_FAILED))
        dataset_id = sfn.JsonPath.string_at("$.dataset.dataset_id")
        batches = sfn.DistributedMap(
            self,
            id,
            item_reader=MapItems(bucket=self._bucket, key=sfn.JsonPath.string_at(items_key)),
            item_batcher=sfn.ItemBatcher(
                max_items_per_batch=data.batch_size if step == "arrange" else 1,
                # CDK writes the batch input as it stands: a path must be marked by its key.
                batch_input={"step": step, "dataset_id.$": "$.dataset.dataset_id"},
            ),
            # Without a writer the children's results count against the 256 KiB of a state's output.
            result_writer_v2=MapResults(
                bucket=self._bucket, prefix=sfn.JsonPath.format(f"runs/{{}}/map-{step}", dataset_id)
            ),
            max_concurrency=data.max_concurrency,
            result_path=sfn.JsonPath.DISCARD,
        )
        batches.item_processor(worker)
        return batches

    def _publish_dataset(self) -> sfn.CustomState:
        return sfn.CustomState(
            self,
            "PublishDataset",
            state_json={
                "Type": "Task",
                "Resource": f"arn:{_partition(self)}:states:::aws-sdk:ssm:putParameter",
                "Parameters": {
                    "Name": self._names.parameter("dataset"),
                    "Value.$": "$.dataset.uri",
                    "Type": "String",
                    "Overwrite": True,
                },
                "Retry": any_fault(),
                # `"ResultPath": null` does not survive the CDK, which drops every null.
                "ResultPath": "$.published",
            },
        )

    def _stage_weights(self, function: lambda_.Function) -> tasks.LambdaInvoke:
        training = self._settings.training
        task = tasks.LambdaInvoke(
            self,
            "StageWeights",
            lambda_function=function,  # pyright: ignore[reportArgumentType]
            payload=sfn.TaskInput.from_object(
                imagenet_weights.request(
                    arch=training.arch,
                    source=training.weights_source,
                    sha256=training.weights_sha256,
                    bucket=self._bucket.bucket_name,
                )
            ),
            payload_response_only=True,
            retry_on_service_exceptions=False,
            result_path=sfn.JsonPath.DISCARD,
        )
        add_to(task, lambda_fault("WeightsUnavailable", attempts=3))
        return task

    def _tune(self, tuning_job: dict[str, Any]) -> sfn.CustomState:
        result = "$states.result"
        best = f"{result}.BestTrainingJob.TrainingJobName"
        state = job_state(
            partition=_partition(self),
            kind="HyperParameterTuningJob",
            name=job_name(self._names.tuning_jobs),
            request=tuning_job,
            keep={
                "best": f"$exists({best}) ? {best} : ''",
                "name": f"{result}.HyperParameterTuningJobName",
            },
            error="TuningFailed",
            where="Its training jobs say more: their FailureReason, and /aws/sagemaker/TrainingJobs.",
        )
        return sfn.CustomState(self, "Tune", state_json={**state, "ResultPath": "$.tuning"})

    def _has_best(self, following: sfn.IChainable) -> sfn.Choice:
        before, after = NO_TRIAL.format(name="{name}", objective=OBJECTIVE).split("{name}")
        name = "$states.input.tuning.job.name"
        none = sfn.Fail.jsonata(
            self, "NoTrialFinished", error="NoTrialFinished", cause=f"{{% '{before}' & {name} & '{after}' %}}"
        )
        return (
            sfn.Choice(self, "HasBest", state_name="HasBestTrial")
            .when(sfn.Condition.string_equals("$.tuning.job.best", ""), none)
            .otherwise(following)
        )

    def _describe_best(self) -> sfn.CustomState:
        return sfn.CustomState(
            self,
            "DescribeBest",
            state_json={
                "QueryLanguage": "JSONata",
                "Type": "Task",
                "Resource": f"arn:{_partition(self)}:states:::aws-sdk:sagemaker:describeTrainingJob",
                "Arguments": {"TrainingJobName": "{% $states.input.tuning.job.best %}"},
                "Retry": any_fault(),
                "Output": {
                    "dataset": "{% $states.input.dataset %}",
                    "candidate": {
                        "training_job": "{% $states.result.TrainingJobName %}",
                        "model_data": "{% $states.result.ModelArtifacts.S3ModelArtifacts %}",
                    },
                },
            },
        )


def _partition(scope: Construct) -> str:
    return Stack.of(scope).partition

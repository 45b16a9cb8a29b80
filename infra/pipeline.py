"""The pipeline: request -> dataset -> tuned model -> gate and registry (gate.py)."""

from typing import Any

from aws_cdk import Duration, Stack
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_stepfunctions as sfn
from aws_cdk import aws_stepfunctions_tasks as tasks
from constructs import Construct

from infra import imagenet_weights
from infra.gate import Gate
from infra.map_store import MapItems, MapResults
from infra.names import Names
from infra.parameter_arn import parameter_arn
from infra.settings import Settings

# CDK's own default leaves this one out. A new account may run fewer functions at a time than a map starts:
# the others wait for their turn, which is no fault and takes as long as it takes.
LAMBDA_BUSY = ["Lambda.TooManyRequestsException"]
LAMBDA_FAULTS = [
    "Lambda.ClientExecutionTimeoutException",
    "Lambda.ServiceException",
    "Lambda.AWSLambdaException",
    "Lambda.SdkClientException",
]
TRANSFER_FAILED = ["TransferFailed"]  # S3 could not be reached; what was done is kept, the batch resumes


class PipelineDefinition(Construct):
    """The states, in the order in which they run; `start` is the first.

    Input: `{"request": {…}}` or `{}` for the stage's own request. With
    `"candidate": {"training_job": name, "model_data": "s3://…"}` nothing is trained: that model is judged.
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
        judge_job: dict[str, Any],
    ) -> None:
        super().__init__(scope, id)
        self._settings = settings
        self._names = Names(settings.stage)
        self._bucket = bucket
        self._data_prep = data_prep
        publish = self._publish_dataset()
        gate = Gate(self, "Gate", settings=settings, judge_job=judge_job)
        tune = (
            self._name_tuning_job().next(_tune(self, tuning_job)).next(self._describe_best()).next(gate.start)
        )
        publish.next(
            sfn.Choice(self, "HasCandidate", state_name="Is there a model to judge already?")
            .when(sfn.Condition.is_present("$.candidate.model_data"), gate.start)
            .otherwise(self._stage_weights(weights).next(tune) if weights else tune)
        )
        prepare = (
            self._data_map("Index", "$.dataset.parts.key")
            .next(self._data_step("Plan", "plan", "$.plan"))
            .next(self._data_map("Arrange", "$.plan.work_list.key"))
            .next(self._pack_and_seal())
            .next(publish)
        )
        open_ = self._data_step("Open", "open", "$.dataset")
        open_.next(
            sfn.Choice(self, "IsSealed", state_name="Is the dataset sealed already?")
            .when(sfn.Condition.boolean_equals("$.dataset.sealed", True), publish)
            .otherwise(prepare)
        )
        self.start = self._choose_request(open_)

    def _choose_request(self, first: sfn.IChainable) -> sfn.State:
        own = sfn.Pass(
            self,
            "DefaultRequest",
            state_name="Take the stage's request",
            result=sfn.Result.from_object(self._settings.data_prep.request()),
            result_path="$.request",
        )
        return (
            sfn.Choice(self, "HasRequest", state_name="Is there a request?")
            .when(sfn.Condition.is_present("$.request"), first)
            .otherwise(own.next(first))
        )

    def _pack_and_seal(self) -> sfn.Chain:
        """Shards, where the request's layout has them; then the seal."""
        seal = self._data_step("Seal", "seal", sfn.JsonPath.DISCARD)
        shards = self._data_step("Deal", "deal", "$.shards").next(
            self._data_map("Pack", "$.shards.work_list.key")
        )
        has_shards = (
            sfn.Choice(self, "HasShards", state_name="Are shards wanted?")
            .when(sfn.Condition.boolean_equals("$.plan.shards", True), shards.next(seal))
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
        _retry_lambda(task)
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
        _retry_lambda(worker)
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

    def _publish_dataset(self) -> tasks.CallAwsService:
        return tasks.CallAwsService(
            self,
            "PublishDataset",
            service="ssm",
            action="putParameter",
            parameters={
                "Name": self._names.parameter("dataset"),
                "Value": sfn.JsonPath.string_at("$.dataset.uri"),
                "Type": "String",
                "Overwrite": True,
            },
            iam_resources=[parameter_arn(self, self._names.parameter("dataset"))],
            result_path=sfn.JsonPath.DISCARD,
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
        _retry_lambda(task, faults=["WeightsUnavailable"], attempts=3)
        return task

    def _name_tuning_job(self) -> sfn.Pass:
        # At most 32 characters; the time the state was entered, so that a redrive gets a new name.
        stamp = "$substring($replace($states.context.State.EnteredTime, /[^0-9]/, ''), 0, 17)"
        name = f"'{self._names.tuning_jobs}' & {stamp}"
        return sfn.Pass.jsonata(
            self,
            "NameTuningJob",
            outputs=f"{{% $merge([$states.input, {{'tuning_job_name': {name}}}]) %}}",
        )

    def _describe_best(self) -> sfn.CustomState:
        return sfn.CustomState(
            self,
            "DescribeBest",
            state_json={
                "QueryLanguage": "JSONata",
                "Type": "Task",
                "Resource": f"arn:{_partition(self)}:states:::aws-sdk:sagemaker:describeTrainingJob",
                "Arguments": {
                    "TrainingJobName": "{% $states.input.tuning.BestTrainingJob.TrainingJobName %}"
                },
                "Output": {
                    "dataset": "{% $states.input.dataset %}",
                    "candidate": {
                        "training_job": "{% $states.result.TrainingJobName %}",
                        "model_data": "{% $states.result.ModelArtifacts.S3ModelArtifacts %}",
                    },
                },
            },
        )


def _tune(scope: Construct, tuning_job: dict[str, Any]) -> sfn.CustomState:
    return sfn.CustomState(
        scope,
        "Tune",
        state_json={
            "Type": "Task",
            "Resource": f"arn:{_partition(scope)}:states:::sagemaker:createHyperParameterTuningJob.sync",
            "Parameters": tuning_job,
            "ResultPath": "$.tuning",
            "Retry": [
                {
                    "ErrorEquals": ["ThrottlingException", "SageMaker.AmazonSageMakerException"],
                    "IntervalSeconds": 5,
                    "MaxAttempts": 3,
                    "BackoffRate": 2,
                    "JitterStrategy": "FULL",
                }
            ],
        },
    )


def _retry_lambda(
    task: tasks.LambdaInvoke, *, faults: list[str] = TRANSFER_FAILED, attempts: int = 6
) -> None:
    task.add_retry(
        errors=LAMBDA_BUSY,
        interval=Duration.seconds(2),
        max_attempts=60,
        backoff_rate=2,
        max_delay=Duration.minutes(1),
        jitter_strategy=sfn.JitterType.FULL,
    )
    task.add_retry(
        errors=[*LAMBDA_FAULTS, *faults],
        interval=Duration.seconds(2),
        max_attempts=attempts,
        backoff_rate=2,
        jitter_strategy=sfn.JitterType.FULL,
    )


def _partition(scope: Construct) -> str:
    return Stack.of(scope).partition

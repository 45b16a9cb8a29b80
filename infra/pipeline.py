"""The pipeline: request -> dataset -> tuned model -> gate -> model package in the registry."""

from typing import Any

from aws_cdk import Duration, Stack
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_stepfunctions as sfn
from aws_cdk import aws_stepfunctions_tasks as tasks
from constructs import Construct

from infra import imagenet_weights
from infra.names import Names
from infra.parameter_arn import parameter_arn
from infra.settings import Gate, Settings

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
CONTENT_TYPES = ["image/jpeg", "image/png", "image/webp"]


class PipelineDefinition(Construct):
    """The states, in the order in which they run; `start` is the first.

    Input: `{"request": {…}}` or `{}` for the stage's own request.
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
    ) -> None:
        super().__init__(scope, id)
        self._settings = settings
        self._names = Names(settings.stage)
        self._bucket = bucket
        self._data_prep = data_prep
        publish = self._publish_dataset()
        before_tuning = publish.next(self._stage_weights(weights)) if weights else publish
        tune = self._name_tuning_job().next(_tune(self, tuning_job))
        before_tuning.next(tune.next(self._describe_best()).next(self._gate()))
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
        """One call of the Lambda; `open` and `plan` take the request, the others the dataset's id."""
        name, path = (
            ("request", "$.request") if step in ("open", "plan") else ("dataset_id", "$.dataset.dataset_id")
        )
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
            item_reader=sfn.S3JsonItemReader(bucket=self._bucket, key=sfn.JsonPath.string_at(items_key)),
            item_batcher=sfn.ItemBatcher(
                max_items_per_batch=data.batch_size if step == "arrange" else 1,
                # CDK writes the batch input as it stands: a path must be marked by its key.
                batch_input={"step": step, "dataset_id.$": "$.dataset.dataset_id"},
            ),
            # Without a writer the children's results count against the 256 KiB of a state's output.
            result_writer_v2=sfn.ResultWriterV2(
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
        return sfn.Pass.jsonata(
            self,
            "NameTuningJob",
            outputs=f"{{% $merge([$states.input, {{'tuning_job_name': 'bins-' & {stamp}}}]) %}}",
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
                        "metrics": "{% $merge($states.result.FinalMetricDataList.{MetricName: Value}) %}",
                    },
                },
            },
        )

    def _gate(self) -> sfn.Choice:
        rules = gate_rules(self._settings.gate)
        refused = sfn.Fail.jsonata(
            self,
            "Refused",
            state_name="Refused by the gate",
            error="GateRefused",
            cause=f"{{% 'The model is not registered: ' & {_refusal(rules)} %}}",
        )
        passed = " and ".join(_passes(name, sign, bound) for name, sign, bound in rules)
        return (
            sfn.Choice.jsonata(self, "Gate")
            .when(sfn.Condition.jsonata(f"{{% {passed} %}}"), self._register())
            .otherwise(refused)
        )

    def _register(self) -> sfn.IChainable:
        status = {"automatic": "Approved", "manual": "PendingManualApproval"}[self._settings.release.approval]
        sdk = f"arn:{_partition(self)}:states:::aws-sdk"
        read_image = sfn.CustomState(
            self,
            "ReadServingImage",
            state_json={
                "QueryLanguage": "JSONata",
                "Type": "Task",
                "Resource": f"{sdk}:ssm:getParameter",
                "Arguments": {"Name": self._names.parameter("image")},
                "Output": "{% $merge([$states.input, {'image': $states.result.Parameter.Value}]) %}",
            },
        )
        container = {
            "Image": "{% $states.input.image %}",
            "ModelDataUrl": "{% $states.input.candidate.model_data %}",
        }
        register = sfn.CustomState(
            self,
            "Register",
            state_json={
                "QueryLanguage": "JSONata",
                "Type": "Task",
                "Resource": f"{sdk}:sagemaker:createModelPackage",
                "Arguments": {
                    "ModelPackageGroupName": self._names.model_package_group,
                    "ModelPackageDescription": "{% 'Trained by ' & $states.input.candidate.training_job %}",
                    "ModelApprovalStatus": status,
                    "InferenceSpecification": {
                        "Containers": [container],
                        "SupportedContentTypes": CONTENT_TYPES,
                        "SupportedResponseMIMETypes": ["application/json", "text/plain"],
                    },
                    "CustomerMetadataProperties": {
                        "dataset_id": "{% $states.input.dataset.dataset_id %}",
                        "training_job": "{% $states.input.candidate.training_job %}",
                    },
                },
                "Output": (
                    "{% $merge([$states.input, {'model_package': $states.result.ModelPackageArn,"
                    f" 'approval': '{status}'}}]) %}}"
                ),
            },
        )
        return read_image.next(register)


def gate_rules(gate: Gate) -> list[tuple[str, str, float]]:
    """The gate's floors and ceilings as (metric, sign, bound)."""
    return [
        ("report:accuracy", ">=", gate.min_accuracy),
        ("report:rmse", "<=", gate.max_rmse),
        ("report:within_one", ">=", gate.min_within_one),
    ]


def _metric(name: str) -> str:
    return f"$lookup($states.input.candidate.metrics, '{name}')"


def _passes(name: str, sign: str, bound: float) -> str:
    # A missing figure compares to nothing in JSONata and must refuse, not pass.
    return f"($exists({_metric(name)}) ? {_metric(name)} {sign} {bound} : false)"


def _refusal(rules: list[tuple[str, str, float]]) -> str:
    reasons = [
        f"({_passes(name, sign, bound)} ? [] : '{name} is ' & "
        f"($exists({_metric(name)}) ? $string({_metric(name)}) : 'missing') & ', wanted {sign} {bound}')"
        for name, sign, bound in rules
    ]
    return f"$join([{', '.join(reasons)}], '; ')"


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

"""Step Functions in the embedded cloud: jobs, SDK calls, Distributed Map and the size limit."""

import io
import json
import sys
import zipfile
from typing import Any

import pytest
from embedded_cloud.cloud import Cloud
from embedded_cloud.testing import (
    BUCKET,
    ended_job,
    run_state,
    start_state,
    training_job,
    training_state,
    tuning_job,
    wait_until,
)


@pytest.fixture(scope="module")
def echo(cloud: Cloud, role: str) -> str:
    """A Lambda function that answers with what it was given, or with as many characters as asked for."""
    code = "def handler(event, context):\n    return 'x' * event['size'] if 'size' in event else event\n"
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("echo.py", code)
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    function = cloud.client("lambda").create_function(
        FunctionName="echo",
        Runtime=version,
        Role=role,
        Handler="echo.handler",
        Code={"ZipFile": buffer.getvalue()},
    )
    return function["FunctionArn"]


class TestStateMachines:
    def test_a_training_task_waits_for_its_job(self, cloud: Cloud, role: str):
        execution = run_state(cloud, role, training_state(training_job(name="sync", role=role, weight="0.5")))
        assert execution["status"] == "SUCCEEDED", execution
        output = json.loads(execution["output"])
        assert output["TrainingJobStatus"] == "Completed"
        assert output["ModelArtifacts"]["S3ModelArtifacts"].endswith("/models/sync/output/model.tar.gz")

    def test_a_failed_job_fails_its_task_with_the_description(self, cloud: Cloud, role: str):
        request = training_job(name="syncbad", role=role, mode="bad")
        execution = run_state(cloud, role, training_state(request))
        assert (execution["status"], execution["error"]) == ("FAILED", "States.TaskFailed")
        assert "a bin has no label" in json.loads(execution["cause"])["FailureReason"]

    def test_stopping_the_execution_stops_its_job(self, cloud: Cloud, role: str):
        sagemaker, states = cloud.client("sagemaker"), cloud.client("stepfunctions")
        arn = start_state(
            cloud, role, training_state(training_job(name="aborted", role=role, mode="endless"))
        )
        wait_until(lambda: sagemaker.list_training_jobs(NameContains="aborted")["TrainingJobSummaries"], bool)
        states.stop_execution(executionArn=arn)
        assert ended_job(cloud, "aborted")["TrainingJobStatus"] == "Stopped"
        assert states.describe_execution(executionArn=arn)["status"] == "ABORTED"

    def test_a_rejected_request_has_the_integrations_error_name(self, cloud: Cloud, role: str):
        request = {**training_job(name="x" * 64, role=role)}
        execution = run_state(cloud, role, training_state(request))
        assert execution["error"] == "SageMaker.AmazonSageMakerException"

    @pytest.mark.parametrize(
        ("action", "parameters", "error"),
        [
            (
                "cloudformation:describeStacks",
                {"StackName": "nobody"},
                "CloudFormation.CloudFormationException",
            ),
            ("sagemaker:describeEndpoint", {"EndpointName": "nobody"}, "SageMaker.SageMakerException"),
            ("ssm:getParameter", {"Name": "/nobody"}, "Ssm.ParameterNotFoundException"),
            ("s3:getObject", {"Bucket": "bins", "Key": "nothing"}, "S3.NoSuchKeyException"),
            (
                "sfn:describeExecution",
                {"ExecutionArn": "arn:aws:states:us-east-1:000000000000:execution:a:b"},
                "Sfn.ExecutionDoesNotExistException",
            ),
        ],
    )
    def test_sdk_tasks_fail_with_the_names_of_aws(
        self, cloud: Cloud, role: str, action: str, parameters: dict[str, Any], error: str
    ):
        state = {"Type": "Task", "Resource": f"arn:aws:states:::aws-sdk:{action}", "Parameters": parameters}
        assert run_state(cloud, role, state)["error"] == error

    def test_sdk_tasks_answer_in_pascal_case_with_iso_times(self, cloud: Cloud, role: str):
        name = {"ModelPackageGroupName": "bincount-test"}
        cloud.client("sagemaker").create_model_package_group(**name)
        resource = "arn:aws:states:::aws-sdk:sagemaker:describeModelPackageGroup"
        execution = run_state(cloud, role, {"Type": "Task", "Resource": resource, "Parameters": name})
        output = json.loads(execution["output"])
        assert output["ModelPackageGroupStatus"] == "Completed"
        assert output["CreationTime"].endswith("Z")

    def test_a_tuning_job_is_started_and_looked_at_by_sdk_tasks(self, cloud: Cloud, role: str):
        request = tuning_job(name="by-sdk", role=role, trials=2)
        request["TrainingJobDefinition"]["RetryStrategy"] = {"MaximumRetryAttempts": 1}
        sdk = "arn:aws:states:::aws-sdk:sagemaker"
        key = {"HyperParameterTuningJobName": "by-sdk"}

        def run(action: str, parameters: dict[str, Any]) -> dict[str, Any]:
            state = {"Type": "Task", "Resource": f"{sdk}:{action}", "Parameters": parameters}
            execution = run_state(cloud, role, state)
            assert execution["status"] == "SUCCEEDED", execution
            return json.loads(execution["output"])

        assert run("createHyperParameterTuningJob", request)["HyperParameterTuningJobArn"]
        ended = wait_until(
            lambda: run("describeHyperParameterTuningJob", key),
            lambda job: job["HyperParameterTuningJobStatus"] != "InProgress",
        )
        assert ended["HyperParameterTuningJobStatus"] == "Completed"
        assert ended["BestTrainingJob"]["FinalHyperParameterTuningJobObjectiveMetric"]["MetricName"] == "loss"
        trials = run("listTrainingJobsForHyperParameterTuningJob", key)
        assert len(trials["TrainingJobSummaries"]) == 2

    def test_an_empty_distributed_map_is_an_empty_array(self, cloud: Cloud, role: str, echo: str):
        self.put_items(cloud, [])
        assert json.loads(run_state(cloud, role, self.map_state(echo))["output"]) == []
        batched = self.map_state(echo, ItemBatcher={"MaxItemsPerBatch": 2})
        assert json.loads(run_state(cloud, role, batched)["output"]) == []

    def test_an_empty_map_writes_a_manifest_without_results(self, cloud: Cloud, role: str, echo: str):
        self.put_items(cloud, [])
        where = {"Bucket": BUCKET, "Prefix": "empty"}
        writer = {"Resource": "arn:aws:states:::s3:putObject", "Parameters": where}
        output = json.loads(run_state(cloud, role, self.map_state(echo, ResultWriter=writer))["output"])
        where = output["ResultWriterDetails"]
        body = cloud.client("s3").get_object(Bucket=where["Bucket"], Key=where["Key"])["Body"]
        assert json.loads(body.read())["ResultFiles"] == {"FAILED": [], "PENDING": [], "SUCCEEDED": []}

    def test_a_distributed_map_batches_its_items(self, cloud: Cloud, role: str, echo: str):
        self.put_items(cloud, [{"id": number} for number in range(5)])
        state = self.map_state(echo, ItemBatcher={"MaxItemsPerBatch": 2, "BatchInput": {"step": "arrange"}})
        output = json.loads(run_state(cloud, role, state)["output"])
        assert [[item["id"] for item in batch["Items"]] for batch in output] == [[0, 1], [2, 3], [4]]
        assert [batch["BatchInput"] for batch in output] == [{"step": "arrange"}] * 3

    def test_a_distributed_map_in_a_parallel_state_in_jsonata(self, cloud: Cloud, role: str, echo: str):
        """Arguments of all, the batches' input and both outputs are expressions."""
        self.put_items(cloud, [{"id": number} for number in range(3)])
        batches = self.map_state(
            echo,
            QueryLanguage="JSONata",
            ItemReader={
                "Resource": "arn:aws:states:::s3:getObject",
                "ReaderConfig": {"InputType": "JSON"},
                "Arguments": {"Bucket": BUCKET, "Key": "{% 'items' & '.json' %}"},
            },
            ItemBatcher={"MaxItemsPerBatch": 2, "BatchInput": {"step": "{% 'arr' & 'ange' %}"}},
            ResultWriter={
                "Resource": "arn:aws:states:::s3:putObject",
                "Arguments": {"Bucket": BUCKET, "Prefix": "{% $states.input.folder & '/arrange' %}"},
            },
            Output="{% $states.result.ResultWriterDetails.Key %}",
            End=True,
        )
        branch = {"StartAt": "Batches", "States": {"Batches": batches}}
        output = {"manifest": "{% $states.result[0] %}", "given": "{% $states.input %}"}
        parallel = {
            "Type": "Parallel",
            "QueryLanguage": "JSONata",
            "Arguments": {"folder": "{% 'o' & 'f' %}"},
            "Branches": [branch],
            "Output": output,
        }
        ended = json.loads(run_state(cloud, role, parallel)["output"])
        assert ended["given"] == {}
        assert ended["manifest"].startswith("of/arrange/")
        s3 = cloud.client("s3")
        manifest = json.loads(s3.get_object(Bucket=BUCKET, Key=ended["manifest"])["Body"].read())
        (file,) = manifest["ResultFiles"]["SUCCEEDED"]
        rows = json.loads(s3.get_object(Bucket=BUCKET, Key=file["Key"])["Body"].read())
        inputs = [json.loads(row["Input"]) for row in rows]
        assert sorted(len(each["Items"]) for each in inputs) == [1, 2]
        assert [each["BatchInput"] for each in inputs] == [{"step": "arrange"}] * 2

    def test_a_result_writer_puts_the_results_into_s3(self, cloud: Cloud, role: str, echo: str):
        self.put_items(cloud, [{"id": 1}, {"id": 2}])
        writer = {
            "Resource": "arn:aws:states:::s3:putObject",
            "Parameters": {"Bucket": BUCKET, "Prefix": "results"},
        }
        output = json.loads(run_state(cloud, role, self.map_state(echo, ResultWriter=writer))["output"])
        s3 = cloud.client("s3")
        details = output["ResultWriterDetails"]
        manifest = json.loads(s3.get_object(Bucket=details["Bucket"], Key=details["Key"])["Body"].read())
        key = manifest["ResultFiles"]["SUCCEEDED"][0]["Key"]
        rows = json.loads(s3.get_object(Bucket=BUCKET, Key=key)["Body"].read())
        assert sorted(json.loads(row["Output"])["id"] for row in rows) == [1, 2]

    def test_results_beyond_256_kib_fail_even_where_they_are_thrown_away(
        self, cloud: Cloud, role: str, echo: str
    ):
        self.put_items(cloud, [{"size": 100_000}] * 3)
        state = self.map_state(echo, ResultPath=None)
        assert run_state(cloud, role, state)["error"] == "States.DataLimitExceeded"

    def test_a_catch_of_all_errors_does_not_catch_the_size_limit(self, cloud: Cloud, role: str, echo: str):
        state = {
            "Type": "Task",
            "Resource": echo,
            "Parameters": {"size": 300_000},
            "Catch": [{"ErrorEquals": ["States.ALL"], "Next": "Only"}],
        }
        assert run_state(cloud, role, state)["error"] == "States.DataLimitExceeded"

    @staticmethod
    def map_state(function: str, **members: Any) -> dict[str, Any]:
        reader = {"Resource": "arn:aws:states:::s3:getObject", "ReaderConfig": {"InputType": "JSON"}}
        reader["Parameters"] = {"Bucket": BUCKET, "Key": "items.json"}
        processor = {
            "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"},
            "StartAt": "One",
            "States": {"One": {"Type": "Task", "Resource": function, "End": True}},
        }
        return {
            "Type": "Map",
            "ItemReader": reader,
            "ItemProcessor": processor,
            "MaxConcurrency": 2,
            **members,
        }

    @staticmethod
    def put_items(cloud: Cloud, items: list[Any]) -> None:
        cloud.client("s3").put_object(Bucket=BUCKET, Key="items.json", Body=json.dumps(items).encode())

"""SageMaker in the embedded cloud behaves like AWS: real HTTP, the real toolkit, real processes."""

import io
import json
import re
import tarfile
import threading
from typing import Any

import pytest
from botocore.exceptions import ClientError
from embedded_cloud.cloud import Cloud, CloudError
from embedded_cloud.testing import (
    BUCKET,
    SERVER_IMAGE,
    ended_job,
    log_lines,
    make_configs,
    served_weight,
    settled_endpoint,
    training_job,
    tuning_job,
    wait_until,
)


@pytest.fixture(scope="module")
def jobs(cloud: Cloud, role: str) -> dict[str, dict[str, Any]]:
    """Four jobs at once: a good one, a bad one, one that is stopped, one that runs out of time."""
    sagemaker = cloud.client("sagemaker")
    sagemaker.create_training_job(**training_job(name="good", role=role, weight="0.7"))
    sagemaker.create_training_job(**training_job(name="bad", role=role, mode="bad"))
    sagemaker.create_training_job(**training_job(name="stopped", role=role, mode="endless"))
    sagemaker.create_training_job(**training_job(name="late", role=role, seconds=1, mode="endless"))
    wait_until(
        lambda: sagemaker.describe_training_job(TrainingJobName="stopped").get("FinalMetricDataList"), bool
    )
    sagemaker.stop_training_job(TrainingJobName="stopped")
    return {name: ended_job(cloud, name) for name in ("good", "bad", "stopped", "late")}


class TestTrainingJobs:
    def test_a_good_job_completes_with_the_last_value_of_its_metric(self, jobs: dict[str, dict[str, Any]]):
        job = jobs["good"]
        assert job["TrainingJobStatus"] == "Completed"
        assert [(row["MetricName"], row["Value"]) for row in job["FinalMetricDataList"]] == [("loss", 0.2)]
        assert job["BillableTimeInSeconds"] >= 1

    def test_it_goes_through_the_stages_that_aws_reports(self, jobs: dict[str, dict[str, Any]]):
        stages = [stage["Status"] for stage in jobs["good"]["SecondaryStatusTransitions"]]
        assert stages == ["Starting", "Downloading", "Training", "Uploading", "Completed"]

    def test_its_model_and_its_output_are_archives_with_the_files_at_the_root(
        self, cloud: Cloud, jobs: dict[str, dict[str, Any]]
    ):
        assert jobs["good"]["ModelArtifacts"] == {
            "S3ModelArtifacts": f"s3://{BUCKET}/models/good/output/model.tar.gz"
        }
        for archive, member in (("model", "model.json"), ("output", "report.txt")):
            key = f"models/good/output/{archive}.tar.gz"
            body = cloud.client("s3").get_object(Bucket=BUCKET, Key=key)["Body"].read()
            with tarfile.open(fileobj=io.BytesIO(body)) as tar:
                assert tar.getnames() == [member]

    @pytest.mark.usefixtures("jobs")
    def test_channels_keep_their_tree_and_checkpoints_come_back(self, cloud: Cloud):
        lines = log_lines(cloud, "/aws/sagemaker/TrainingJobs", "good/algo-1-")
        assert "bins=00001.txt,00002.txt" in lines
        assert any(line.startswith("restored=") and "'earlier.txt'" in line for line in lines)

    @pytest.mark.usefixtures("jobs")
    def test_checkpoints_go_to_s3(self, cloud: Cloud):
        body = cloud.client("s3").get_object(Bucket=BUCKET, Key="checkpoints/good.txt")["Body"].read()
        assert body == b"epoch 1"

    def test_a_failure_carries_the_scripts_own_error(self, jobs: dict[str, dict[str, Any]]):
        assert jobs["bad"]["TrainingJobStatus"] == "Failed"
        assert jobs["bad"]["FailureReason"].startswith("AlgorithmError: ExecuteUserScriptError")
        assert "a bin has no label" in jobs["bad"]["FailureReason"]
        assert "ModelArtifacts" not in jobs["bad"]

    def test_a_stopped_job_keeps_what_it_has_made(self, jobs: dict[str, dict[str, Any]]):
        assert (jobs["stopped"]["TrainingJobStatus"], jobs["stopped"]["SecondaryStatus"]) == (
            "Stopped",
            "Stopped",
        )
        assert "ModelArtifacts" in jobs["stopped"]

    def test_a_job_that_runs_out_of_time_is_stopped(self, jobs: dict[str, dict[str, Any]]):
        assert jobs["late"]["TrainingJobStatus"] == "Stopped"
        assert jobs["late"]["SecondaryStatus"] == "MaxRuntimeExceeded"

    @pytest.mark.usefixtures("jobs")
    def test_errors_are_those_of_aws(self, cloud: Cloud, role: str):
        sagemaker = cloud.client("sagemaker")
        with pytest.raises(sagemaker.exceptions.ResourceInUse, match="must be unique"):
            sagemaker.create_training_job(**training_job(name="good", role=role))
        with pytest.raises(ClientError, match=r"\(ValidationException\).*Requested resource not found"):
            sagemaker.describe_training_job(TrainingJobName="nobody")
        with pytest.raises(ClientError, match="status Completed"):
            sagemaker.stop_training_job(TrainingJobName="good")

    def test_an_interrupted_spot_job_starts_again_from_its_checkpoints(self, cloud: Cloud, role: str):
        sagemaker, s3 = cloud.client("sagemaker"), cloud.client("s3")
        request = training_job(name="spot", role=role, mode="endless")
        request |= {"EnableManagedSpotTraining": True}
        request["StoppingCondition"]["MaxWaitTimeInSeconds"] = 600
        sagemaker.create_training_job(**request)
        kept = {"Bucket": BUCKET, "Prefix": "checkpoints/spot.txt"}
        wait_until(lambda: s3.list_objects_v2(**kept).get("Contents"), bool)
        cloud.interrupt_training_job("spot")
        group, stream = "/aws/sagemaker/TrainingJobs", "spot/algo-1-"
        wait_until(
            lambda: sagemaker.describe_training_job(TrainingJobName="spot"),
            lambda job: [each["Status"] for each in job["SecondaryStatusTransitions"]].count("Training") == 2,
        )
        wait_until(
            lambda: cloud.client("logs").describe_log_streams(logGroupName=group, logStreamNamePrefix=stream)[
                "logStreams"
            ],
            lambda streams: len(streams) == 2,
        )
        lines = wait_until(
            lambda: log_lines(cloud, group, stream, attempt=2),
            lambda lines: any(line.startswith("restored=") for line in lines),
        )
        assert any("'spot.txt'" in line for line in lines)
        sagemaker.stop_training_job(TrainingJobName="spot")
        job = ended_job(cloud, "spot")
        steps = [each["Status"] for each in job["SecondaryStatusTransitions"]]
        assert steps[2:6] == ["Training", "Interrupted", "Restarting", "Downloading"]
        assert job["BillableTimeInSeconds"] < job["TrainingTimeInSeconds"]

    @pytest.mark.usefixtures("jobs")
    def test_only_a_spot_job_that_trains_is_interrupted(self, cloud: Cloud):
        for name, words in (("good", "on demand"), ("nobody", "not found")):
            with pytest.raises(CloudError, match=words):
                cloud.interrupt_training_job(name)

    def test_a_channel_without_objects_fails_the_job(self, cloud: Cloud, role: str):
        request = training_job(name="empty", role=role)
        request["InputDataConfig"][0]["DataSource"]["S3DataSource"]["S3Uri"] = f"s3://{BUCKET}/nothing/"
        cloud.client("sagemaker").create_training_job(**request)
        assert "No S3 objects found" in ended_job(cloud, "empty")["FailureReason"]


class TestTuningJobs:
    def test_the_best_trial_is_the_one_with_the_smallest_objective(self, cloud: Cloud, role: str):
        sagemaker = cloud.client("sagemaker")
        sagemaker.create_hyper_parameter_tuning_job(**tuning_job(name="tune", role=role, trials=2))
        tuning = self.ended(cloud, "tune")
        assert tuning["HyperParameterTuningJobStatus"] == "Completed"
        assert tuning["TrainingJobStatusCounters"]["Completed"] == 2
        trials = sagemaker.list_training_jobs_for_hyper_parameter_tuning_job(
            HyperParameterTuningJobName="tune"
        )
        values = {
            row["TrainingJobName"]: row["FinalHyperParameterTuningJobObjectiveMetric"]["Value"]
            for row in trials["TrainingJobSummaries"]
        }
        best = tuning["BestTrainingJob"]
        assert values[best["TrainingJobName"]] == min(values.values())
        assert set(best["TunedHyperParameters"]) == {"weight"}
        assert sorted(name[:9] for name in values) == ["tune-001-", "tune-002-"]

    def test_it_fails_where_no_trial_succeeds(self, cloud: Cloud, role: str):
        sagemaker = cloud.client("sagemaker")
        sagemaker.create_hyper_parameter_tuning_job(
            **tuning_job(name="lost", role=role, trials=1, mode="bad")
        )
        tuning = self.ended(cloud, "lost")
        assert tuning["HyperParameterTuningJobStatus"] == "Failed"
        assert tuning["TrainingJobStatusCounters"]["NonRetryableError"] == 1
        assert "All training jobs failed" in tuning["FailureReason"]

    def test_a_warm_start_begins_at_its_parents_best_trial(self, cloud: Cloud, role: str):
        sagemaker = cloud.client("sagemaker")
        sagemaker.create_hyper_parameter_tuning_job(**tuning_job(name="parent", role=role, trials=2))
        parent = self.ended(cloud, "parent")["BestTrainingJob"]
        request = tuning_job(name="child", role=role, trials=1)
        sagemaker.create_hyper_parameter_tuning_job(**request | self.after("parent"))
        child = self.ended(cloud, "child")
        assert child["WarmStartConfig"] == self.after("parent")["WarmStartConfig"]
        assert child["BestTrainingJob"]["TunedHyperParameters"] == parent["TunedHyperParameters"]
        assert "OverallBestTrainingJob" not in child
        again = tuning_job(name="again", role=role, trials=1)
        sagemaker.create_hyper_parameter_tuning_job(
            **again | self.after("parent", "child", kind="IdenticalDataAndAlgorithm")
        )
        assert self.ended(cloud, "again")["OverallBestTrainingJob"]["TrainingJobName"].startswith("parent-")
        sagemaker.delete_hyper_parameter_tuning_job(HyperParameterTuningJobName="parent")
        with pytest.raises(sagemaker.exceptions.ResourceNotFound):
            sagemaker.create_hyper_parameter_tuning_job(
                **tuning_job(name="orphan", role=role, trials=1) | self.after("parent")
            )

    @pytest.mark.parametrize(
        ("change", "words"),
        [
            ({"MetricName": "other"}, "differs from that of the parent"),
            ({"StaticHyperParameters": {"one": "more"}}, "must remain the same"),
            ({"MaxNumberOfTrainingJobs": 500}, "together more than 500"),
        ],
    )
    def test_a_parent_that_does_not_fit_is_refused(
        self, cloud: Cloud, role: str, change: dict[str, Any], words: str
    ):
        sagemaker = cloud.client("sagemaker")
        name = f"first-{len(words)}"
        sagemaker.create_hyper_parameter_tuning_job(**tuning_job(name=name, role=role, trials=1))
        self.ended(cloud, name)
        request = tuning_job(name=f"{name}-child", role=role, trials=1) | self.after(name)
        config, definition = request["HyperParameterTuningJobConfig"], request["TrainingJobDefinition"]
        config["HyperParameterTuningJobObjective"] |= {k: v for k, v in change.items() if k == "MetricName"}
        config["ResourceLimits"] |= {k: v for k, v in change.items() if k == "MaxNumberOfTrainingJobs"}
        definition["StaticHyperParameters"] |= change.get("StaticHyperParameters", {})
        definition["AlgorithmSpecification"]["MetricDefinitions"] += [{"Name": "other", "Regex": "x=(.*)"}]
        with pytest.raises(ClientError, match=words):
            sagemaker.create_hyper_parameter_tuning_job(**request)

    @staticmethod
    def after(*parents: str, kind: str = "TransferLearning") -> dict[str, Any]:
        named = [{"HyperParameterTuningJobName": name} for name in parents]
        return {"WarmStartConfig": {"ParentHyperParameterTuningJobs": named, "WarmStartType": kind}}

    def test_stopping_it_stops_its_trials(self, cloud: Cloud, role: str):
        sagemaker = cloud.client("sagemaker")
        request = tuning_job(name="halt", role=role, trials=3, mode="endless")
        sagemaker.create_hyper_parameter_tuning_job(**request)
        name = {"HyperParameterTuningJobName": "halt"}
        wait_until(
            lambda: sagemaker.list_training_jobs_for_hyper_parameter_tuning_job(**name)[
                "TrainingJobSummaries"
            ],
            lambda trials: len(trials) == 2,
        )
        sagemaker.stop_hyper_parameter_tuning_job(**name)
        tuning = self.ended(cloud, "halt")
        assert tuning["HyperParameterTuningJobStatus"] == "Stopped"
        assert tuning["TrainingJobStatusCounters"]["Stopped"] == 2
        assert tuning["TrainingJobStatusCounters"]["InProgress"] == 0

    def test_an_objective_that_no_metric_defines_is_an_error(self, cloud: Cloud, role: str):
        request = tuning_job(name="odd", role=role, trials=2)
        request["HyperParameterTuningJobConfig"]["HyperParameterTuningJobObjective"]["MetricName"] = "luck"
        with pytest.raises(ClientError, match="isn't among the MetricDefinitions"):
            cloud.client("sagemaker").create_hyper_parameter_tuning_job(**request)

    @staticmethod
    def ended(cloud: Cloud, name: str) -> dict[str, Any]:
        sagemaker = cloud.client("sagemaker")
        return wait_until(
            lambda: sagemaker.describe_hyper_parameter_tuning_job(HyperParameterTuningJobName=name),
            lambda tuning: tuning["HyperParameterTuningJobStatus"] not in ("InProgress", "Stopping"),
        )


@pytest.fixture(scope="module")
def endpoint(cloud: Cloud, role: str) -> str:
    """An endpoint `bins` on the first model; configurations `two`, `broken` and `foreign` exist beside it."""
    images = {**dict.fromkeys(("one", "two", "broken"), SERVER_IMAGE), "foreign": "team/other:1"}
    make_configs(cloud, role, images)
    cloud.client("sagemaker").create_endpoint(EndpointName="bins", EndpointConfigName="one")
    assert settled_endpoint(cloud, "bins")["EndpointStatus"] == "InService"
    return "bins"


class TestEndpoints:
    def test_bytes_and_headers_reach_the_server_unchanged(self, cloud: Cloud, endpoint: str):
        answer = cloud.client("sagemaker-runtime").invoke_endpoint(
            EndpointName=endpoint,
            Body=bytes(range(256)),
            ContentType="image/jpeg",
            CustomAttributes="expected-count=3",
        )
        assert json.loads(answer["Body"].read()) == {
            "weight": 1,
            "bytes": sum(range(256)),
            "type": "image/jpeg",
            "attributes": "expected-count=3",
        }
        assert (answer["ContentType"], answer["InvokedProductionVariant"]) == (
            "application/json",
            "AllTraffic",
        )

    def test_an_error_of_the_server_is_a_model_error(self, cloud: Cloud, endpoint: str):
        runtime = cloud.client("sagemaker-runtime")
        with pytest.raises(runtime.exceptions.ModelError) as caught:
            runtime.invoke_endpoint(EndpointName=endpoint, Body=b"not an image")
        assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 424
        assert caught.value.response["OriginalStatusCode"] == 400
        assert "undecodable_image" in caught.value.response["OriginalMessage"]

    def test_a_body_beyond_the_limit_is_an_error(self, cloud: Cloud, endpoint: str):
        with pytest.raises(ClientError, match="6291456"):
            cloud.client("sagemaker-runtime").invoke_endpoint(EndpointName=endpoint, Body=b"x" * 6_291_457)

    @pytest.mark.parametrize(
        ("config", "reason"),
        [("broken", "exit code 1.*model.json"), ("foreign", "toy-server.*team/other:1")],
    )
    def test_an_update_that_fails_keeps_the_old_server_under_the_old_name(
        self, cloud: Cloud, endpoint: str, config: str, reason: str
    ):
        cloud.client("sagemaker").update_endpoint(EndpointName=endpoint, EndpointConfigName=config)
        settled = settled_endpoint(cloud, endpoint)
        assert (settled["EndpointStatus"], settled["EndpointConfigName"]) == ("InService", "one")
        assert re.search(reason, settled["FailureReason"], re.DOTALL)
        assert served_weight(cloud, endpoint) == 1

    def test_an_update_loses_no_request(self, cloud: Cloud, endpoint: str):
        slow: list[int] = []
        request = threading.Thread(target=lambda: slow.append(served_weight(cloud, endpoint, b"slow")))
        request.start()
        cloud.client("sagemaker").update_endpoint(EndpointName=endpoint, EndpointConfigName="two")
        seen = []
        while not seen or seen[-1] == 1:
            seen.append(served_weight(cloud, endpoint))
        request.join()
        assert slow == [1]
        assert set(seen) == {1, 2} or seen == [2]
        assert settled_endpoint(cloud, endpoint)["EndpointConfigName"] == "two"

    def test_an_unknown_endpoint_is_a_validation_error(self, cloud: Cloud):
        with pytest.raises(ClientError, match=r"\(ValidationException\).*Could not find endpoint"):
            cloud.client("sagemaker").describe_endpoint(EndpointName="nobody")


def test_an_approval_reaches_eventbridge(cloud: Cloud):
    sqs, events, sagemaker = cloud.client("sqs"), cloud.client("events"), cloud.client("sagemaker")
    url = sqs.create_queue(QueueName="approvals")["QueueUrl"]
    pattern = {
        "source": ["aws.sagemaker"],
        "detail-type": ["SageMaker Model Package State Change"],
        "detail": {"ModelPackageGroupName": ["team-events"], "ModelApprovalStatus": ["Approved"]},
    }
    events.put_rule(Name="approved", EventPattern=json.dumps(pattern))
    arn = "arn:aws:sqs:us-east-1:000000000000:approvals"
    events.put_targets(Rule="approved", Targets=[{"Id": "queue", "Arn": arn}])
    sagemaker.create_model_package_group(ModelPackageGroupName="team-events")
    package = sagemaker.create_model_package(ModelPackageGroupName="team-events")["ModelPackageArn"]
    sagemaker.update_model_package(ModelPackageArn=package, ModelApprovalStatus="Approved")
    messages = wait_until(lambda: sqs.receive_message(QueueUrl=url).get("Messages", []), bool)
    assert json.loads(messages[0]["Body"])["detail"]["ModelPackageArn"] == package

"""Training from a working tree in a deployed stage, with the weights and wheels that an isolated job needs.

The tests are one journey on the common stage with IAM enforced; the SDK v3 in its
own environment (`make launch-env`), SageMaker's own toolkit, and a file server of real HTTP in place of
download.pytorch.org.
"""

import hashlib
import io
import json
import os
import subprocess
import sys
import tarfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError
from embedded_cloud.cloud import Cloud
from embedded_cloud.environment import neutral_environment

from demo.bins.generate import generate
from infra.training.weights import PACKAGED
from tests.e2e.common_stage import CommonStage, WeightsSource
from tests.e2e.mlflow_kit import Gate
from tests.e2e.runs_kit import register

pytestmark = pytest.mark.e2e

SCRATCH = ("-c", "training.pretrained=none")

ROOT = Path(__file__).resolve().parents[2]
SDK_PYTHON = ROOT / "build" / "launch-venv" / "bin" / "python"
KEY = "weights/resnet18.pth"
STUDIO = ROOT / "docs" / "studio.md"


@dataclass(frozen=True, kw_only=True)
class Retraining:
    """The deployed stage, its source of weights, and the two programs under test."""

    cloud: Cloud
    mlflow: Gate
    source: WeightsSource
    bucket: str
    sha256: str

    def launch(
        self, *arguments: str, python: Path = SDK_PYTHON, keys: dict[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        return self._run(str(python), "training/launch.py", *arguments, keys=keys)

    def scientist(self) -> dict[str, str]:
        """The keys of a role that may do what the page for Studio gives, and nothing else."""
        described = self.cloud.client("ssm").get_parameter(Name="/bincount/local/training")
        role = json.loads(described["Parameter"]["Value"])["definition"]["RoleArn"]
        account = role.split(":")[4]
        text = STUDIO.read_text(encoding="utf-8").split("```json")[1].split("```")[0]
        for name, value in {
            "TRAINING_ROLE": role, "REGION": "us-east-1", "ACCOUNT": account, "STAGE": "local",
            "BUCKET": self.bucket,
        }.items():  # fmt: skip
            text = text.replace(name, value)
        trust = {"Effect": "Allow", "Principal": {"AWS": account}, "Action": "sts:AssumeRole"}
        iam = self.cloud.client("iam")
        made = iam.create_role(
            RoleName="scientist",
            AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [trust]}),
        )
        iam.put_role_policy(RoleName="scientist", PolicyName="page", PolicyDocument=text)
        session = self.cloud.client("sts").assume_role(RoleArn=made["Role"]["Arn"], RoleSessionName="studio")
        keys = session["Credentials"]
        return {
            "AWS_ACCESS_KEY_ID": keys["AccessKeyId"],
            "AWS_SECRET_ACCESS_KEY": keys["SecretAccessKey"],
            "AWS_SESSION_TOKEN": keys["SessionToken"],
        }

    def make_weights(self, how: str, *, sha256: str = "") -> subprocess.CompletedProcess[str]:
        """As for stage dev, which wants weights, but into this cloud's bucket and from the source here."""
        options = ["--source", self.source.address(how), "--bucket", self.bucket, "--arch", "resnet18"]
        options += ["--sha256", sha256 or self.sha256]
        return self._run(sys.executable, "-m", "infra.tools.stage_weights", "--stage", "dev", *options)

    def state(self, name: str) -> dict[str, Any]:
        """A state of the deployed pipeline."""
        states = self.cloud.client("stepfunctions")
        machines = states.list_state_machines()["stateMachines"]
        (machine,) = [each for each in machines if each["name"].endswith("-pipeline")]
        described = states.describe_state_machine(stateMachineArn=machine["stateMachineArn"])
        return json.loads(described["definition"])["States"][name]

    def trial(self) -> str:
        """The best training job of the one tuning job."""
        sagemaker = self.cloud.client("sagemaker")
        (tuning,) = sagemaker.list_hyper_parameter_tuning_jobs()["HyperParameterTuningJobSummaries"]
        name = tuning["HyperParameterTuningJobName"]
        job = sagemaker.describe_hyper_parameter_tuning_job(HyperParameterTuningJobName=name)
        return job["BestTrainingJob"]["TrainingJobName"]

    def invoke(self, function: str, given: Any) -> Any:
        """What a Lambda answers."""
        answer = self.cloud.client("lambda").invoke(FunctionName=function, Payload=json.dumps(given))
        return json.load(answer["Payload"])

    def head(self) -> dict[str, Any] | None:
        try:
            return self.cloud.client("s3").head_object(Bucket=self.bucket, Key=KEY)
        except ClientError as error:
            assert error.response["ResponseMetadata"]["HTTPStatusCode"] == 404
            return None

    def denied(self, keys: dict[str, str]) -> None:
        """A write that the page does not give: raises AccessDenied."""
        names = {
            "AWS_ACCESS_KEY_ID": "aws_access_key_id",
            "AWS_SECRET_ACCESS_KEY": "aws_secret_access_key",
            "AWS_SESSION_TOKEN": "aws_session_token",
        }
        s3 = self.cloud.client("s3", **{names[name]: key for name, key in keys.items()})
        s3.put_object(Bucket=self.bucket, Key="models/foreign", Body=b"")

    def unfinished_uploads(self) -> list[Any]:
        return self.cloud.client("s3").list_multipart_uploads(Bucket=self.bucket).get("Uploads", [])

    def model_json(self, training_job: str) -> dict[str, Any]:
        key = f"models/{training_job}/output/model.tar.gz"
        body = self.cloud.client("s3").get_object(Bucket=self.bucket, Key=key)["Body"].read()
        with tarfile.open(fileobj=io.BytesIO(body)) as archive:
            content = archive.extractfile("model.json")
            assert content is not None
            return json.load(content)

    def log_of(self, training_job: str) -> str:
        logs, group = self.cloud.client("logs"), "/aws/sagemaker/TrainingJobs"
        found = logs.describe_log_streams(logGroupName=group, logStreamNamePrefix=training_job)
        (stream,) = found["logStreams"]
        events = logs.get_log_events(
            logGroupName=group, logStreamName=stream["logStreamName"], startFromHead=True
        )
        return "\n".join(event["message"] for event in events["events"])

    def _run(self, *command: str, keys: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
        environment = {**neutral_environment(), **self.cloud.environment(), "PYTHONDONTWRITEBYTECODE": "1"}
        environment |= keys or {}
        return subprocess.run(
            command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False, timeout=300
        )


@pytest.fixture(scope="module")
def retraining(common_stage: CommonStage) -> Retraining:
    assert SDK_PYTHON.exists(), "the SDK's environment is missing: make launch-env (make test does it)"
    upload_dataset(common_stage.cloud, common_stage.out / "retraining", common_stage.bucket)
    return Retraining(
        cloud=common_stage.cloud,
        mlflow=common_stage.mlflow,
        source=common_stage.weights,
        bucket=common_stage.bucket,
        sha256=common_stage.weights_sha256,
    )


def upload_dataset(cloud: Cloud, out: Path, bucket: str) -> None:
    """A sealed dataset of 240 drawn bins by data_prep's own command line, as the stage's latest."""
    generate(out=out / "bins", images=240, seed=3, counts=range(1, 4))
    command = ["-m", "data_prep", "--source", str(out / "bins"), "--target", str(out / "data")]
    subprocess.run([sys.executable, *command, "--counts", "1-3"], cwd=ROOT, check=True, capture_output=True)
    (folder,) = (out / "data" / "datasets").iterdir()
    s3 = cloud.client("s3")
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        s3.upload_file(str(path), bucket, f"datasets/{folder.name}/{path.relative_to(folder).as_posix()}")
    cloud.client("ssm").put_parameter(
        Name="/bincount/local/dataset", Value=f"s3://{bucket}/datasets/{folder.name}/", Overwrite=True
    )


def test_make_weights_rejects_other_bytes_and_writes_nothing(retraining: Retraining) -> None:
    result = retraining.make_weights("whole", sha256="0" * 64)
    assert result.returncode == 1
    assert f"has the SHA-256 {retraining.sha256}, expected {'0' * 64}: nothing was written" in result.stderr
    assert retraining.head() is None
    assert retraining.unfinished_uploads() == []


def test_make_weights_leaves_no_partial_file_where_the_source_breaks_off(retraining: Retraining) -> None:
    result = retraining.make_weights("cut")
    assert result.returncode == 1
    assert f"of {len(retraining.source.content)} bytes" in result.stderr
    assert retraining.head() is None
    assert retraining.unfinished_uploads() == []


def test_make_weights_without_a_network_says_what_else_can_be_done(retraining: Retraining) -> None:
    result = retraining._run(
        sys.executable, "-m", "infra.tools.stage_weights", "--stage", "dev", "--bucket", retraining.bucket,
        "--source", "http://127.0.0.1:9/",
    )  # fmt: skip
    assert result.returncode == 1
    assert "cannot be reached from here" in result.stderr
    assert "training.weights_uri" in result.stderr
    assert "Traceback" not in result.stderr


def test_make_weights_takes_those_of_a_package_of_pypi(retraining: Retraining) -> None:
    result = retraining._run(
        sys.executable, "-m", "infra.tools.stage_weights", "--stage", "dev", "--bucket", retraining.bucket,
        "--arch", "efficientnet_lite0",
    )  # fmt: skip
    assert result.returncode == 0, result.stderr
    where = {"Bucket": retraining.bucket, "Key": "weights/efficientnet_lite0.pth"}
    body = retraining.cloud.client("s3").get_object(**where)["Body"].read()
    assert hashlib.sha256(body).hexdigest() == PACKAGED["efficientnet_lite0"]


@pytest.mark.parametrize(
    ("arch", "reason"), [("resnet19", "did you mean resnet18"), ("timm:resnet10t.c3_in1k", "weights_sha256")]
)
def test_make_weights_rejects_what_it_cannot_check(retraining: Retraining, arch: str, reason: str) -> None:
    result = retraining._run(
        sys.executable, "-m", "infra.tools.stage_weights", "--stage", "dev", "--bucket", retraining.bucket,
        "--arch", arch,
    )  # fmt: skip
    assert result.returncode == 1
    assert result.stderr.startswith("error: ") and reason in result.stderr


def test_a_stage_that_trains_from_scratch_fetches_nothing(retraining: Retraining) -> None:
    asked = retraining.source.asked
    result = retraining._run(sys.executable, "-m", "infra.tools.stage_weights", "--stage", "local", *SCRATCH)
    assert (result.returncode, retraining.source.asked) == (0, asked)
    assert "nothing to do: stage local trains from scratch" in result.stdout


def test_launch_misses_the_weights_before_it_starts_a_job(retraining: Retraining) -> None:
    result = retraining.launch("train", "--stage", "local")
    assert result.returncode == 1
    assert f"{KEY} are missing: make weights STAGE=local" in result.stderr


def test_the_pipeline_s_step_stages_the_weights_once(retraining: Retraining) -> None:
    step = retraining.state("StageWeights")
    after_the_dataset = retraining.state(retraining.state("PublishDataset")["Next"])
    assert after_the_dataset["Default"] == "StageWeights"  # else there is a model to evaluate already
    for staged in (True, False):
        answer = retraining.invoke(step["Resource"], step["Arguments"])
        assert answer == {"uri": f"s3://{retraining.bucket}/{KEY}", "staged": staged}
    body = retraining.cloud.client("s3").get_object(Bucket=retraining.bucket, Key=KEY)["Body"].read()
    assert hashlib.sha256(body).hexdigest() == retraining.sha256


def test_launch_trains_with_the_code_of_the_tree_by_the_sdk_s_drivers(retraining: Retraining) -> None:
    """With the rights that docs/studio.md gives a data scientist."""
    keys = retraining.scientist()
    flags = ("--epochs", "1", "--batch-size", "16")
    result = retraining.launch("train", "--stage", "local", *flags, "--wait", keys=keys)
    assert result.returncode == 0, result.stdout + result.stderr
    with pytest.raises(ClientError, match="AccessDenied"):
        retraining.denied(keys)
    listed = retraining._run(
        sys.executable, "-m", "bincount", "runs", "--stage", "local", "--json", keys=keys
    )
    assert listed.returncode == 0, listed.stderr
    (run,) = (json.loads(line) for line in listed.stdout.splitlines())
    assert run["name"].startswith("try-local-") and run["status"] == "Completed"
    page = retraining.cloud.client_file.parent / "page.html"
    opened = retraining._run(
        sys.executable, "-m", "bincount", "report", run["name"], "--no-open", "--out", str(page), keys=keys
    )
    assert opened.returncode == 0 and page.exists(), opened.stderr
    sagemaker = retraining.cloud.client("sagemaker")
    (summary,) = sagemaker.list_training_jobs()["TrainingJobSummaries"]
    job = sagemaker.describe_training_job(TrainingJobName=summary["TrainingJobName"])
    assert job["TrainingJobStatus"] == "Completed"
    assert job["AlgorithmSpecification"]["ContainerEntrypoint"] == ["/bin/bash"]
    assert job["EnableNetworkIsolation"] is True
    assert {"dataset", "weights", "wheels", "code", "sm_drivers"} == {
        channel["ChannelName"] for channel in job["InputDataConfig"]
    }
    assert job["HyperParameters"]["arch"] == "resnet18", "the stage's own settings go along"
    assert {"validation:rmse", "test:accuracy"} <= {m["MetricName"] for m in job["FinalMetricDataList"]}
    model = retraining.model_json(summary["TrainingJobName"])
    assert model["source_revision"].startswith("working-tree-")
    log = retraining.log_of(summary["TrainingJobName"])
    assert "Running Basic Script driver" in log
    assert "input/data/wheels" in log, "pip looks for packages where the isolated job has them"
    for line in (
        "train: costs at most $",
        "Completed:",
        "test:accuracy",
        f"model: s3://{retraining.bucket}/",
    ):
        assert line in result.stdout


def test_launch_tunes_over_what_is_not_fixed(retraining: Retraining) -> None:
    fixed = ("--epochs", "1", "--learning-rate", "0.001")
    result = retraining.launch("tune", "--stage", "local", "--max-jobs", "1", *fixed, "--wait")
    assert result.returncode == 0, result.stdout + result.stderr
    sagemaker = retraining.cloud.client("sagemaker")
    (summary,) = sagemaker.list_hyper_parameter_tuning_jobs()["HyperParameterTuningJobSummaries"]
    name = summary["HyperParameterTuningJobName"]
    job = sagemaker.describe_hyper_parameter_tuning_job(HyperParameterTuningJobName=name)
    assert list(job["BestTrainingJob"]["TunedHyperParameters"]) == ["batch-size"]
    definition = job["TrainingJobDefinition"]
    assert definition["EnableNetworkIsolation"] is True
    assert definition["CheckpointConfig"]["S3Uri"] == f"s3://{retraining.bucket}/checkpoints/{name}"
    assert definition["RetryStrategy"]["MaximumRetryAttempts"] == 3
    assert "input/data/wheels" in retraining.log_of(job["BestTrainingJob"]["TrainingJobName"])
    assert f"best: {name}-001-" in result.stdout and "--batch-size" in result.stdout


def test_the_pipeline_s_step_logs_the_trials_in_mlflow(retraining: Retraining) -> None:
    """With the function's own role: the trials of the tuning job, and the verdict on one of them."""
    function, trial = retraining.state("LogRuns")["Resource"], retraining.trial()
    package = register(retraining.cloud, trial, page=b"the gate's page", bucket=retraining.bucket)
    for _ in range(2):
        answer = retraining.invoke(function, {"training_job": trial, "model_package": package})
        assert answer == {"experiment": "bincount-local", "logged": 1, "left": 0}
    (run,) = retraining.mlflow.runs("bincount-local").values()
    assert run["info"]["run_name"] == trial and run["info"]["status"] == "FINISHED"
    assert {"key": "bincount.model_package", "value": package} in run["data"]["tags"]
    assert b"<html" in retraining.mlflow.artifact(run, "evaluation/report.html")
    assert retraining.mlflow.artifact(run, "gate/report.html") == b"the gate's page"


def test_an_mlflow_that_is_down_is_worth_another_attempt(retraining: Retraining) -> None:
    function, down = retraining.state("LogRuns")["Resource"], "MlflowUnavailable"
    (retry,) = [each for each in retraining.state("LogRuns")["Retry"] if down in each["ErrorEquals"]]
    assert retry["MaxAttempts"] > 0
    retraining.mlflow.broken = -1
    (version,) = retraining.cloud.client("sagemaker").list_model_packages(
        ModelPackageGroupName="bincount-local"
    )["ModelPackageSummaryList"]
    answer = retraining.invoke(
        function, {"training_job": retraining.trial(), "model_package": version["ModelPackageArn"]}
    )
    retraining.mlflow.broken = None
    assert answer["errorType"] == down


def test_launch_says_in_one_line_what_is_wrong(retraining: Retraining) -> None:
    for arguments, words in (
        (("train", "--stage", "dev"), "stage dev is not deployed in us-east-1"),
        (
            ("train", "--stage", "local", "--epochs", "0"),
            "--epochs: input should be greater than or equal to 1",
        ),
        (
            ("tune", "--stage", "local", "--max-jobs", "500", "--max-runtime-seconds", "2000000"),
            "could cost $",
        ),
        (
            ("tune", "--stage", "local", "--epochs=1", "--batch-size=16", "--learning-rate=0.1"),
            "nothing is left to tune",
        ),
    ):
        result = retraining.launch(*arguments)
        assert result.returncode == 1
        assert words in result.stderr
        assert len(result.stderr.strip().splitlines()) == 1, result.stderr


def test_launch_without_the_sdk_says_how_to_get_it(retraining: Retraining) -> None:
    result = retraining.launch("train", "--stage", "local", python=Path(sys.executable))
    assert result.returncode == 1
    assert "make launch-env" in result.stderr
    assert os.linesep.join(result.stderr.splitlines()[1:]) == ""

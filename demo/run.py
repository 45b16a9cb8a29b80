"""The run itself, step by step."""

import fcntl
import json
import shlex
import time
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from embedded_cloud.cloud import Cloud, CloudError
from embedded_cloud.server import port_is_free

from demo.cloud import BINCOUNT
from demo.dataset import Dataset
from demo.deployment import Deployment
from demo.errors import DemoError
from demo.execution import Execution
from demo.options import ROOT, Options
from demo.predictions import accuracy, ask, majority_accuracy
from demo.screen import Screen
from demo.sizes import STAGE, run_sizes
from demo.source import SEED, make_bins, unseen_generated, upload
from demo.training_jobs import TrainingJobs
from demo.weights import WeightsMirror

RELEASE_TIMEOUT_SECONDS = 180
ENDING_SECONDS = 45  # a killed demo's cloud ends by itself, with all that it runs


def run(options: Options) -> None:
    """Everything from an empty cloud to answers; writes `options.out`/report.json.

    Raises DemoError. Whatever was started has ended when this returns, however it ends.
    """
    options.out.mkdir(parents=True, exist_ok=True)
    screen = Screen()
    installed = time.time()
    path, data = options.out / "report.json", options.out / "cloud"
    try:
        arch = options.arch or run_sizes()["training.arch"]
        with (
            _alone(options.out, data, screen),
            WeightsMirror(ROOT / "build" / "weights", arch=arch) as weights,
            Cloud(data_dir=data, project=BINCOUNT, port=_free(options.port)) as cloud,
        ):
            path.unlink(missing_ok=True)  # what a failed run leaves must not pass for its report
            demo = Demo(options=options, screen=screen, cloud=cloud, weights=weights.settings)
            report = demo.run(install_seconds=installed - options.started)
            path.write_text(json.dumps(report, indent=2) + "\n")
            screen.console.print(f"\nreport: {path.relative_to(options.out.parents[1])}")
            if options.keep:
                demo.stay()
    except CloudError as error:
        raise DemoError(str(error)) from error


@contextmanager
def _alone(out: Path, data: Path, screen: Screen) -> Generator[None]:
    """One demo at a time in `out`; waits for the cloud of an earlier one that was killed."""
    with (out / "lock").open("w") as lock:
        if not _locked(lock):
            raise DemoError(f"another demo runs in {ROOT}: end it first, with Ctrl-C in its terminal")
        data.mkdir(parents=True, exist_ok=True)
        with (data / "lock").open("w") as cloud:
            deadline = time.monotonic() + ENDING_SECONDS
            if not (free := _locked(cloud)):
                screen.console.print("The cloud of an earlier run is still ending")
            while not free:
                if time.monotonic() > deadline:
                    raise DemoError(f"an embedded cloud still uses {data}: end it first")
                time.sleep(0.2)
                free = _locked(cloud)
        yield


def _locked(file: IO[str]) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _free(port: int | None) -> int | None:
    if port is not None and not port_is_free(port):
        raise DemoError(f"PORT={port} is in use on 127.0.0.1: end what listens there or give another PORT")
    return port


class Demo:
    """One run on a cloud that is up."""

    def __init__(self, *, options: Options, screen: Screen, cloud: Cloud, weights: Mapping[str, str]) -> None:
        self._options = options
        self._screen = screen
        self._cloud = cloud
        self._weights = weights
        self._seconds: dict[str, float] = {}
        self._outputs: dict[str, dict[str, str]] = {}

    def run(self, *, install_seconds: float) -> dict[str, Any]:
        """Each step once, in order; the report."""
        self._seconds["install"] = round(install_seconds, 1)
        self._deploy()
        self._put_bins()
        pipeline = self._run_pipeline()
        self._await_release()
        jobs = TrainingJobs(self._cloud.client("sagemaker")).report()
        dataset = self._dataset()
        predictions = self._count(dataset)
        self._seconds["total"] = round(time.time() - self._options.started, 1)
        self._screen.console.print(f"seconds: {', '.join(f'{k} {v:.0f}' for k, v in self._seconds.items())}")
        return {
            "stacks": self._stacks(),
            "execution": {
                "arn": pipeline.arn,
                "status": pipeline.status,
                "seconds_per_state": pipeline.seconds(),
            },
            "dataset": {"id": dataset.id, "counts": dataset.counts()},
            "training": jobs,
            "endpoint": self._endpoint(),
            **predictions,
            "seconds": self._seconds,
        }

    def stay(self) -> None:
        """Print how to call the endpoint and wait for Ctrl-C."""
        bins = self._options.bins or self._options.out / "unseen"
        image = min((bins / "bin-images").glob("*.jpg"))
        client_file = str(self._options.out / "cloud" / "client.json")
        variables = {**self._cloud.environment(), "NO_PROXY": "127.0.0.1", "BINCOUNT_CLOUD": client_file}
        exports = " ".join(
            f"{name}={shlex.quote(value)}"
            for name, value in sorted(variables.items())
            if name.startswith(("AWS_", "NO_PROXY", "BINCOUNT_CLOUD"))
        )
        self._screen.console.print("\nThe cloud stays up until Ctrl-C. In another terminal:\n", style="bold")
        print(f"cd {shlex.quote(str(ROOT))}; unset AWS_PROFILE; export {exports}")
        print(f".venv/bin/bincount count --stage {STAGE} {shlex.quote(str(image))}")
        print(f".venv/bin/bincount status --stage {STAGE}")
        # What CloudFormation gives as ApiUrl is an address of AWS; here the API answers at this one.
        address = self._cloud.api_url(self._outputs[f"bincount-{STAGE}-api"]["ApiUrl"])
        print(f".venv/bin/bincount count --stage {STAGE} --api-url {address} {shlex.quote(str(image))}")
        # The image is an argument, as a path may hold anything.
        print(
            '.venv/bin/python -c "import boto3, sys; '
            "print(boto3.client('sagemaker-runtime').invoke_endpoint("
            f"EndpointName='{self._endpoint_name}', ContentType='image/jpeg', "
            "CustomAttributes='expected-count=3', "
            f"Body=open(sys.argv[1], 'rb').read())['Body'].read().decode())\" {shlex.quote(str(image))}",
            flush=True,  # nothing is printed after it that would
        )
        while True:
            time.sleep(3600)

    @property
    def _endpoint_name(self) -> str:
        return self._outputs[f"bincount-{STAGE}-serving"]["EndpointName"]

    def _deploy(self) -> None:
        started = time.monotonic()
        overrides = dict(self._weights)
        if self._options.arch:
            overrides["training.arch"] = self._options.arch
        with self._screen.step("cdk bootstrap and cdk deploy --all, on the embedded cloud"):
            deployment = Deployment(
                environment=self._cloud.environment(),
                out=self._options.out,
                overrides=overrides,
                say=self._screen.now,
            )
            self._screen.now("cdk bootstrap")
            deployment.bootstrap()
            self._screen.now("cdk deploy --all")
            self._outputs = deployment.deploy()
            for name in sorted(self._outputs):
                self._screen.line(name)
        self._seconds["deploy"] = round(time.monotonic() - started, 1)

    def _put_bins(self) -> None:
        s3 = self._cloud.client("s3")
        with self._screen.step("Bins into an emulated public bucket"):
            directory = self._options.bins
            if directory is None:
                self._screen.now(f"drawing {self._options.images} bins")
                directory = make_bins(self._options.out / "bins", images=self._options.images, seed=SEED)
            images = upload(
                s3, directory, progress=lambda done, all_: self._screen.now(f"{done} of {all_} files")
            )
            self._screen.line(f"{images} images")

    def _run_pipeline(self) -> Execution:
        started = time.monotonic()
        stepfunctions = self._cloud.client("stepfunctions")
        arn = self._outputs[f"bincount-{STAGE}-training"]["PipelineArn"]
        with self._screen.step("The pipeline: prepare, train and tune, gate, register"):
            answer = stepfunctions.start_execution(stateMachineArn=arn, input="{}")
            execution = Execution(stepfunctions, answer["executionArn"])
            jobs = TrainingJobs(self._cloud.client("sagemaker"))
            shown: dict[int, str] = {}

            def poll(state: str) -> None:
                self._screen.now(state)
                lines = jobs.progress() if state == "Tune" else []
                for index, line in enumerate(lines):
                    if shown.get(index) != line:
                        shown[index] = line
                        self._screen.line(f"  {line}")

            execution.follow(on_state=lambda state: self._screen.line(f"state {state}"), on_poll=poll)
            _check_accepted(json.loads(execution.output)["verdict"])
        self._seconds["pipeline"] = round(time.monotonic() - started, 1)
        return execution

    def _await_release(self) -> None:
        """The approval's event starts the release; it ends with the endpoint in service."""
        started = time.monotonic()
        stepfunctions = self._cloud.client("stepfunctions")
        arn = self._outputs[f"bincount-{STAGE}-serving"]["ReleaseArn"]
        with self._screen.step("The release: the approved model reaches the endpoint"):
            deadline = time.monotonic() + RELEASE_TIMEOUT_SECONDS
            while not (found := stepfunctions.list_executions(stateMachineArn=arn)["executions"]):
                if time.monotonic() > deadline:
                    raise DemoError(f"the approval started no release within {RELEASE_TIMEOUT_SECONDS} s")
                time.sleep(0.5)
            execution = Execution(stepfunctions, found[0]["executionArn"])
            execution.follow(on_state=self._screen.now, on_poll=self._screen.now)
            self._screen.line(f"endpoint {self._endpoint_name} is {self._endpoint()['status']}")
        self._seconds["release"] = round(time.monotonic() - started, 1)

    def _dataset(self) -> Dataset:
        value = self._cloud.client("ssm").get_parameter(Name=f"/bincount/{STAGE}/dataset")
        return Dataset(self._cloud.client("s3"), value["Parameter"]["Value"])

    def _count(self, dataset: Dataset) -> dict[str, Any]:
        started = time.monotonic()
        if self._options.bins is None:
            bins = unseen_generated(self._options.out / "unseen")
        else:
            bins = dataset.test_bins()
        if not bins:
            raise DemoError("no bin was held out: name a BINS directory with more images")
        predictions = ask(self._cloud.client("sagemaker-runtime"), endpoint=self._endpoint_name, bins=bins)
        self._seconds["invoke"] = round(time.monotonic() - started, 1)
        self._screen.predictions(predictions)
        majority = dataset.majority()
        figures = {
            "accuracy": round(accuracy(predictions), 4),
            "majority_accuracy": round(majority_accuracy(predictions, majority=majority), 4),
        }
        self._screen.console.print(
            f"accuracy [bold]{figures['accuracy']:.1%}[/bold]; always answering {majority}: "
            f"{figures['majority_accuracy']:.1%}"
        )
        return {**figures, "predictions": [p.row() for p in predictions]}

    def _endpoint(self) -> dict[str, str]:
        answer = self._cloud.client("sagemaker").describe_endpoint(EndpointName=self._endpoint_name)
        return {"name": answer["EndpointName"], "status": answer["EndpointStatus"]}

    def _stacks(self) -> list[dict[str, str]]:
        stacks = self._cloud.client("cloudformation").describe_stacks()["Stacks"]
        return [{"name": stack["StackName"], "status": stack["StackStatus"]} for stack in stacks]


def _check_accepted(verdict: dict[str, Any]) -> None:
    """The gate's refusal is a good end of the pipeline, but nothing would be released after it."""
    if not verdict["accepted"]:
        raise DemoError(f"the gate refused the model: {'; '.join(verdict['reasons'])}")

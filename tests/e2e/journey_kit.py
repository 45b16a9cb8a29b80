"""A stage of cdk.json as it is, on a cloud of its own, and what people do with it."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError
from embedded_cloud.cloud import Cloud

from bincount.stage.execution import Execution
from bincount.stage.stage import Stage
from demo.bins.generate import generate
from demo.cloud import BINCOUNT, run_sizes
from demo.dataset import Dataset
from demo.deployment import Deployment
from demo.source import Bin, read_bin, upload
from demo.weights import WeightsMirror
from infra.settings import Settings, load
from infra.tools.leftovers import keys_of, registry_of
from tests.e2e.api_kit import Api
from tests.infra.conftest import context

ROOT = Path(__file__).resolve().parents[2]
REPORTS = ROOT / "build" / "journeys"
IMAGES, UNSEEN = 300, 12
COUNTS = range(0, 6)


class Journey:
    """One stage, what it was given, and how long each state of each machine took."""

    def __init__(self, *, stage: str, cloud: Cloud, out: Path, mirror: WeightsMirror) -> None:
        self.stage = stage
        self.cloud = cloud
        self.out = out
        self.settings: Settings = load(context(stage=stage, **run_sizes(), **mirror.settings).get)
        self.declared: Settings = load(context(stage=stage).get)
        self._mirror = mirror
        self.deployment = self.deployment_with()
        self.outputs: dict[str, dict[str, str]] = {}
        self.packages: list[str] = []
        self._report: dict[str, Any] = {"stage": stage, "overrides": run_sizes(), "seconds": {}, "states": {}}

    def deployment_with(self, **overrides: str) -> Deployment:
        """The stage as it is, with further settings where a test changes one."""
        return Deployment(
            environment=self.cloud.environment(),
            out=self.out,
            overrides={**self._mirror.settings, **overrides},
            say=lambda _: None,
            stage=self.stage,
        )

    @contextmanager
    def timed(self, step: str) -> Iterator[None]:
        """Writes down how long the block took, and the report so far."""
        began = time.monotonic()
        yield
        self._report["seconds"][step] = round(time.monotonic() - began, 1)
        self.write_report()

    def write_report(self) -> None:
        """build/journeys/<stage>.json, and the same as a table in Markdown beside it."""
        REPORTS.mkdir(parents=True, exist_ok=True)
        (REPORTS / f"{self.stage}.json").write_text(json.dumps(self._report, indent=2) + "\n")
        rows = [f"| {self.stage} | {step} | {s:.1f} |" for step, s in self._report["seconds"].items()]
        for machine, states in self._report["states"].items():
            rows += [f"| {machine} | {state} | {s:.1f} |" for state, s in states.items()]
        table = "\n".join(["| of | step or state | seconds |", "|---|---|---|", *rows])
        (REPORTS / f"{self.stage}.md").write_text(table + "\n")

    def deploy(self) -> None:
        """`cdk deploy --all`."""
        self.outputs = self.deployment.deploy()

    def output(self, part: str, key: str) -> str:
        """An output of a part's stack."""
        return self.outputs[f"bincount-{self.stage}-{part}"][key]

    @property
    def name(self) -> str:
        """The endpoint's, and what every name of the stage begins with."""
        return f"bincount-{self.stage}"

    @property
    def bucket(self) -> str:
        """The stage's bucket."""
        return self.output("data", "BucketName")

    @property
    def api(self) -> Api:
        """The stage's API."""
        return Api(self.cloud, self.output("api", "ApiUrl"))

    def fill_source(self) -> None:
        """The public bucket; and bins that no pipeline has seen."""
        bins = self.out / "bins"
        generate(out=bins, images=IMAGES, seed=3, counts=COUNTS, tidy=True)
        upload(self.cloud.client("s3"), bins, progress=lambda done, all_: None)
        generate(out=self.out / "unseen", images=UNSEEN, seed=7, counts=COUNTS, tidy=True)

    def unseen(self) -> list[Bin]:
        """Bins that no pipeline has seen."""
        folder = self.out / "unseen"
        return [read_bin(folder, path.stem) for path in sorted(folder.glob("bin-images/*.jpg"))]

    def pipeline(self, *, name: str, **given: Any) -> dict[str, Any]:
        """One execution of the pipeline to its end; its output."""
        stepfunctions = self.cloud.client("stepfunctions")
        arn = stepfunctions.start_execution(
            stateMachineArn=self.output("training", "PipelineArn"), input=json.dumps(given)
        )["executionArn"]
        execution = self.follow(arn, name=name)
        output: dict[str, Any] = json.loads(execution.output)
        self.packages.append(output["model_package"])
        return output

    def follow(self, arn: str, *, name: str) -> Execution:
        """Waits for an execution's success; its states' seconds go into the report."""
        execution = Execution(client=self.cloud.client("stepfunctions"), arn=arn)
        list(execution.follow())
        self._report["states"][name] = execution.seconds()
        self.write_report()
        return execution

    def releases(self) -> list[str]:
        """The ARNs of all executions of the release machine, oldest first."""
        stepfunctions = self.cloud.client("stepfunctions")
        machine = self.output("serving", "ReleaseArn")
        found = stepfunctions.list_executions(stateMachineArn=machine)["executions"]
        return [item["executionArn"] for item in sorted(found, key=lambda item: item["startDate"])]

    def serve(self, version: int, *, name: str) -> None:
        """The newest package reaches the endpoint: by itself, or because a person approves it."""
        before = len(self.releases()) if self.settings.release.approval == "manual" else version - 1
        if self.settings.release.approval == "manual":
            self.bincount("models", "approve", str(version), "--note", "looked at its report", check=0)
        deadline = time.monotonic() + 120
        while len(found := self.releases()) <= before:
            assert time.monotonic() < deadline, "the approval has started no release"
            time.sleep(0.5)
        self.follow(found[before], name=name)

    def bincount(self, *arguments: str | Path, check: int | None = None) -> subprocess.CompletedProcess[str]:
        """`bincount … --stage <stage>` in a shell of somebody whose own account must not be touched."""
        environment = {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": f"{ROOT}/client:{ROOT}/core",
            "BINCOUNT_STAGE": self.stage,
            "BINCOUNT_CLOUD": str(self.out / "cloud" / "client.json"),
            "AWS_PROFILE": "somebody-else",
            "COLUMNS": "200",
        }
        return self._run([sys.executable, "-m", "bincount", *map(str, arguments)], environment, check)

    def infra(
        self, module: str, *arguments: str, typed: str = "", check: int = 0
    ) -> subprocess.CompletedProcess[str]:
        """`python -m infra.tools.<module> --stage <stage>`, as `make` calls it; it must exit with `check`."""
        command = [sys.executable, "-m", f"infra.tools.{module}", "--stage", self.stage, *arguments]
        return self._run(command, {**os.environ, **self.cloud.environment()}, check, typed=typed, folder=ROOT)

    def sizes(self) -> list[str]:
        """This machine's sizes, as a command of infra takes them."""
        return [word for pair in run_sizes().items() for word in ("-c", "=".join(pair))]

    def _run(
        self,
        command: list[str],
        environment: dict[str, str],
        check: int | None,
        *,
        typed: str = "",
        folder: Path | None = None,
    ) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            command, env=environment, cwd=folder or self.out, input=typed,
            capture_output=True, text=True, timeout=900, check=False,
        )  # fmt: skip
        assert "Traceback" not in done.stderr, done.stderr
        if check is not None:
            assert done.returncode == check, done.stdout + done.stderr
        return done

    def dataset(self) -> Dataset:
        """The newest dataset, as the demo reads it."""
        return Dataset(stage=Stage(self.stage, cloud=self.cloud.client_file))

    def approved_model(self) -> str:
        """What the stage's parameter names."""
        value = self.cloud.client("ssm").get_parameter(Name=f"/bincount/{self.stage}/model")
        model: str = value["Parameter"]["Value"]
        return model

    def model_of(self, package: str) -> str:
        """The model archive of a package."""
        found = self.cloud.client("sagemaker").describe_model_package(ModelPackageName=package)
        address: str = found["InferenceSpecification"]["Containers"][0]["ModelDataUrl"]
        return address

    def endpoint(self) -> dict[str, Any] | None:
        """The endpoint, or None where there is none."""
        try:
            return self.cloud.client("sagemaker").describe_endpoint(EndpointName=self.name)
        except ClientError as error:
            assert error.response["Error"]["Code"] == "ValidationException"
            return None

    def model_config(self) -> str:
        """The configuration of the endpoint, which must be in service."""
        endpoint = self.endpoint()
        assert endpoint is not None and endpoint["EndpointStatus"] == "InService"
        name: str = endpoint["EndpointConfigName"]
        return name

    def answers_rightly(self) -> float:
        """The share of unseen bins that the endpoint counts rightly."""
        runtime, bins = self.cloud.client("sagemaker-runtime"), self.unseen()
        counts = [
            json.loads(
                runtime.invoke_endpoint(EndpointName=self.name, ContentType="image/jpeg", Body=each.jpeg)[
                    "Body"
                ].read()
            )["count"]
            for each in bins
        ]
        return sum(c == each.count for c, each in zip(counts, bins, strict=True)) / len(bins)

    def buckets(self) -> list[str]:
        """The buckets of the stage that are there."""
        found = self.cloud.client("s3").list_buckets()["Buckets"]
        return [bucket["Name"] for bucket in found if bucket["Name"].startswith(f"{self.name}-")]

    def keys(self) -> list[str]:
        """The encryption keys that the stage made and that are not waiting for their deletion."""
        return keys_of(self.cloud.client("kms"), part=f"{self.name}-data/Key")

    def packages_kept(self) -> int:
        """How many model packages the registry holds; 0 where it is gone."""
        sagemaker = self.cloud.client("sagemaker")
        if registry_of(sagemaker, group=self.name) is None:
            return 0
        found = sagemaker.list_model_packages(ModelPackageGroupName=self.name)
        return len(found["ModelPackageSummaryList"])

    def logging_role(self) -> str:
        """The role with which API Gateway writes the logs of the whole account."""
        arn: str = self.cloud.client("apigateway").get_account()["cloudwatchRoleArn"]
        return arn.rsplit("/", 1)[-1]

    def stacks(self) -> dict[str, str]:
        """The stage's stacks and their status."""
        stacks = self.cloud.client("cloudformation").describe_stacks()["Stacks"]
        mine = (stack for stack in stacks if stack["StackName"].startswith(f"{self.name}-"))
        return {stack["StackName"]: stack["StackStatus"] for stack in mine}


@contextmanager
def journey_of(stage: str, out: Path) -> Iterator[Journey]:
    """A journey on a cloud of its own below `out`; the network's first weights come from a mirror."""
    arch = run_sizes()["training.arch"]
    with (
        WeightsMirror(ROOT / "build" / "weights", arch=arch) as mirror,
        Cloud(data_dir=out / "cloud", project=BINCOUNT) as cloud,
    ):
        yield Journey(stage=stage, cloud=cloud, out=out, mirror=mirror)

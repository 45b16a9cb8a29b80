"""`experiments`: what a stage with an MLflow has, and that a stage without one has nothing of it."""

import json
import re
from typing import Any

import pytest
from aws_cdk.assertions import Template
from botocore.credentials import Credentials
from embedded_cloud.stepfunctions.interpreter import ExecutionError

from bincount.errors import BincountError
from bincount.experiments.address import parse_address
from bincount.models.pipeline import result_lines
from infra.settings import SettingsError, load
from infra.settings.experiments import MLFLOW_ARN, MLFLOW_URL
from infra.shared.state_language import State
from tests.infra.conftest import context, synthesize
from tests.infra.machine_walk import Walk, walk
from tests.infra.machines import state_machine

PLACE = "sagemaker:us-east-1:123456789012"
APP = f"arn:aws:{PLACE}:mlflow-app/app-ABC123"
SERVER = f"arn:aws:{PLACE}:mlflow-tracking-server/team"
OTHER = "https://mlflow.example.com/team"
SECRET = "arn:aws:secretsmanager:us-east-1:123456789012:secret:mlflow-AbCdEf"
STORE = {"experiments.artifacts": "s3://ml-artifacts/mlflow"}
ARRIVED = {"candidate": {"training_job": "bins-dev-1-001"}, "model_package": "arn:package/1"}


def faults(**given: str) -> str:
    values = {f"experiments.{name}": value for name, value in given.items()}
    with pytest.raises(SettingsError) as raised:
        load(context(stage="dev", **values).get)
    return str(raised.value)


def test_a_wrong_mlflow_is_reported_before_anything_is_deployed() -> None:
    assert "experiments.mlflow" in faults(mlflow="http://mlflow.example.com")
    assert "experiments.mlflow" in faults(mlflow="https://user:word@mlflow.example.com")
    assert "ArtifactStoreUri" in faults(mlflow=APP)
    assert "experiments.secret" in faults(mlflow=APP, artifacts="s3://ml-artifacts", secret=SECRET)
    assert "experiments.mlflow too" in faults(artifacts="s3://ml-artifacts")


@pytest.mark.parametrize("address", [APP, SERVER, OTHER, "http://127.0.0.1:5000", "https://a.b:8443"])
def test_settings_and_client_take_the_same_addresses(address: str) -> None:
    store = STORE if address.startswith("arn:") else {}
    assert load(context(stage="dev", **{"experiments.mlflow": address}, **store).get).experiments.mlflow
    assert parse_address(address).url


@pytest.mark.parametrize(
    "address", ["http://mlflow.example.com", f"arn:aws:{PLACE}:endpoint/a", "mlruns", ""]
)
def test_settings_and_client_reject_the_same_addresses(address: str) -> None:
    assert not any(pattern_takes(pattern, address) for pattern in (MLFLOW_ARN, MLFLOW_URL))
    with pytest.raises(BincountError):
        parse_address(address)


def pattern_takes(pattern: str, text: str) -> bool:
    return re.fullmatch(pattern, text) is not None


@pytest.mark.parametrize(
    ("arn", "host", "header", "service"),
    [
        (APP, "https://mlflow.sagemaker.us-east-1.app.aws", "x-sm-mlflow-app-arn", "sagemaker"),
        (
            SERVER,
            "https://us-east-1.experiments.sagemaker.aws",
            "x-mlflow-sm-tracking-server-arn",
            "sagemaker-mlflow",
        ),
    ],
)
def test_sagemaker_is_asked_as_its_own_plugin_asks(arn: str, host: str, header: str, service: str) -> None:
    """Hosts, headers and services as sagemaker-mlflow 0.3.0 has them."""
    address = parse_address(arn)
    assert address.url == host
    headers = address.signed(
        method="POST", url=f"{host}/api/2.0/mlflow/runs/create", body=b"{}", headers={},
        credentials=lambda: Credentials("AKIAEXAMPLE", "secret", "session"),
    )  # fmt: skip
    assert headers[header] == arn
    signature = headers["Authorization"]
    assert f"/us-east-1/{service}/aws4_request" in signature
    assert header in signature and "x-amz-content-sha256" in signature


def training(**given: Any) -> Template:
    return synthesize("dev", **{f"experiments.{name}": value for name, value in given.items()})["training"]


@pytest.fixture(scope="module")
def with_app() -> Template:
    return training(mlflow=APP, artifacts="s3://ml-artifacts/mlflow")


def allowed(template: Template) -> dict[str, Any]:
    """Action -> resources of the function that logs runs."""
    found: dict[str, Any] = {}
    for name, policy in template.find_resources("AWS::IAM::Policy").items():
        if name.startswith("ExperimentsRole"):
            for statement in policy["Properties"]["PolicyDocument"]["Statement"]:
                actions = statement["Action"]
                for action in actions if isinstance(actions, list) else [actions]:
                    found[action] = statement["Resource"]
    return found


def test_a_stage_without_an_mlflow_has_nothing_of_it(templates: dict[str, dict[str, Template]]) -> None:
    text = json.dumps([template.to_json() for template in templates["dev"].values()])
    assert "Experiments" not in text and "LogRuns" not in text


def test_the_function_may_call_that_app_and_write_its_artifacts_alone(with_app: Template) -> None:
    found = allowed(with_app)
    assert found["sagemaker:CallMlflowAppApi"] == APP
    assert "ml-artifacts/mlflow/*" in json.dumps(found["s3:PutObject"])
    assert not any(resources == "*" for resources in found.values())
    assert not any(action.split(":")[1].startswith(("Delete", "Update")) for action in found)


def shown(found: Walk) -> dict[str, Any]:
    """The execution's output; the gate's figures are another test's."""
    return {name: value for name, value in found.output.items() if name != "verdict"}


class TestPipeline:
    """LogRuns comes after the registry, and never decides about the execution."""

    @staticmethod
    def walk(monkeypatch: pytest.MonkeyPatch, template: Template, answer: Any) -> Walk:
        machine: State = state_machine(template, "bincount-dev-pipeline")
        return walk(
            monkeypatch, machine, name="bincount-dev-pipeline", start="LogRuns",
            given={**ARRIVED, "verdict": {"accepted": True}}, answers={"LogRuns": answer},
        )  # fmt: skip

    def test_it_is_called_until_no_run_is_left(
        self, monkeypatch: pytest.MonkeyPatch, with_app: Template
    ) -> None:
        left = iter([2, 1, 0])

        def log(asked: Any) -> dict[str, Any]:
            assert asked == {"training_job": "bins-dev-1-001", "model_package": "arn:package/1"}
            return {"experiment": "bincount-dev", "logged": 3, "left": next(left)}

        found = self.walk(monkeypatch, with_app, log)
        assert found.states == ["LogRuns", "AreRunsLeft"] * 3 + ["IsAccepted", "Registered"]
        assert found.output["experiments"] == {"experiment": "bincount-dev", "logged": 3, "left": 0}
        assert "3 runs are in the MLflow experiment bincount-dev" in list(result_lines(shown(found)))

    @pytest.mark.parametrize("error", ["MlflowUnavailable", "RunsNotLogged", "Sandbox.Timedout"])
    def test_an_mlflow_that_is_down_fails_no_pipeline(
        self, monkeypatch: pytest.MonkeyPatch, with_app: Template, error: str
    ) -> None:
        asked: list[Any] = []

        def log(given: Any) -> Any:
            asked.append(given)
            raise ExecutionError(error, '{"errorMessage": "answered 503"}')

        found = self.walk(monkeypatch, with_app, log)
        assert found.states == ["LogRuns", "RunsNotLogged", "IsAccepted", "Registered"]
        assert found.error is None
        assert found.output["model_package"] == "arn:package/1"
        said = found.output["experiments"]
        assert error in said["not_logged"] and "answered 503" in said["not_logged"]
        assert said["later"] == "bincount runs --stage dev --log-to stage"
        *_, line = result_lines(shown(found))
        assert "answered 503" in line and line.endswith(said["later"])
        assert len(asked) == (7 if error == "MlflowUnavailable" else 1)

"""MLflow's REST API, as far as runs are written with it (version 2.0 of it, which MLflow 2 and 3 have).

mlflow.org/docs/latest/api_reference/rest-api.html; a test holds each request to MLflow's own definition.
The package `mlflow` is not used: with what it needs it has 850 MB, a Lambda may have 250.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar
from urllib.parse import quote, urlencode

import urllib3

from bincount.errors import BincountError
from bincount.experiments.address import Address
from bincount.stage.proxy import pool_for
from bincount.stage.stage import Stage
from bincount.texts import shortened

_RETRY = urllib3.Retry(
    status_forcelist=(429, 500, 502, 503, 504),
    allowed_methods=None,  # what is sent twice changes nothing, see log.py
    backoff_factor=0.5,
    respect_retry_after_header=False,
    raise_on_status=False,
)
_TIMEOUT = urllib3.Timeout(connect=10, read=60)
# "Request Limits" of the page above.
_MOST_METRICS, _MOST_PARAMS, _MOST_TAGS = 1000, 100, 100
TAG = "bincount.training_job"
_T = TypeVar("_T")


class MlflowUnavailable(BincountError):
    """The server did not answer, or with a fault of its own: trying again later may help."""


class MlflowRejected(BincountError):
    """The server answered that it does not take this; `code` is MLflow's word for why."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True, kw_only=True)
class MlflowRun:
    """A run as the server has it; `steps` is the last step of each metric."""

    id: str
    artifacts: str
    deleted: bool
    params: Mapping[str, str]
    tags: Mapping[str, str]
    steps: Mapping[str, int]


@dataclass(frozen=True, kw_only=True)
class Metric:
    """One value of a metric; `timestamp` in milliseconds since 1970."""

    key: str
    value: float
    step: int
    timestamp: int


class Mlflow:
    """The tracking server at `address`; requests are signed, where they are, as the caller of `stage`.

    A request without an answer is sent up to `patience` times more, with growing pauses.
    """

    def __init__(self, *, stage: Stage, address: Address, patience: int = 4) -> None:
        self._stage, self._address = stage, address
        self._pool = pool_for(
            address.url,
            proxied=not stage.is_embedded,
            retries=_RETRY.new(total=patience),
            timeout=_TIMEOUT,
            ca_certs=None if stage.is_embedded else stage.ca_bundle,
        )

    def experiment(self, name: str) -> str:
        """The id of the experiment of that name, which is made where there is none."""
        found = self._named(name)
        if found is None:
            try:
                return self._call("POST", "experiments/create", name=name)["experiment_id"]
            except MlflowRejected as error:
                if error.code != "RESOURCE_ALREADY_EXISTS":
                    raise
            found = self._named(name)  # another has made it meanwhile, or an answer was lost
        if found is None or found.get("lifecycle_stage") == "deleted":
            raise BincountError(
                f"the MLflow experiment {name} is deleted: restore it (`mlflow experiments restore`), or "
                "delete it for good (`mlflow gc`)"
            )
        return found["experiment_id"]

    def find_run(self, experiment: str, training_job: str) -> MlflowRun | None:
        """The run with that training job in its tag, a deleted one too; None where there is none.

        Two that logged at the same time may both have made one: the one with the lowest id stays.
        """
        answer = self._call(
            "POST",
            "runs/search",
            experiment_ids=[experiment],
            filter=f"tags.`{TAG}` = '{training_job}'",
            run_view_type="ALL",
            max_results=100,
        )
        found = sorted((_read(run) for run in answer.get("runs", [])), key=lambda run: (run.deleted, run.id))
        for double in found[1:]:
            if not double.deleted:
                self._call("POST", "runs/delete", run_id=double.id)
        return found[0] if found else None

    def create_run(self, experiment: str, training_job: str, *, started: int) -> MlflowRun:
        """A new run, or the one that another made meanwhile; `started` in milliseconds since 1970."""
        created = self._call(
            "POST",
            "runs/create",
            experiment_id=experiment,
            run_name=training_job,
            start_time=started,
            tags=_pairs({TAG: training_job}),
        )
        return self.find_run(experiment, training_job) or _read(created["run"])

    def log(
        self, run: str, *, metrics: Sequence[Metric] = (), params: Mapping[str, str], tags: Mapping[str, str]
    ) -> None:
        """Writes them; a parameter that is there already must not have another value."""
        for part in _parts(_pairs(params), _MOST_PARAMS):
            self._call("POST", "runs/log-batch", run_id=run, params=part)
        values = [
            {"key": each.key, "value": each.value, "timestamp": each.timestamp, "step": each.step}
            for each in metrics
        ]
        for part in _parts(values, _MOST_METRICS):
            self._call("POST", "runs/log-batch", run_id=run, metrics=part)
        for part in _parts(_pairs(tags), _MOST_TAGS):
            self._call("POST", "runs/log-batch", run_id=run, tags=part)

    def log_dataset(self, run: str, *, name: str, digest: str, source: str) -> None:
        """The dataset that the run was trained on; `source` is its address in S3."""
        dataset = {"name": name, "digest": digest, "source_type": "s3", "source": json.dumps({"uri": source})}
        tags = _pairs({"mlflow.data.context": "training"})
        self._call("POST", "runs/log-inputs", run_id=run, datasets=[{"tags": tags, "dataset": dataset}])

    def end_run(self, run: str, *, status: str, ended: int) -> None:
        """`status` is FINISHED, FAILED or KILLED; `ended` in milliseconds since 1970."""
        self._call("POST", "runs/update", run_id=run, status=status, end_time=ended)

    def put_artifact(self, run: MlflowRun, name: str, data: bytes) -> bool:
        """Uploads a file of the run. False where only the server's own machine could: nothing is uploaded."""
        scheme, _, place = run.artifacts.partition(":")
        if scheme == "s3":
            bucket, _, key = place.removeprefix("//").partition("/")
            client = self._stage.client("s3")
            client.put_object(Bucket=bucket, Key=f"{key.rstrip('/')}/{name}", Body=data)
            return True
        if scheme != "mlflow-artifacts" or place.startswith("//"):
            return False
        path = quote(f"{place.strip('/')}/{name}")
        self._send("PUT", f"/api/2.0/mlflow-artifacts/artifacts/{path}", data, "application/octet-stream")
        return True

    def _named(self, name: str) -> dict[str, Any] | None:
        try:
            return self._call("GET", "experiments/get-by-name", experiment_name=name)["experiment"]
        except MlflowRejected as error:
            if error.code != "RESOURCE_DOES_NOT_EXIST":
                raise
        return None

    def _call(self, method: str, verb: str, **members: Any) -> dict[str, Any]:
        path = f"/api/2.0/mlflow/{verb}"
        if method == "GET":
            return self._send(method, f"{path}?{urlencode(members, quote_via=quote)}", b"", None)
        return self._send(method, path, json.dumps(members).encode(), "application/json")

    def _send(self, method: str, path: str, body: bytes, media_type: str | None) -> dict[str, Any]:
        url = f"{self._address.url}{path}"
        headers = self._address.signed(
            method=method,
            url=url,
            body=body,
            headers={"Content-Type": media_type} if media_type else {},
            credentials=lambda: self._stage.credentials,
        )
        try:
            answer = self._pool.request(method, url, body=body or None, headers=headers)
        except urllib3.exceptions.HTTPError as error:
            reason = shortened(str(getattr(error, "reason", None) or error), 200)
            raise MlflowUnavailable(f"no answer from the MLflow at {self._address.url}: {reason}") from error
        text = answer.data.decode("utf-8", errors="replace")
        if answer.status == 429 or answer.status >= 500:
            raise MlflowUnavailable(
                f"the MLflow at {self._address.url} answered {answer.status}: {shortened(text, 200)}"
            )
        try:
            document: dict[str, Any] = json.loads(text or "{}")
        except ValueError:
            document = {}
            if answer.status < 400:
                raise MlflowRejected(
                    "NO_MLFLOW", f"{self._address.url} is no MLflow: it answered {shortened(text, 100)!r}"
                ) from None
        if answer.status >= 400:
            said = document.get("message") or shortened(text, 200)
            code = document.get("error_code") or str(answer.status)
            raise MlflowRejected(code, f"the MLflow at {self._address.url} answered {code} to {path}: {said}")
        return document


def _read(run: dict[str, Any]) -> MlflowRun:
    info, data = run["info"], run.get("data", {})
    return MlflowRun(
        id=info["run_id"],
        artifacts=info.get("artifact_uri", ""),
        deleted=info.get("lifecycle_stage") == "deleted",
        params={each["key"]: each.get("value", "") for each in data.get("params", [])},
        tags={each["key"]: each.get("value", "") for each in data.get("tags", [])},
        # Protobuf's JSON writes 64-bit numbers as texts, and leaves zeros out.
        steps={each["key"]: int(each.get("step", 0)) for each in data.get("metrics", [])},
    )


def _pairs(values: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"key": key, "value": value} for key, value in values.items()]


def _parts(values: Sequence[_T], most: int) -> Iterator[Sequence[_T]]:
    for first in range(0, len(values), most):
        yield values[first : first + most]

"""MLflow's tracking API in memory: what a real server does with the calls that bincount makes.

The proof (`make mlflow-proof`) runs the same tests against a real server, which keeps this one honest.
"""

import json
import re
import threading
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

Json = dict[str, Any]
_ARTIFACTS = "/api/2.0/mlflow-artifacts/artifacts/"


class Refusal(Exception):
    """An answer with MLflow's error code."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status, self.code = status, code


class MemoryMlflow:
    """Experiments, runs and artifacts."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._experiments: list[Json] = []
        self._runs: dict[str, Json] = {}
        self._curves: dict[tuple[str, str], list[Json]] = {}
        self._files: dict[str, bytes] = {}

    def ask(self, method: str, path: str, body: bytes) -> tuple[int, bytes]:
        """Status and body of the answer."""
        parts = urlsplit(path)
        with self._lock:
            if parts.path.startswith(_ARTIFACTS):
                return self._artifact(method, unquote(parts.path.removeprefix(_ARTIFACTS)), body)
            given = json.loads(body) if body else dict(parse_qsl(parts.query))
            verb = parts.path.removeprefix("/api/2.0/mlflow/").replace("/", "_").replace("-", "_")
            try:
                return 200, json.dumps(getattr(self, verb)(given)).encode()
            except Refusal as refusal:
                error = {"error_code": refusal.code, "message": str(refusal)}
                return refusal.status, json.dumps(error).encode()

    def _artifact(self, method: str, name: str, body: bytes) -> tuple[int, bytes]:
        if method == "PUT":
            self._files[name] = body
            return 200, b"{}"
        return (200, self._files[name]) if name in self._files else (404, b"{}")

    def experiments_create(self, given: Json) -> Json:
        """Rejects a name that is taken."""
        if any(each["name"] == given["name"] for each in self._experiments):
            raise Refusal(400, "RESOURCE_ALREADY_EXISTS", f"Experiment '{given['name']}' already exists.")
        number = str(len(self._experiments) + 1)
        self._experiments.append(
            {"experiment_id": number, "name": given["name"], "lifecycle_stage": "active"}
        )
        return {"experiment_id": number}

    def experiments_get_by_name(self, given: Json) -> Json:
        """Deleted ones too."""
        for each in self._experiments:
            if each["name"] == given["experiment_name"]:
                return {"experiment": each}
        raise Refusal(404, "RESOURCE_DOES_NOT_EXIST", f"Could not find experiment {given}")

    def runs_create(self, given: Json) -> Json:
        """A run may have any name; its tags are set with it."""
        number = f"{len(self._runs) + 1:032x}"
        info = {
            "run_id": number,
            "run_name": given["run_name"],
            "experiment_id": given["experiment_id"],
            "artifact_uri": f"mlflow-artifacts:/{given['experiment_id']}/{number}/artifacts",
            "lifecycle_stage": "active",
            "status": "RUNNING",
            "start_time": given["start_time"],
        }
        data: Json = {"metrics": [], "params": [], "tags": list(given["tags"])}
        self._runs[number] = {"info": info, "data": data, "inputs": {"dataset_inputs": []}}
        return {"run": self._runs[number]}

    def runs_search(self, given: Json) -> Json:
        """By one tag, or all of the experiments."""
        wanted = re.fullmatch(r"tags\.`(.+)` = '(.+)'", given.get("filter", ""))
        pair = {"key": wanted[1], "value": wanted[2]} if wanted else None
        view = given.get("run_view_type", "ACTIVE_ONLY")
        return {
            "runs": [
                run
                for run in self._runs.values()
                if run["info"]["experiment_id"] in given["experiment_ids"]
                and (pair is None or pair in run["data"]["tags"])
                and (view == "ALL" or run["info"]["lifecycle_stage"] == "active")
            ]
        }

    def runs_get(self, given: Json) -> Json:
        """Deleted ones too."""
        return {"run": self._run(given, deleted=True)}

    def runs_update(self, given: Json) -> Json:
        """Status and end."""
        info = self._run(given)["info"]
        info.update({name: given[name] for name in ("status", "end_time") if name in given})
        return {"run_info": info}

    def runs_delete(self, given: Json) -> Json:
        """It stays, marked as deleted."""
        self._run(given)["info"]["lifecycle_stage"] = "deleted"
        return {}

    def runs_log_batch(self, given: Json) -> Json:
        """Parameters never change; a value of a metric that is there is not added."""
        run = self._run(given)
        for param in given.get("params", []):
            there = {each["key"]: each["value"] for each in run["data"]["params"]}
            if there.get(param["key"], param["value"]) != param["value"]:
                raise Refusal(400, "INVALID_PARAMETER_VALUE", f"{param['key']} has another value already")
            if param["key"] not in there:
                run["data"]["params"].append(param)
        for metric in given.get("metrics", []):
            curve = self._curves.setdefault((run["info"]["run_id"], metric["key"]), [])
            if metric not in curve:
                curve.append(metric)
            newest = max(curve, key=lambda each: (each["step"], each["timestamp"], each["value"]))
            others = [each for each in run["data"]["metrics"] if each["key"] != metric["key"]]
            run["data"]["metrics"] = [*others, newest]
        for tag in given.get("tags", []):
            others = [each for each in run["data"]["tags"] if each["key"] != tag["key"]]
            run["data"]["tags"] = [*others, tag]
        return {}

    def runs_log_inputs(self, given: Json) -> Json:
        """A dataset that is there is not added."""
        inputs = self._run(given)["inputs"]["dataset_inputs"]
        inputs += [each for each in given["datasets"] if each not in inputs]
        return {}

    def metrics_get_history(self, given: Json) -> Json:
        """All values of a metric."""
        return {"metrics": self._curves.get((given["run_id"], given["metric_key"]), [])}

    def _run(self, given: Json, *, deleted: bool = False) -> Json:
        run = self._runs.get(given["run_id"])
        if run is None:
            raise Refusal(404, "RESOURCE_DOES_NOT_EXIST", f"Run with id={given['run_id']} not found")
        if not deleted and run["info"]["lifecycle_stage"] != "active":
            raise Refusal(400, "INVALID_PARAMETER_VALUE", "The run must be in the 'active' state.")
        return run

"""MLflow's store in plain files (`./mlruns`), which `mlflow ui` shows: runs on one machine, without a server.

The layout is that of mlflow/store/tracking/file_store.py (Apache-2.0). What MLflow keeps in YAML has one
member a line here, and texts in JSON's quotes, which are YAML's too. `make mlflow-proof` reads a store back
by MLflow itself.
"""

import hashlib
import json
import os
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from urllib.request import url2pathname

from bincount.errors import BincountError
from bincount.experiments.mlflow import TAG, Metric, MlflowRun

_META = "meta.yaml"
_DEFAULT = ("0", "Default")
"""MLflow makes this experiment with a store, and expects it."""
_STATUS = {"RUNNING": 1, "FINISHED": 3, "FAILED": 4, "KILLED": 5}
_LOCAL = 4  # SourceType in service.proto


class FileStore:
    """The store in `folder`, which is made with its first run; what Mlflow is for a server.

    The id of a run is `<experiment>/<run>`. It and that of an experiment follow from the name: two that log
    at the same time write the same files. Each file is replaced whole.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder.expanduser().absolute()

    def experiment(self, name: str) -> str:
        """The id of the experiment of that name, which is made where there is none."""
        for meta in (*self._folder.glob(f"*/{_META}"), *self._folder.glob(f".trash/*/{_META}")):
            found = _read_members(meta)
            if found.get("name") != name:
                continue
            if found.get("lifecycle_stage") == "deleted":
                raise BincountError(f"the MLflow experiment {name} is deleted: remove {meta.parent}")
            return meta.parent.name
        number = str(int(_digest(name)[:14], 16))
        for each, called in (_DEFAULT, (number, name)):
            if not (self._folder / each / _META).exists():
                self._make_experiment(each, called)
        return number

    def find_run(self, experiment: str, training_job: str) -> MlflowRun | None:
        """The run with that training job in its tag, a deleted one too; None where there is none."""
        for tag in sorted((self._folder / experiment).glob(f"*/tags/{TAG}")):
            folder = tag.parents[1]
            if tag.read_text(encoding="utf-8") == training_job and (folder / _META).exists():
                return _read_run(folder)
        return None

    def create_run(self, experiment: str, training_job: str, *, started: int) -> MlflowRun:
        """A new run; `started` in milliseconds since 1970."""
        number = _digest(f"{experiment}/{training_job}")
        folder = self._folder / experiment / number
        for kind in ("artifacts", "metrics", "params"):
            (folder / kind).mkdir(parents=True, exist_ok=True)
        self._write(folder / "tags", {TAG: training_job, "mlflow.runName": training_job})
        members: dict[str, Any] = {
            "artifact_uri": (folder / "artifacts").as_uri(),
            "deleted_time": None,
            "end_time": None,
            "entry_point_name": "",
            "experiment_id": experiment,
            "lifecycle_stage": "active",
            "run_id": number,
            "run_name": training_job,
            "run_uuid": number,
            "source_name": "",
            "source_type": _LOCAL,
            "source_version": "",
            "start_time": started,
            "status": _STATUS["RUNNING"],
            "tags": [],
            "user_id": "",
        }
        self._write_members(folder / _META, members)  # last: without it this is no run
        return _read_run(folder)

    def log(
        self, run: str, *, metrics: Sequence[Metric] = (), params: Mapping[str, str], tags: Mapping[str, str]
    ) -> None:
        """Writes them."""
        folder, lines = self._folder / run, dict[str, str]()
        for each in metrics:
            before = lines.get(each.key)
            if before is None:
                file = _below(folder / "metrics", each.key)
                before = file.read_text(encoding="utf-8") if file.exists() else ""
            lines[each.key] = f"{before}{each.timestamp} {each.value} {each.step}\n"
        self._write(folder / "params", params)
        self._write(folder / "metrics", lines)
        self._write(folder / "tags", tags)

    def log_dataset(self, run: str, *, name: str, digest: str, source: str) -> None:
        """The dataset that the run was trained on; `source` is its address in S3."""
        folder = self._folder / run
        dataset, number = _digest(f"{name}{digest}"), folder.name
        members: dict[str, Any] = {
            "digest": digest,
            "name": name,
            "profile": None,
            "schema": None,
            "source": json.dumps({"uri": source}),
            "source_type": "s3",
        }
        self._write_members(folder.parent / "datasets" / dataset / _META, members)
        members = {
            "destination_id": number,
            "destination_type": "RUN",
            "source_id": dataset,
            "source_type": "DATASET",
            "tags": {"mlflow.data.context": "training"},
        }
        self._write_members(folder / "inputs" / _digest(f"{dataset}{number}") / _META, members)

    def end_run(self, run: str, *, status: str, ended: int) -> None:
        """`status` is FINISHED, FAILED or KILLED; `ended` in milliseconds since 1970."""
        meta = self._folder / run / _META
        self._write_members(meta, _read_members(meta) | {"status": _STATUS[status], "end_time": ended})

    def put_artifact(self, run: MlflowRun, name: str, data: bytes) -> bool:
        """Writes a file of the run. False where its artifacts are not in files: nothing is written."""
        if not run.artifacts.startswith("file:"):
            return False
        self._replace(_below(Path(url2pathname(urlsplit(run.artifacts).path)), name), data)
        return True

    def _make_experiment(self, number: str, name: str) -> None:
        now = round(time.time() * 1000)
        members: dict[str, Any] = {
            "artifact_location": (self._folder / number).as_uri(),
            "creation_time": now,
            "experiment_id": number,
            "last_update_time": now,
            "lifecycle_stage": "active",
            "name": name,
        }
        self._write_members(self._folder / number / _META, members)

    def _write_members(self, meta: Path, members: Mapping[str, Any]) -> None:
        lines = (f"{key}: {json.dumps(value)}\n" for key, value in members.items())
        self._replace(meta, "".join(lines).encode())

    def _write(self, folder: Path, texts: Mapping[str, str]) -> None:
        for key, text in texts.items():
            self._replace(_below(folder, key), text.encode())

    def _replace(self, path: Path, data: bytes) -> None:
        """What a kill leaves half written lies where MLflow looks for no metric and no tag."""
        path.parent.mkdir(parents=True, exist_ok=True)
        half = self._folder / f".half-{os.getpid()}"
        half.write_bytes(data)
        half.replace(path)


def _read_run(folder: Path) -> MlflowRun:
    members = _read_members(folder / _META)
    return MlflowRun(
        id=f"{folder.parent.name}/{folder.name}",
        artifacts=str(members.get("artifact_uri", "")),
        deleted=members.get("lifecycle_stage") == "deleted",
        params=_read(folder / "params"),
        tags=_read(folder / "tags"),
        steps={
            key: max(int(line.split()[2]) for line in text.splitlines())
            for key, text in _read(folder / "metrics").items()
        },
    )


def _digest(text: str) -> str:
    """32 hex digits, as MLflow's ids have."""
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def _read(folder: Path) -> dict[str, str]:
    """Each file below the folder under its name, in which slashes are folders."""
    files = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_text(encoding="utf-8") for path in files}


def _below(folder: Path, name: str) -> Path:
    if name.startswith("/") or any(part in ("", ".", "..") for part in name.split("/")):
        raise BincountError(f"{name[:80]!r} is no name in an MLflow store")
    return folder / name


def _read_members(meta: Path) -> dict[str, Any]:
    """The members of a file that this module wrote, or MLflow again."""
    lines = (line.partition(":") for line in meta.read_text(encoding="utf-8").splitlines())
    return {key: _value(text.strip()) for key, _, text in lines}


def _value(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text.strip("'")  # YAML's text without quotes, or in its single ones

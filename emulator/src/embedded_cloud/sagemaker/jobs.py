"""What training, processing and transform jobs share: a name, a thread, an end."""

import threading
from collections.abc import Callable
from typing import Any, Generic, Protocol, TypeVar

from embedded_cloud.errors import AwsError, validation_error
from embedded_cloud.sagemaker.store import ErrorOfName, Record, Resources


class Run(Protocol):
    """One run of one job. `ended` is set at its end, however it ends."""

    ended: threading.Event

    def run(self) -> None:
        """Does the job, in a thread of its own."""

    def stop(self) -> None:
        """Ends it as StopXJob does."""

    def abandon(self) -> None:
        """Ends it with the cloud."""


AnyRun = TypeVar("AnyRun", bound=Run)


_NOT_FOUND = "Requested resource not found."
_AWSS_WORDS = {
    "TrainingJob": ("ValidationException", _NOT_FOUND, "Training job names", "a training job"),
    "ProcessingJob": (
        "ValidationException", "Could not find requested job with name: {name}", "Job name", "a job",
    ),
    "TransformJob": ("ResourceNotFound", _NOT_FOUND, "Job names", "a job"),
}  # fmt: skip
"""Code and text of the error about a job that is not there; how the one about a taken name begins."""


class Jobs(Resources, Generic[AnyRun]):
    """Jobs of one `kind` (TrainingJob, ProcessingJob, …); each runs in a thread of its own."""

    def __init__(self, *, kind: str, descending: bool = False) -> None:
        self._runs: dict[str, AnyRun] = {}
        self._closed = False
        code, missing, names, one = _AWSS_WORDS[kind]
        taken = f"{names} must be unique within an AWS account and region, and {one} with this name already "
        super().__init__(
            kind=kind,
            missing=ErrorOfName(code, missing),
            taken=ErrorOfName("ResourceInUse", f"{taken}exists ({{arn}})"),
            listed=f"{kind}Summaries",
            statuses=True,
            descending=descending,
        )
        self.operations[f"Stop{kind}"] = self.stop

    def _new(self, request: dict[str, Any], **members: Any) -> Record:
        """The record of a job that begins now."""
        return super()._new(request, **{f"{self._kind}Status": "InProgress"}, **members)

    def _start(self, record: Record, make_run: Callable[[], AnyRun]) -> Record:
        """Keeps the record, which the run keeps up to date, and lets the run begin."""
        if self._closed:
            raise AwsError("ResourceLimitExceeded", "The embedded cloud is shutting down: no new jobs.")
        name = record[self._name_key]
        self.store.add(name, record)
        run = self._runs[name] = make_run()
        threading.Thread(target=run.run, name=f"{self._kind}-{name}", daemon=True).start()
        return record

    def stop(self, request: dict[str, Any]) -> dict[str, Any]:
        """Asks a job to stop; a job that has ended is refused, as on AWS."""
        record = self.store.get(request[self._name_key])
        status = record[f"{self._kind}Status"]
        if status not in ("InProgress", "Stopping"):
            what = self._kind.removesuffix("Job").lower()
            raise validation_error(f"The request was rejected because the {what} job is in status {status}.")
        self._runs[record[self._name_key]].stop()
        return {}

    def close(self) -> None:
        """Ends every job and waits until each has ended."""
        self._closed = True
        for run in self._runs.values():
            run.abandon()
        for run in self._runs.values():
            run.ended.wait(timeout=10)

"""What training, processing and transform jobs share: a name, a thread, an end."""

import threading
from collections.abc import Callable
from typing import Any, Generic, Protocol, TypeVar

from embedded_cloud.errors import AwsError, validation_error
from embedded_cloud.sagemaker.store import Operations, Record, Store, page_of


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


class Jobs(Generic[AnyRun]):
    """Jobs of one `kind` (Training, Processing, Transform); each runs in a thread of its own."""

    def __init__(self, *, kind: str, store: Store, descending: bool = False) -> None:
        self._kind = kind
        self._name_key, self._status_key = f"{kind}JobName", f"{kind}JobStatus"
        self._descending = descending
        self._runs: dict[str, AnyRun] = {}
        self._closed = False
        self.store = store
        self.operations: Operations = {
            f"Describe{kind}Job": lambda request: self.store.get(request[self._name_key]),
            f"Stop{kind}Job": self.stop,
            f"List{kind}Jobs": self.list,
        }

    def _start(self, record: Record, make_run: Callable[[], AnyRun]) -> Record:
        """Keeps the record, which the run keeps up to date, and lets the run begin."""
        if self._closed:
            raise AwsError("ResourceLimitExceeded", "The embedded cloud is shutting down: no new jobs.")
        name = record[self._name_key]
        self.store.add(name, record)
        run = self._runs[name] = make_run()
        thread = f"{self._kind.lower()}-job-{name}"
        threading.Thread(target=run.run, name=thread, daemon=True).start()
        return record

    def stop(self, request: dict[str, Any]) -> dict[str, Any]:
        """Asks a job to stop; a job that has ended is refused, as on AWS."""
        record = self.store.get(request[self._name_key])
        status = record[self._status_key]
        if status not in ("InProgress", "Stopping"):
            raise validation_error(
                f"The request was rejected because the {self._kind.lower()} job is in status {status}."
            )
        self._runs[record[self._name_key]].stop()
        return {}

    def list(self, request: dict[str, Any]) -> dict[str, Any]:
        """A page of jobs."""
        return page_of(
            self.store.all(),
            request,
            member=f"{self._kind}JobSummaries",
            name_key=self._name_key,
            status_key=self._status_key,
            descending=self._descending,
        )

    def close(self) -> None:
        """Ends every job and waits until each has ended."""
        self._closed = True
        for run in self._runs.values():
            run.abandon()
        for run in self._runs.values():
            run.ended.wait(timeout=10)

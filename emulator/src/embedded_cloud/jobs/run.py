"""What the runs of training, processing and batch transform jobs share: how one ends, and its program."""

import logging
import os
import sys
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

from embedded_cloud.aws import Aws
from embedded_cloud.jobs.output import LogStream
from embedded_cloud.processes import GuardedProcess
from embedded_cloud.settings import Settings

_LOG = logging.getLogger("embedded_cloud.jobs")
_POLL_SECONDS = 0.1
DEFAULT_MAX_RUNTIME = 86_400
INTERRUPTED = "Interrupted"


class JobFailure(Exception):
    """Ends a job as Failed; its text becomes FailureReason (at most 1,024 characters, as on AWS)."""

    @property
    def reason(self) -> str:
        """The text, shortened to what FailureReason may hold."""
        return str(self)[:1024]


def container_environment(*, home: Path, temporary: Path) -> dict[str, str]:
    """What every program finds that runs in place of a container; this interpreter's folder is first in PATH,
    so that `python` and `pip` are those that hold the dependencies.
    """
    return {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.defpath}",
        "HOME": str(home),
        "TMPDIR": str(temporary),
        "LANG": "C.UTF-8",
        "PYTHONUNBUFFERED": "1",
        "PYTHONDONTWRITEBYTECODE": "1",
    }


class JobRun(ABC):
    """Runs a job once; keeps `record` (what Describe<kind>Job answers) up to date, sets `ended` at the end.

    A subclass does the job in `_do`, which returns how it ended: Completed, Stopped, or a word of its own
    that `_conclude` turns into one of them.
    """

    kind: ClassVar[str]
    """Training, Processing or Transform: the names of the record begin with it."""

    def __init__(self, *, record: dict[str, Any], settings: Settings, aws: Aws) -> None:
        self.ended = threading.Event()
        self._record = record
        self._settings = settings
        self._aws = aws
        self._name: str = record[f"{self.kind}JobName"]
        self._stop = threading.Event()
        self._abandon = threading.Event()

    def stop(self) -> None:
        """Asks the job to stop."""
        self._record[f"{self.kind}JobStatus"] = "Stopping"
        self._stop.set()

    def abandon(self) -> None:
        """Ends the job at once and keeps nothing; for the end of the whole cloud."""
        self._abandon.set()

    def run(self) -> None:
        """Does everything; never raises, since a fault of ours is the job's InternalServerError."""
        try:
            outcome = self._do()
        except JobFailure as failure:
            outcome = self._failed(failure.reason)
        except Exception as error:
            _LOG.exception("%s job %s", self.kind.lower(), self._name)
            outcome = self._failed(f"InternalServerError: {error!r}"[:1024])
        status = self._conclude(outcome)
        self._record[f"{self.kind}EndTime"] = time.time()
        # The status last: whoever waits for it finds all the rest.
        self._record[f"{self.kind}JobStatus"] = status
        self.ended.set()

    @abstractmethod
    def _do(self) -> str:
        """The job's life; returns how it ended. Raises JobFailure."""

    def _conclude(self, outcome: str) -> str:
        """Completes the record; returns the job's last status."""
        return outcome

    def _failed(self, reason: str) -> str:
        self._record["FailureReason"] = reason
        return "Failed"


class ProgramRun(JobRun):
    """A job that is one program, which is run to its end with its output in CloudWatch Logs."""

    def __init__(self, *, record: dict[str, Any], settings: Settings, aws: Aws) -> None:
        super().__init__(record=record, settings=settings, aws=aws)
        self._interrupted = threading.Event()

    def _run_program(
        self, *, command: Sequence[str], environment: Mapping[str, str], directory: Path
    ) -> str | None:
        """Returns why we ended it (Stopped, MaxRuntimeExceeded, INTERRUPTED), or None where it ended well.

        Raises JobFailure where it failed, and at the end of the whole cloud.
        """
        log = LogStream(
            logs=self._aws.client("logs"),
            group=f"/aws/sagemaker/{self.kind}Jobs",
            stream=f"{self._name}/algo-1-{int(time.time())}",
        )
        process = GuardedProcess(command=command, environment=environment, directory=directory)
        pump = threading.Thread(target=self._copy_output, args=(process, log), daemon=True)
        pump.start()
        why = self._watch(process)
        code = process.wait()
        pump.join(timeout=10)
        log.close()
        if why != INTERRUPTED:
            self._tick(last=True)
        if why is None and code != 0:
            raise JobFailure(f"AlgorithmError: {self._last_words(log)[-900:]}, exit code: {code}")
        return why

    def _watch(self, process: GuardedProcess) -> str | None:
        """Waits for the end; ends the process where it must."""
        limit = self._record.get("StoppingCondition", {}).get("MaxRuntimeInSeconds", DEFAULT_MAX_RUNTIME)
        deadline = time.monotonic() + limit
        while process.wait(timeout=_POLL_SECONDS) is None:
            if self._abandon.is_set():
                process.kill()
                raise JobFailure("InternalServerError: the embedded cloud was shut down")
            if self._stop.is_set() or time.monotonic() > deadline:
                process.stop(grace=self._settings.stop_grace_seconds)
                return "Stopped" if self._stop.is_set() else "MaxRuntimeExceeded"
            if self._interrupted.is_set():
                self._interrupted.clear()
                process.kill()
                return INTERRUPTED
            self._tick(last=False)
        return None

    def _tick(self, *, last: bool) -> None:
        """Called while the program runs, and once after it, unless its instance was taken away."""

    def _heard(self, line: str) -> None:
        """A line of the program's output."""

    def _last_words(self, log: LogStream) -> str:
        """Why the program failed."""
        return log.tail_text()

    def _copy_output(self, process: GuardedProcess, log: LogStream) -> None:
        for raw in process.output:
            line = raw.decode("utf-8", errors="replace").rstrip("\r\n")
            log.write(line)
            self._heard(line)

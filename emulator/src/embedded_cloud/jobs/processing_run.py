"""One run of one processing job, from its record to its end."""

import logging
import os
import sys
import threading
import time
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from embedded_cloud.aws import Aws, split_s3_uri
from embedded_cloud.jobs.channels import download_prefix
from embedded_cloud.jobs.failure import JobFailure
from embedded_cloud.jobs.job_files import JobFiles
from embedded_cloud.jobs.log_stream import LogStream
from embedded_cloud.processes import GuardedProcess
from embedded_cloud.settings import Settings

_LOG = logging.getLogger("embedded_cloud.jobs")
_POLL_SECONDS = 0.1
ROOT = "/opt/ml/processing"
DEFAULT_MAX_RUNTIME = 86_400


class ProcessingRun:
    """Runs a job once; keeps `record` (DescribeProcessingJob's answer) up to date, sets `ended` at the end.

    The image's command runs in the project's folder, with `/opt/ml/…` in its arguments and environment
    mapped to the job's folder. How it ends: Completed; Failed with FailureReason; Stopped.
    """

    def __init__(self, *, record: dict[str, Any], settings: Settings, aws: Aws) -> None:
        self.ended = threading.Event()
        self._record = record
        self._settings = settings
        self._aws = aws
        self._name: str = record["ProcessingJobName"]
        self._stop = threading.Event()
        self._abandon = threading.Event()
        self._files = JobFiles(settings.jobs_dir / f"processing-{self._name}")

    def stop(self) -> None:
        """Asks the job to stop; nothing of it is kept."""
        self._record["ProcessingJobStatus"] = "Stopping"
        self._stop.set()

    def abandon(self) -> None:
        """Ends the job at once and keeps nothing; for the end of the whole cloud."""
        self._abandon.set()

    def run(self) -> None:
        """Does everything; never raises, since a fault of ours is the job's InternalServerError."""
        try:
            status = self._do()
        except JobFailure as failure:
            self._record["FailureReason"] = failure.reason
            status = "Failed"
        except Exception as error:
            _LOG.exception("processing job %s", self._name)
            self._record["FailureReason"] = f"InternalServerError: {error!r}"[:1024]
            status = "Failed"
        message = self._files.root / "output" / "message"
        if message.is_file():
            self._record["ExitMessage"] = message.read_text(encoding="utf-8", errors="replace")[:1024]
        self._record["ProcessingEndTime"] = self._record["LastModifiedTime"] = time.time()
        self._record["ProcessingJobStatus"] = status
        self.ended.set()

    def _do(self) -> str:
        """The job's life; returns its last status."""
        self._files.make()
        s3 = self._aws.client("s3", role=self._record["RoleArn"])
        for item in self._record.get("ProcessingInputs", []):
            self._download(item, s3)
        outputs = self._record.get("ProcessingOutputConfig", {}).get("Outputs", [])
        for item in outputs:
            self._files.local_path(item["S3Output"]["LocalPath"]).mkdir(parents=True, exist_ok=True)
        self._record["ProcessingStartTime"] = time.time()
        self._process()
        if self._stop.is_set():
            return "Stopped"
        for item in outputs:
            self._upload(item["S3Output"], s3)
        return "Completed"

    def _download(self, item: dict[str, Any], s3: Any) -> None:
        source = item.get("S3Input", {})
        uri = source.get("S3Uri", "")
        if source.get("S3DataType") != "S3Prefix":
            raise JobFailure(
                f"ClientError: input {item['InputName']}: the embedded cloud reads S3Prefix only"
            )
        try:
            count = download_prefix(uri, target=self._files.local_path(source["LocalPath"]), s3=s3)
        except (ClientError, ValueError) as error:
            raise JobFailure(f"ClientError: Data download failed for {uri}: {error}") from error
        if count == 0:
            raise JobFailure(
                f'ClientError: Data download failed: No S3 objects found under S3 URL "{uri}" given in '
                "input data source. Please ensure that the bucket exists and that objects exist under it."
            )

    def _process(self) -> None:
        log = LogStream(
            logs=self._aws.client("logs"),
            group="/aws/sagemaker/ProcessingJobs",
            stream=f"{self._name}/algo-1-{int(time.time())}",
        )
        process = GuardedProcess(
            command=self._command(), environment=self._environment(), directory=self._settings.project.folder
        )
        pump = threading.Thread(target=_copy_output, args=(process, log), daemon=True)
        pump.start()
        self._watch(process)
        code = process.wait()
        pump.join(timeout=10)
        log.close()
        if code != 0 and not self._stop.is_set():
            raise JobFailure(f"AlgorithmError: {log.tail_text()[-900:]}, exit code: {code}")

    def _watch(self, process: GuardedProcess) -> None:
        """Waits for the end; ends the process where it must."""
        condition = self._record.get("StoppingCondition", {})
        deadline = time.monotonic() + condition.get("MaxRuntimeInSeconds", DEFAULT_MAX_RUNTIME)
        while process.wait(timeout=_POLL_SECONDS) is None:
            if self._abandon.is_set():
                process.kill()
                raise JobFailure("InternalServerError: the embedded cloud was shut down")
            if self._stop.is_set():
                process.stop(grace=self._settings.stop_grace_seconds)
            elif time.monotonic() > deadline:
                process.stop(grace=self._settings.stop_grace_seconds)
                raise JobFailure("ClientError: Job exceeded MaxRuntimeInSeconds and was stopped")

    def _command(self) -> list[str]:
        application = self._record["AppSpecification"]
        words = application["ContainerEntrypoint"] + application.get("ContainerArguments", [])
        return [self._files.localised(word) for word in words]

    def _environment(self) -> dict[str, str]:
        """The container's environment; this interpreter's folder is first in PATH, so that it is `python`."""
        own = {
            key: self._files.localised(value) for key, value in self._record.get("Environment", {}).items()
        }
        return {
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.defpath}",
            "HOME": str(self._files.root),
            "TMPDIR": str(self._files.temporary),
            "LANG": "C.UTF-8",
            "PYTHONPATH": self._settings.project.python_path_variable,
            "PYTHONUNBUFFERED": "1",
            "PYTHONDONTWRITEBYTECODE": "1",
            "PROCESSING_JOB_NAME": self._name,
            **self._aws.environment(role=self._record["RoleArn"], session=self._name),
            **own,
        }

    def _upload(self, output: dict[str, Any], s3: Any) -> None:
        bucket, prefix = split_s3_uri(output["S3Uri"].rstrip("/") + "/")
        folder = self._files.local_path(output["LocalPath"])
        try:
            for path in sorted(path for path in folder.rglob("*") if path.is_file()):
                s3.upload_file(str(path), bucket, prefix + path.relative_to(folder).as_posix())
        except ClientError as error:
            raise JobFailure(f"ClientError: Upload failed to {output['S3Uri']}: {error}") from error


def _copy_output(process: GuardedProcess, log: LogStream) -> None:
    for line in process.output:
        log.write(line.decode("utf-8", errors="replace").rstrip("\r\n"))

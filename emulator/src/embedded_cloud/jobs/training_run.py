"""One run of one training job, from its record to its end."""

import logging
import threading
import time
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from embedded_cloud.aws import Aws
from embedded_cloud.jobs.artifacts import upload_archive
from embedded_cloud.jobs.channels import download_channel
from embedded_cloud.jobs.checkpoints import DEFAULT_LOCAL_PATH, CheckpointSync
from embedded_cloud.jobs.container import own_command
from embedded_cloud.jobs.failure import JobFailure
from embedded_cloud.jobs.job_files import JobFiles
from embedded_cloud.jobs.log_stream import LogStream
from embedded_cloud.jobs.metrics import MetricScanner
from embedded_cloud.jobs.toolkit import toolkit_command, toolkit_environment
from embedded_cloud.processes import GuardedProcess
from embedded_cloud.settings import Settings

_LOG = logging.getLogger("embedded_cloud.jobs")
_CHECKPOINT_SECONDS = 2.0
_POLL_SECONDS = 0.1
DEFAULT_MAX_RUNTIME = 86_400


class TrainingRun:
    """Runs a job once; keeps `record` (what DescribeTrainingJob answers) up to date and sets "
    "`ended` at the end.

    How it ends: Completed; Failed with FailureReason; Stopped (asked to, or MaxRuntimeExceeded).
    """

    def __init__(self, *, record: dict[str, Any], settings: Settings, aws: Aws) -> None:
        self.ended = threading.Event()
        self._record = record
        self._settings = settings
        self._aws = aws
        self._name: str = record["TrainingJobName"]
        self._stop = threading.Event()
        self._abandon = threading.Event()
        self._files = JobFiles(settings.jobs_dir / self._name)
        self._metrics = MetricScanner(record["AlgorithmSpecification"].get("MetricDefinitions", []))

    def stop(self) -> None:
        """Asks the job to stop; what it has made so far is kept."""
        self._record.update(TrainingJobStatus="Stopping")
        self._enter("Stopping", "Stopping the training job")
        self._stop.set()

    def abandon(self) -> None:
        """Ends the job at once and keeps nothing; for the end of the whole cloud."""
        self._abandon.set()

    def run(self) -> None:
        """Does everything; never raises, since a fault of ours is the job's InternalServerError."""
        self._enter("Starting", "Preparing the instances for training")
        try:
            secondary = self._do()
        except JobFailure as failure:
            self._record.update(TrainingJobStatus="Failed", FailureReason=failure.reason)
            self._enter("Failed", failure.reason)
        except Exception as error:
            _LOG.exception("training job %s", self._name)
            self._record.update(
                TrainingJobStatus="Failed", FailureReason=f"InternalServerError: {error!r}"[:1024]
            )
            self._enter("Failed", "Internal error of the embedded cloud")
        else:
            self._record["TrainingJobStatus"] = "Completed" if secondary == "Completed" else "Stopped"
            self._enter(secondary, f"Training job {secondary.lower()}")
        self._record["TrainingEndTime"] = self._record["LastModifiedTime"] = time.time()
        self._close_transition()
        self.ended.set()

    def _do(self) -> str:
        """The job's life; returns its last secondary status."""
        self._files.make()
        self._files.write_config(self._record)
        s3 = self._aws.client("s3", role=self._record["RoleArn"])
        self._enter("Downloading", "Downloading input data")
        for channel in self._record.get("InputDataConfig", []):
            download_channel(channel, target=self._files.input_data / channel["ChannelName"], s3=s3)
        checkpoints = self._checkpoints(s3)
        if checkpoints:
            checkpoints.restore()
        if self._stop.is_set():
            return "Stopped"
        self._record["TrainingStartTime"] = time.time()
        self._enter("Training", "Training image download completed. Training in progress.")
        try:
            secondary = self._train(checkpoints)
        except JobFailure:
            self._upload_output(s3)
            raise
        self._enter("Uploading", "Uploading generated training model")
        self._upload_model(s3)
        self._upload_output(s3)
        return secondary

    def _train(self, checkpoints: CheckpointSync | None) -> str:
        log = LogStream(
            logs=self._aws.client("logs"),
            group="/aws/sagemaker/TrainingJobs",
            stream=f"{self._name}/algo-1-{int(time.time())}",
        )
        process = GuardedProcess(
            command=own_command(self._record, self._files) or toolkit_command(),
            environment=toolkit_environment(record=self._record, files=self._files, aws=self._aws),
            directory=self._files.root,
        )
        pump = threading.Thread(target=self._copy_output, args=(process, log), daemon=True)
        pump.start()
        why = self._watch(process, checkpoints)
        code = process.wait()
        pump.join(timeout=10)
        log.close()
        if checkpoints:
            checkpoints.push()
        if why is None and code != 0:
            raise JobFailure(self._failure_reason(code, log))
        return why or "Completed"

    def _watch(self, process: GuardedProcess, checkpoints: CheckpointSync | None) -> str | None:
        """Waits for the end; ends the process where it must. Returns why we ended it, or None where it
        ended.
        """
        limit = self._record.get("StoppingCondition", {}).get("MaxRuntimeInSeconds", DEFAULT_MAX_RUNTIME)
        deadline = time.monotonic() + limit
        next_push = time.monotonic() + _CHECKPOINT_SECONDS
        while process.wait(timeout=_POLL_SECONDS) is None:
            if self._abandon.is_set():
                process.kill()
                raise JobFailure("InternalServerError: the embedded cloud was shut down")
            if self._stop.is_set() or time.monotonic() > deadline:
                process.stop(grace=self._settings.stop_grace_seconds)
                return "Stopped" if self._stop.is_set() else "MaxRuntimeExceeded"
            if checkpoints and time.monotonic() > next_push:
                checkpoints.push()
                next_push = time.monotonic() + _CHECKPOINT_SECONDS
        return None

    def _copy_output(self, process: GuardedProcess, log: LogStream) -> None:
        for raw in process.output:
            line = raw.decode("utf-8", errors="replace").rstrip("\r\n")
            log.write(line)
            self._metrics.scan(line)
            final = self._metrics.final()
            if final:
                self._record["FinalMetricDataList"] = final

    def _failure_reason(self, code: int | None, log: LogStream) -> str:
        if self._files.failure.is_file():
            text = self._files.failure.read_text(encoding="utf-8", errors="replace")[:900]
        else:
            text = log.tail_text()[-900:]
        return f"AlgorithmError: {text}, exit code: {code}"

    def _checkpoints(self, s3: Any) -> CheckpointSync | None:
        config = self._record.get("CheckpointConfig")
        if not config:
            return None
        folder = self._files.local_path(config.get("LocalPath", DEFAULT_LOCAL_PATH))
        return CheckpointSync(uri=config["S3Uri"], folder=folder, s3=s3)

    def _upload_model(self, s3: Any) -> None:
        uri = self._output_uri("model.tar.gz")
        self._upload(self._files.model, uri, s3)
        self._record["ModelArtifacts"] = {"S3ModelArtifacts": uri}

    def _upload_output(self, s3: Any) -> None:
        if any(self._files.output_data.iterdir()):
            self._upload(self._files.output_data, self._output_uri("output.tar.gz"), s3)

    def _upload(self, folder: Path, uri: str, s3: Any) -> None:
        archive = self._files.temporary / uri.rsplit("/", 1)[-1]
        try:
            upload_archive(folder=folder, archive=archive, uri=uri, s3=s3)
        except (ClientError, ValueError) as error:
            raise JobFailure(f"ClientError: Artifact upload failed to {uri}: {error}") from error

    def _output_uri(self, file: str) -> str:
        return f"{self._record['OutputDataConfig']['S3OutputPath'].rstrip('/')}/{self._name}/output/{file}"

    def _enter(self, status: str, message: str) -> None:
        """Moves to the next secondary status."""
        self._close_transition()
        now = time.time()
        self._record["SecondaryStatusTransitions"].append(
            {"Status": status, "StartTime": now, "StatusMessage": message}
        )
        self._record.update(SecondaryStatus=status, LastModifiedTime=now)

    def _close_transition(self) -> None:
        transitions = self._record["SecondaryStatusTransitions"]
        if transitions:
            transitions[-1].setdefault("EndTime", time.time())

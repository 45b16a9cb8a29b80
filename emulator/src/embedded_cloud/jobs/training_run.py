"""One run of one training job, from its record to its end."""

import time
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from embedded_cloud.aws import Aws
from embedded_cloud.jobs.container import own_command, toolkit_command, toolkit_environment
from embedded_cloud.jobs.job_files import JobFiles
from embedded_cloud.jobs.output import LogStream, MetricScanner
from embedded_cloud.jobs.run import INTERRUPTED, JobFailure, ProgramRun
from embedded_cloud.jobs.s3_files import DEFAULT_LOCAL_PATH, CheckpointSync, download_channel, upload_archive
from embedded_cloud.settings import Settings

_CHECKPOINT_SECONDS = 2.0


class TrainingRun(ProgramRun):
    """One job; it ends as Completed, Failed with FailureReason, or Stopped (also at MaxRuntimeInSeconds)."""

    kind = "Training"

    def __init__(self, *, record: dict[str, Any], settings: Settings, aws: Aws) -> None:
        super().__init__(record=record, settings=settings, aws=aws)
        self._files = JobFiles(settings.jobs_dir / self._name)
        self._metrics = MetricScanner(record["AlgorithmSpecification"].get("MetricDefinitions", []))
        self._checkpoints: CheckpointSync | None = None
        self._next_push = 0.0

    def stop(self) -> None:
        """Asks the job to stop; what it has made so far is kept."""
        self._enter("Stopping", "Stopping the training job")
        super().stop()

    def interrupt(self) -> None:
        """Takes the spot instance away, as AWS does: what was uploaded of the checkpoints stays."""
        self._interrupted.set()

    def run(self) -> None:
        """Does everything; never raises, since a fault of ours is the job's InternalServerError."""
        self._enter("Starting", "Preparing the instances for training")
        super().run()

    def _do(self) -> str:
        """The job's life; returns its last secondary status."""
        self._files.make()
        s3 = self._aws.client("s3", role=self._record["RoleArn"])
        while (outcome := self._attempt(s3)) == INTERRUPTED:
            self._enter(INTERRUPTED, "Training job interrupted: the spot instance was reclaimed")
            self._files.remake()
            self._enter("Restarting", "Preparing the instances for training")
        return outcome

    def _attempt(self, s3: Any) -> str:
        """The job on one instance; returns INTERRUPTED, or its last secondary status."""
        self._files.write_config(self._record)
        self._enter("Downloading", "Downloading input data")
        for channel in self._record.get("InputDataConfig", []):
            download_channel(channel, target=self._files.input_data / channel["ChannelName"], s3=s3)
        self._checkpoints = self._checkpoint_sync(s3)
        if self._checkpoints:
            self._checkpoints.restore()
        if self._stop.is_set():
            return "Stopped"
        self._record.setdefault("TrainingStartTime", time.time())
        self._enter("Training", "Training image download completed. Training in progress.")
        self._next_push = time.monotonic() + _CHECKPOINT_SECONDS
        try:
            why = self._run_program(
                command=own_command(self._record, self._files) or toolkit_command(),
                environment=toolkit_environment(record=self._record, files=self._files, aws=self._aws),
                directory=self._files.root,
            )
        except JobFailure:
            self._upload_output(s3)
            raise
        if why == INTERRUPTED:
            return why
        self._enter("Uploading", "Uploading generated training model")
        self._upload_model(s3)
        self._upload_output(s3)
        return why or "Completed"

    def _conclude(self, outcome: str) -> str:
        failed = outcome == "Failed"
        self._enter(outcome, self._record["FailureReason"] if failed else f"Training job {outcome.lower()}")
        self._close_transition()
        return outcome if outcome in ("Completed", "Failed") else "Stopped"

    def _tick(self, *, last: bool) -> None:
        if self._checkpoints and (last or time.monotonic() > self._next_push):
            self._checkpoints.push()
            self._next_push = time.monotonic() + _CHECKPOINT_SECONDS

    def _heard(self, line: str) -> None:
        self._metrics.scan(line)
        if final := self._metrics.final():
            self._record["FinalMetricDataList"] = final

    def _last_words(self, log: LogStream) -> str:
        if self._files.failure.is_file():
            return self._files.failure.read_text(encoding="utf-8", errors="replace")[:900]
        return super()._last_words(log)

    def _checkpoint_sync(self, s3: Any) -> CheckpointSync | None:
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

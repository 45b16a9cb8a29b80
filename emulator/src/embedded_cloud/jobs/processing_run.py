"""One run of one processing job, from its record to its end."""

import time
from typing import Any

from botocore.exceptions import ClientError

from embedded_cloud.aws import Aws, split_s3_uri
from embedded_cloud.jobs.job_files import JobFiles
from embedded_cloud.jobs.run import JobFailure, ProgramRun, container_environment
from embedded_cloud.jobs.s3_files import download_input
from embedded_cloud.jobs.transform_run import transform_input
from embedded_cloud.settings import Settings

ROOT = "/opt/ml/processing"


class ProcessingRun(ProgramRun):
    """One job; its command runs in the project's folder, with `/opt/ml/…` in its arguments and environment
    mapped to the job's folder.

    How it ends: Completed; Failed with FailureReason; Stopped, and nothing of it is kept.
    """

    kind = "Processing"

    def __init__(self, *, record: dict[str, Any], settings: Settings, aws: Aws) -> None:
        super().__init__(record=record, settings=settings, aws=aws)
        self._files = JobFiles(settings.jobs_dir / f"processing-{self._name}")

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
        why = self._run_program(
            command=self._command(),
            environment=self._environment(),
            directory=self._settings.project.folder,
        )
        if why == "MaxRuntimeExceeded":
            raise JobFailure("ClientError: Job exceeded MaxRuntimeInSeconds and was stopped")
        if why or self._stop.is_set():
            return "Stopped"
        for item in outputs:
            self._upload(item["S3Output"], s3)
        return "Completed"

    def _conclude(self, outcome: str) -> str:
        message = self._files.root / "output" / "message"
        if message.is_file():
            self._record["ExitMessage"] = message.read_text(encoding="utf-8", errors="replace")[:1024]
        self._record["LastModifiedTime"] = time.time()
        return outcome

    def _download(self, item: dict[str, Any], s3: Any) -> None:
        source = item.get("S3Input", {})
        uri = source.get("S3Uri", "")
        target = self._files.local_path(source["LocalPath"])
        if source.get("S3DataType") != "ManifestFile":
            download_input(uri, target=target, s3=s3)
            return
        # Names keep their folders below the manifest's prefix; one that is not there fails the job.
        try:
            for bucket, key, name in transform_input(source, s3=s3):
                path = target / name
                if not path.resolve().is_relative_to(target.resolve()):
                    raise ValueError(f"the name {name!r} leads out of the folder of its input")
                path.parent.mkdir(parents=True, exist_ok=True)
                s3.download_file(bucket, key, str(path))
        except (ClientError, ValueError) as error:
            raise JobFailure(f"ClientError: Data download failed: {uri}: {error}") from error

    def _command(self) -> list[str]:
        application = self._record["AppSpecification"]
        words = application["ContainerEntrypoint"] + application.get("ContainerArguments", [])
        return [self._files.localised(word) for word in words]

    def _environment(self) -> dict[str, str]:
        """The container's environment; the job's own Environment comes last."""
        own = {
            key: self._files.localised(value) for key, value in self._record.get("Environment", {}).items()
        }
        return {
            **container_environment(home=self._files.root, temporary=self._files.temporary),
            "PYTHONPATH": self._settings.project.python_path_variable,
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

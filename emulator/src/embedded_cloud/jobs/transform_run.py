"""One run of one batch transform job, from its record to its end."""

import json
import logging
import threading
import time
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from embedded_cloud.aws import Aws, split_s3_uri
from embedded_cloud.hosting.connections import ServerGone, ServerTimeout
from embedded_cloud.hosting.deployment import Deployment, DeploymentError, deploy
from embedded_cloud.hosting.model_server import ModelServer
from embedded_cloud.jobs.failure import JobFailure
from embedded_cloud.jobs.transform_input import transform_input
from embedded_cloud.settings import Settings

_LOG = logging.getLogger("embedded_cloud.jobs")
_DEFAULT_RETRIES = 3
_RETRY_SECONDS = 0.5
_MEGABYTE = 1024 * 1024


class TransformRun:
    """Runs a job once; keeps `record` (what DescribeTransformJob answers) and sets `ended` at the end.

    A server of the model is started with SAGEMAKER_BATCH=true, as batch transform does; every object of the
    input becomes a request, and its answer an object `<name>.out`. An answer other than 2xx fails the job.
    """

    def __init__(
        self,
        *,
        record: dict[str, Any],
        container: dict[str, Any],
        role: str | None,
        settings: Settings,
        aws: Aws,
    ) -> None:
        self.ended = threading.Event()
        self._record = record
        self._container = container
        self._role = role
        self._settings = settings
        self._aws = aws
        self._stop = threading.Event()

    def stop(self) -> None:
        """Asks the job to stop; answers that are written already stay."""
        if not self.ended.is_set():
            self._record["TransformJobStatus"] = "Stopping"
            self._stop.set()

    def abandon(self) -> None:
        """Ends the job; for the end of the whole cloud."""
        self.stop()

    def run(self) -> None:
        """Does everything; never raises, since a fault of ours is the job's InternalServerError."""
        try:
            self._do()
        except JobFailure as failure:
            self._record.update(TransformJobStatus="Failed", FailureReason=failure.reason)
        except Exception as error:
            _LOG.exception("transform job %s", self._record["TransformJobName"])
            reason = f"InternalServerError: {error!r}"[:1024]
            self._record.update(TransformJobStatus="Failed", FailureReason=reason)
        else:
            self._record["TransformJobStatus"] = "Stopped" if self._stop.is_set() else "Completed"
        self._record["TransformEndTime"] = time.time()
        self.ended.set()

    def _do(self) -> None:
        s3 = self._aws.client("s3", role=self._role)
        source = self._record["TransformInput"]["DataSource"]["S3DataSource"]
        try:
            objects = list(transform_input(source, s3=s3))
        except (ClientError, BotoCoreError, ValueError) as error:
            raise JobFailure(f"ClientError: the input {source['S3Uri']} cannot be read: {error}") from error
        if not objects:
            raise JobFailure(f"ClientError: no S3 objects found under {source['S3Uri']}")
        server = self._start()
        try:
            self._record["TransformStartTime"] = time.time()
            self._transform(objects, server=server, s3=s3)
        finally:
            server.stop(grace=self._settings.stop_grace_seconds)

    def _start(self) -> ModelServer:
        record = self._record
        batch = {"SAGEMAKER_BATCH": "true", "SAGEMAKER_BATCH_STRATEGY": "SINGLE_RECORD"}
        given = {**self._container.get("Environment", {}), **record.get("Environment", {}), **batch}
        try:
            return deploy(
                Deployment(
                    name=record["TransformJobName"],
                    variant="transform",
                    log_group="/aws/sagemaker/TransformJobs",
                    log_stream=record["TransformJobName"],
                    image=self._container.get("Image", ""),
                    model_data_url=self._container.get("ModelDataUrl"),
                    environment=given,
                    role=self._role,
                ),
                settings=self._settings,
                aws=self._aws,
            )
        except DeploymentError as error:
            raise JobFailure(f"AlgorithmError: {error}") from error

    def _transform(self, objects: list[tuple[str, str, str]], *, server: ModelServer, s3: Any) -> None:
        """Every object, at most so many at a time; the first failure ends the job."""
        most = self._record.get("MaxConcurrentTransforms") or server.concurrent_transforms()
        with ThreadPoolExecutor(most, thread_name_prefix="transform") as pool:
            waiting: set[Future[None]] = set()
            for bucket, key, name in self._until_stopped(objects):
                waiting.add(pool.submit(self._transform_one, bucket, key, name, server=server, s3=s3))
                if len(waiting) >= 2 * most:
                    done, waiting = wait(waiting, return_when=FIRST_COMPLETED)
                    _raise_first(done, waiting)
            _raise_first(wait(waiting).done, set())

    def _until_stopped(self, objects: list[tuple[str, str, str]]) -> Iterator[tuple[str, str, str]]:
        for each in objects:
            if self._stop.is_set():
                return
            yield each

    def _transform_one(self, bucket: str, key: str, name: str, *, server: ModelServer, s3: Any) -> None:
        body = s3.get_object(Bucket=bucket, Key=key)["Body"].read()
        most = self._record.get("MaxPayloadInMB", 6)
        if len(body) > most * _MEGABYTE:
            raise JobFailure(
                f"ClientError: s3://{bucket}/{key} has {len(body)} bytes, MaxPayloadInMB is {most}"
            )
        answer = self._ask(server, body=body, what=f"s3://{bucket}/{key}")
        target, prefix = split_s3_uri(self._record["TransformOutput"]["S3OutputPath"])
        s3.put_object(Bucket=target, Key=f"{prefix.rstrip('/')}/{name}.out".lstrip("/"), Body=answer)

    def _ask(self, server: ModelServer, *, body: bytes, what: str) -> bytes:
        headers = {"Content-Type": self._record["TransformInput"].get("ContentType", "")}
        accept = self._record["TransformOutput"].get("Accept")
        headers |= {"Accept": accept} if accept else {}
        tries = 1 + self._record.get("ModelClientConfig", {}).get("InvocationsMaxRetries", _DEFAULT_RETRIES)
        answered = ""
        for attempt in range(tries):
            try:
                status, _, content = server.invoke(headers=headers, body=body)
            except (ServerGone, ServerTimeout) as error:
                answered = str(error)
            else:
                if status < 300:
                    return content
                answered = f"HTTP {status}: {content.decode('utf-8', errors='replace')[:300]}"
                if status < 500:
                    break
            self._stop.wait(_RETRY_SECONDS * (attempt + 1))
        raise JobFailure(f"ClientError: bad answer for {what}: {json.dumps(answered)}")


def _raise_first(done: set[Future[None]], waiting: set[Future[None]]) -> None:
    for future in done:
        if error := future.exception():
            for other in waiting:
                other.cancel()
            raise error

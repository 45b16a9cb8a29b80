"""One run of one batch transform job, from its record to its end."""

import json
import time
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from typing import Any, cast

from botocore.exceptions import BotoCoreError, ClientError

from embedded_cloud.aws import Aws, split_s3_uri
from embedded_cloud.hosting.connections import ServerGone, ServerTimeout
from embedded_cloud.hosting.deployment import Deployment, DeploymentError, deploy
from embedded_cloud.hosting.model_server import ModelServer
from embedded_cloud.jobs.run import JobFailure, JobRun
from embedded_cloud.settings import Settings


def transform_input(source: dict[str, str], *, s3: Any) -> Iterator[tuple[str, str, str]]:
    """Yields (bucket, key, name) of every object; its answer becomes `<output>/<name>.out`.

    `source` is an S3DataSource. S3Prefix: all below the prefix, the name is relative to its last folder.
    ManifestFile: `[{"prefix": "s3://bucket/folder/"}, "a.jpg", …]`, the name is the entry.
    Raises ValueError for a manifest of another form, ClientError where S3 refuses.
    """
    bucket, key = split_s3_uri(source["S3Uri"])
    if source["S3DataType"] == "ManifestFile":
        yield from _listed(s3.get_object(Bucket=bucket, Key=key)["Body"].read(), source["S3Uri"])
        return
    folder = key[: key.rfind("/") + 1]
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=key):
        for item in page.get("Contents", []):
            if not item["Key"].endswith("/"):
                yield bucket, item["Key"], item["Key"].removeprefix(folder)


def _listed(content: bytes, uri: str) -> Iterator[tuple[str, str, str]]:
    document = json.loads(content)
    entries = cast("list[object]", document) if isinstance(document, list) else []
    if not entries or not isinstance(entries[0], dict):
        raise ValueError(f'{uri}: expected [{{"prefix": "s3://bucket/folder/"}}, "name", …]')
    bucket, prefix = split_s3_uri(cast("dict[str, str]", entries[0]).get("prefix", ""))
    for name in entries[1:]:
        if not isinstance(name, str):
            raise ValueError(f"{uri}: expected names after the prefix, got {name!r}")
        yield bucket, f"{prefix}{name}", name


_DEFAULT_RETRIES = 3
_RETRY_SECONDS = 0.5
_MEGABYTE = 1024 * 1024


class TransformRun(JobRun):
    """One job: a server of the model is started with SAGEMAKER_BATCH=true, as batch transform does.

    Every object of the input becomes a request, and its answer an object `<name>.out`. An answer other than
    2xx fails the job.
    """

    kind = "Transform"

    def __init__(
        self,
        *,
        record: dict[str, Any],
        container: dict[str, Any],
        role: str | None,
        settings: Settings,
        aws: Aws,
    ) -> None:
        super().__init__(record=record, settings=settings, aws=aws)
        self._container = container
        self._role = role

    def stop(self) -> None:
        """Asks the job to stop; answers that are written already stay."""
        if not self.ended.is_set():
            super().stop()

    def abandon(self) -> None:
        """Ends the job; for the end of the whole cloud."""
        self.stop()

    def _do(self) -> str:
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
        return "Stopped" if self._stop.is_set() else "Completed"

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

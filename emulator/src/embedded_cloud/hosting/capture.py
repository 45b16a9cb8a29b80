"""Data capture: what an endpoint was asked and answered, as JSON lines in S3.

The form is the developer guide's ("Capture data from real-time endpoint"): a line has `captureData`
(`endpointInput`, `endpointOutput`), `eventMetadata` and `eventVersion`; files lie below
`<DestinationS3Uri>/<endpoint>/<variant>/yyyy/mm/dd/hh/`. As on AWS, what cannot be written is lost without a
word to the caller: here the cloud's log has a line. Not written are requests that the container refused,
whose form the guide does not show.
"""

import base64
import json
import logging
import random
import threading
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import groupby
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from embedded_cloud.aws import split_s3_uri

_LOG = logging.getLogger("embedded_cloud.capture")
_SECONDS = 2.0
"""After so long a file is written; AWS takes minutes."""
_MOST_LINES = 2_000
_MOST_WAITING_BYTES = 256 * 2**20


@dataclass(frozen=True, slots=True, kw_only=True)
class Invocation:
    """One request that the container answered. Header names are in lower case."""

    time: datetime
    headers: Mapping[str, str]
    body: bytes
    answer_type: str
    answer: bytes


class DataCapture:
    """Writes invocations in the background, by a DataCaptureConfig; `s3` has the model's role."""

    def __init__(self, *, config: Mapping[str, Any], endpoint: str, variant: str, s3: Any) -> None:
        self._s3 = s3
        self._bucket, prefix = split_s3_uri(f"{config['DestinationS3Uri'].rstrip('/')}/")
        self._prefix = f"{prefix}{endpoint}/{variant}/"
        self._share = config["InitialSamplingPercentage"] / 100
        self._modes = {option["CaptureMode"] for option in config["CaptureOptions"]}
        self._types: Mapping[str, list[str]] = config.get("CaptureContentTypeHeader") or {}
        key = config.get("KmsKeyId")
        self._encryption = {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": key} if key else {}
        self._waiting: list[Invocation] = []
        self._bytes = 0
        self._change = threading.Condition()
        self._closed = False
        self._writer = threading.Thread(target=self._write, name=f"capture-{endpoint}", daemon=True)
        self._writer.start()

    def record(self, invocation: Invocation) -> None:
        """Takes one invocation, or passes it over by the sampling; costs the caller no time."""
        if random.random() >= self._share:
            return
        size = len(invocation.body) + len(invocation.answer)
        with self._change:
            if self._closed or self._bytes + size > _MOST_WAITING_BYTES:
                _LOG.warning("%s: an invocation was not captured: S3 is too slow or it ended", self._prefix)
                return
            self._waiting.append(invocation)
            self._bytes += size
            self._change.notify()

    def close(self) -> None:
        """Writes what waits and ends."""
        with self._change:
            self._closed = True
            self._change.notify()
        self._writer.join(timeout=10)

    def _write(self) -> None:
        while True:
            with self._change:
                self._change.wait_for(lambda: self._closed or self._waiting)
                # Others come soon: one file for all of them.
                self._change.wait_for(
                    lambda: self._closed or len(self._waiting) >= _MOST_LINES, timeout=_SECONDS
                )
                taken, self._waiting, self._bytes = self._waiting, [], 0
                ended = self._closed
            for hour, lines in groupby(taken, key=lambda each: each.time.strftime("%Y/%m/%d/%H")):
                self._put(hour, list(lines))
            if ended:
                return

    def _put(self, hour: str, invocations: list[Invocation]) -> None:
        moment = invocations[0].time
        name = f"{moment:%M-%S}-{moment.microsecond // 1000:03d}-{uuid.uuid4()}.jsonl"
        body = b"".join(json.dumps(self._line(each)).encode() + b"\n" for each in invocations)
        try:
            self._s3.put_object(
                Bucket=self._bucket, Key=f"{self._prefix}{hour}/{name}", Body=body, **self._encryption
            )
        except (ClientError, BotoCoreError) as error:
            _LOG.warning("%s: %d invocations were not captured: %s", self._prefix, len(invocations), error)

    def _line(self, invocation: Invocation) -> dict[str, Any]:
        metadata = {"eventId": str(uuid.uuid4()), "inferenceTime": f"{invocation.time:%Y-%m-%dT%H:%M:%SZ}"}
        given = invocation.headers.get("x-amzn-sagemaker-inference-id")
        if given:
            metadata["inferenceId"] = given
        return {"captureData": dict(self._data(invocation)), "eventMetadata": metadata, "eventVersion": "0"}

    def _data(self, invocation: Invocation) -> Iterator[tuple[str, dict[str, str]]]:
        if "Input" in self._modes or "InputAndOutput" in self._modes:
            kind = invocation.headers.get("content-type", "application/octet-stream")
            yield "endpointInput", self._side("INPUT", kind, invocation.body)
        if "Output" in self._modes or "InputAndOutput" in self._modes:
            yield "endpointOutput", self._side("OUTPUT", invocation.answer_type, invocation.answer)

    def _side(self, mode: str, kind: str, content: bytes) -> dict[str, str]:
        """Text only for the content types that the configuration lists: everything else is base64."""
        bare, encoding = kind.partition(";")[0].strip().lower(), "BASE64"
        if bare in self._types.get("JsonContentTypes", ()):
            encoding = "JSON"
        elif bare in self._types.get("CsvContentTypes", ()):
            encoding = "CSV"
        text = (
            base64.b64encode(content).decode() if encoding == "BASE64" else content.decode(errors="replace")
        )
        return {"observedContentType": kind, "mode": mode, "data": text, "encoding": encoding}


def capture_of(config: Mapping[str, Any], *, endpoint: str, s3: Any) -> DataCapture | None:
    """What captures for an endpoint configuration; None where it asks for none."""
    capture = config.get("DataCaptureConfig")
    if not capture or not capture.get("EnableCapture") or not capture["InitialSamplingPercentage"]:
        return None
    variant = config["ProductionVariants"][0]["VariantName"]
    return DataCapture(config=capture, endpoint=endpoint, variant=variant, s3=s3)


def now() -> datetime:
    """The moment of an invocation, UTC."""
    return datetime.now(UTC)

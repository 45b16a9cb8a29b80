"""Access logs of API Gateway stages: one line a request, in the stage's own format."""

import logging
import re
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from embedded_cloud.aws import Aws

_LOG = logging.getLogger("embedded_cloud.apigateway")
_VARIABLE = re.compile(r"\$context\.([A-Za-z]+(?:\.[A-Za-z]+)*)")
_STREAM = "access"


class AccessLog:
    """Writes lines to the log group that a stage names; in order, and off the request's path."""

    def __init__(self, *, aws: Aws) -> None:
        self._aws = aws
        self._writer = ThreadPoolExecutor(max_workers=1, thread_name_prefix="access-log")
        self._groups: set[str] = set()

    def write(self, stage: Mapping[str, Any], values: Mapping[str, Any]) -> None:
        """One line, where `stage` has an access log; variables without a value are a dash, as on AWS."""
        settings: dict[str, str] = stage.get("accessLogSettings") or {}
        group = settings.get("destinationArn", "").removesuffix(":*").rpartition(":log-group:")[2]
        if group:
            line = _VARIABLE.sub(lambda match: _text(values.get(match[1])), settings.get("format", ""))
            self._writer.submit(self._put, group, line, round(time.time() * 1000))

    def _put(self, group: str, line: str, at: int) -> None:
        try:
            logs = self._aws.client("logs")
            if group not in self._groups:
                logs.create_log_stream(logGroupName=group, logStreamName=_STREAM)
                self._groups.add(group)
            event = {"timestamp": at, "message": line}
            logs.put_log_events(logGroupName=group, logStreamName=_STREAM, logEvents=[event])
        except Exception:
            _LOG.exception("an access log line for %s is lost", group)


def _text(value: object) -> str:
    return "-" if value in (None, "") else str(value)

"""The records of one kind of resource, and the operations that every kind answers alike."""

import re
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from embedded_cloud.errors import AwsError, validation_error
from embedded_cloud.identity import sagemaker_arn

Record = dict[str, Any]
Operation = Callable[[dict[str, Any]], dict[str, Any]]
Operations = dict[str, Operation]
DEFAULT_PAGE = 10


class Store:
    """Records of one `kind` by name. `missing` and `taken` make the errors that AWS answers for it."""

    def __init__(self, *, kind: str, missing: "ErrorOfName", taken: "ErrorOfName") -> None:
        self._word = re.sub("(?<=[a-z])(?=[A-Z])", "-", kind).lower()
        self._records: dict[str, Record] = {}
        self._missing = missing
        self._taken = taken
        self._lock = threading.RLock()

    def arn(self, name: str) -> str:
        """The ARN of the resource of that name: an EndpointConfig's has `endpoint-config/<name>`."""
        return sagemaker_arn(f"{self._word}/{name}")

    def add(self, name: str, record: Record) -> Record:
        """Keeps `record` under a name that is free, else raises the error of a taken name."""
        with self._lock:
            if name in self._records:
                raise self._taken.of(name, arn=self.arn(name))
            self._records[name] = record
        return record

    def get(self, name: str) -> Record:
        """The record, else raises the error of a missing one."""
        with self._lock:
            if name not in self._records:
                raise self._missing.of(name, arn=self.arn(name))
            return self._records[name]

    def remove(self, name: str) -> Record:
        """Forgets and returns the record, else raises the error of a missing one."""
        with self._lock:
            record = self.get(name)
            del self._records[name]
            return record

    def all(self) -> list[Record]:
        """Every record, oldest first."""
        with self._lock:
            return list(self._records.values())


@dataclass(frozen=True)
class ErrorOfName:
    """An error about a resource; its text may have `{name}` and `{arn}`."""

    code: str
    text: str

    def of(self, name: str, *, arn: str) -> AwsError:
        """The error about this one."""
        return AwsError(self.code, self.text.format(name=name, arn=arn))


class Resources(ABC):
    """Resources of one `kind`, such as Endpoint: `create` is its own, describing and listing are alike.

    `missing` and `taken` are errors about a name. `listed` is the member under which ListX gives them
    (None: `kind` in the plural); with `statuses` it takes StatusEquals; `descending` is its default order
    (by creation time).
    """

    def __init__(
        self,
        *,
        kind: str,
        missing: ErrorOfName,
        taken: ErrorOfName,
        listed: str | None = None,
        statuses: bool = False,
        descending: bool = False,
    ) -> None:
        self._kind = kind
        self._name_key, self._status_key = f"{kind}Name", f"{kind}Status" if statuses else None
        self._listed, self._descending = listed or f"{kind}s", descending
        self.store = Store(kind=kind, missing=missing, taken=taken)
        self.operations: Operations = {
            f"Create{kind}": self.create,
            f"Describe{kind}": lambda request: self.get(request[self._name_key]),
            f"List{kind}s": self.list,
        }

    @abstractmethod
    def create(self, request: dict[str, Any]) -> Record:
        """Makes one; returns its record."""

    def _new(self, request: dict[str, Any], **members: Any) -> Record:
        """The record of one that is made now."""
        arn, now = self.store.arn(request[self._name_key]), time.time()
        return {**request, f"{self._kind}Arn": arn, "CreationTime": now, "LastModifiedTime": now, **members}

    def get(self, name: str) -> Record:
        """The record of that name, as Describe answers it."""
        return self.store.get(name)

    def list(self, request: dict[str, Any]) -> dict[str, Any]:
        """A page of them."""
        return page_of(
            self.store.all(),
            request,
            member=self._listed,
            name_key=self._name_key,
            status_key=self._status_key,
            descending=self._descending,
        )


class DeletableResources(Resources):
    """Resources with a DeleteX."""

    def __init__(self, *, kind: str, missing: ErrorOfName, taken: ErrorOfName, **listing: Any) -> None:
        super().__init__(kind=kind, missing=missing, taken=taken, **listing)
        self.operations[f"Delete{kind}"] = self.delete

    def delete(self, request: dict[str, Any]) -> dict[str, Any]:
        """Forgets one; what was made from it goes on, as on AWS."""
        self.store.remove(request[self._name_key])
        return {}


class HostingResources(DeletableResources):
    """Models, endpoints and their configurations: `words` in AWS's errors, which are alike; newest first."""

    def __init__(self, *, kind: str, words: str, statuses: bool = False) -> None:
        super().__init__(
            kind=kind,
            missing=ErrorOfName("ValidationException", f'Could not find {words} "{{arn}}".'),
            taken=ErrorOfName("ValidationException", f'Cannot create already existing {words} "{{arn}}".'),
            statuses=statuses,
            descending=True,
        )


def page_of(
    records: list[Record],
    request: dict[str, Any],
    *,
    member: str,
    name_key: str,
    status_key: str | None = None,
    descending: bool = False,
) -> dict[str, Any]:
    """One page of `records` under `member`.

    Obeys NameContains, StatusEquals, SortOrder, MaxResults and NextToken of the request; `descending` is the
    operation's own default order (by creation time). Raises ValidationException for a token that is not ours.
    """
    wanted = request.get("NameContains", "").lower()
    rows = [row for row in records if wanted in row[name_key].lower()]
    if status_key and "StatusEquals" in request:
        rows = [row for row in rows if row[status_key] == request["StatusEquals"]]
    order = request.get("SortOrder", "Descending" if descending else "Ascending")
    rows.sort(key=lambda row: row["CreationTime"], reverse=order == "Descending")
    token = request.get("NextToken", "0")
    if not token.isdigit():
        raise validation_error(f"Invalid NextToken {token!r}: pass the token of the page before, unchanged.")
    start = int(token)
    end = start + request.get("MaxResults", DEFAULT_PAGE)
    page: dict[str, Any] = {member: rows[start:end]}
    if end < len(rows):
        page["NextToken"] = str(end)
    return page

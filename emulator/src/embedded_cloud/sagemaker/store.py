"""Keeps the records of one kind of resource, and gives pages of them."""

import threading
from collections.abc import Callable
from typing import Any

from embedded_cloud.errors import AwsError, validation_error

Record = dict[str, Any]
Operation = Callable[[dict[str, Any]], dict[str, Any]]
Operations = dict[str, Operation]
DEFAULT_PAGE = 10


class Store:
    """Records by name. `missing` and `taken` make the errors that AWS answers for this kind."""

    def __init__(self, *, missing: "ErrorOfName", taken: "ErrorOfName") -> None:
        self._records: dict[str, Record] = {}
        self._missing = missing
        self._taken = taken
        self._lock = threading.RLock()

    def add(self, name: str, record: Record) -> Record:
        """Keeps `record` under a name that is free, else raises the error of a taken name."""
        with self._lock:
            if name in self._records:
                raise self._taken(name)
            self._records[name] = record
        return record

    def get(self, name: str) -> Record:
        """The record, else raises the error of a missing one."""
        with self._lock:
            if name not in self._records:
                raise self._missing(name)
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


class ErrorOfName:
    """Makes an error from a template that says `{name}`."""

    def __init__(self, code: str, template: str) -> None:
        self._code = code
        self._template = template

    def __call__(self, name: str) -> AwsError:
        return AwsError(self._code, self._template.format(name=name))


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

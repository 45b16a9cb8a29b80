"""Keeps the records of one kind of resource."""

import threading
from typing import Any

from embedded_cloud.errors import AwsError

Record = dict[str, Any]


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

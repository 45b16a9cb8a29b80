"""Where files live, an S3 bucket or a folder, as the steps see it."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple, Protocol, TypeVar

from bincount_core.s3_address import split_s3_address
from data_prep.errors import BadRequest

Outcome = TypeVar("Outcome")

Later = Callable[[], Outcome]
"""Something that is under way: call it, once, to wait for its outcome or its error."""


class Missing(LookupError):
    """There is nothing under that key."""


class Changed(Exception):
    """What is under the key is no longer what the plan saw there (another ETag)."""


class Info(NamedTuple):
    """One object: `etag` without quotes."""

    key: str
    etag: str
    bytes: int


class Store(Protocol):
    """Files under keys. All methods may be called from many threads; all raise TransferFailed."""

    @property
    def uri(self) -> str:
        """The address of the store's root, ending with a slash."""
        ...

    def read(self, key: str, *, etag: str | None = None) -> bytes:
        """The whole content. Raises Missing, or Changed where `etag` is given and another one is found."""
        ...

    def begin_read(self, key: str, *, etag: str | None = None) -> Later[bytes]:
        """The same without waiting for it."""
        ...

    def info(self, key: str) -> Info:
        """Size and ETag. Raises Missing."""
        ...

    def list(self, prefix: str, *, after: str = "", page: int = 1000) -> Iterator[Info]:
        """Everything whose key starts with `prefix` and is greater than `after`, in the order of the keys.

        `page` (1 to 1,000) is how many are asked for at a time, for a reader that soon stops."""
        ...

    def write(self, key: str, data: bytes, *, content_type: str) -> None:
        """Put the content under the key, whole or not at all."""
        ...

    def begin_write(self, key: str, data: bytes, *, content_type: str) -> Later[None]:
        """The same without waiting for it."""
        ...

    def create(self, key: str, data: bytes, *, content_type: str) -> bool:
        """Put the content under a key that nothing is under; False, and nothing changed, where something is.

        Of several that create the same key at once, one succeeds."""
        ...

    def write_file(self, key: str, path: Path, *, content_type: str) -> None:
        """Put a file's content under the key, whole or not at all; its size need not fit into memory."""
        ...

    def begin_take(self, key: str, *, source: "Store", source_info: Info, data: bytes) -> Later[None]:
        """Copy an unchanged object from `source`, at the server where it can, else from `data`, its
        content. It ends with Missing or Changed where the source no longer has it."""
        ...


def exists(store: Store, key: str) -> bool:
    """Whether there is something under the key."""
    try:
        store.info(key)
    except Missing:
        return False
    return True


def split_s3_uri(uri: str) -> tuple[str, str]:
    """Bucket and key (or prefix) of an `s3://bucket/key` address. Raises BadRequest."""
    try:
        return split_s3_address(uri)
    except ValueError as error:
        raise BadRequest(str(error)) from error

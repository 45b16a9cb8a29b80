"""A run: one dataset in the making, its keys in storage, and how a step finds it again."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from data_prep.errors import BadRequest
from data_prep.request import Request, parse_request
from data_prep.storage.directory_store import DirectoryStore
from data_prep.storage.lines import create_json, read_json
from data_prep.storage.s3_store import S3Store
from data_prep.storage.store import Missing, Store, exists

REQUEST = "request.json"
ABANDONED = "abandoned.json"
ORIGIN = "source"
FIELD = "field"
"""A line's field that says where its image is from, and what stands there for one of production."""


@dataclass(frozen=True, kw_only=True)
class Run:
    """A request with its id and stores; `field` is where images of production are, where there are any.

    Keys of work in progress are below `runs/<id>/`, from the second `attempt` on below
    `runs/<id>/attempt-<n>/`: what was found wrong is not built on.
    """

    dataset_id: str
    request: Request
    source: Store
    target: Store
    attempt: int = 1
    field: Store | None = None

    @property
    def prefix(self) -> str:
        """Where the dataset is, in the target."""
        return dataset_prefix(self.dataset_id)

    @property
    def uri(self) -> str:
        """The dataset's address."""
        return self.target.uri + self.prefix

    @property
    def sealed_key(self) -> str:
        """dataset.json: written last; without it there is no dataset."""
        return self.prefix + "dataset.json"

    def key(self, name: str) -> str:
        """The key of a file of work in progress."""
        return _folder(self.dataset_id, self.attempt) + name

    def abandon(self, reason: str) -> None:
        """Write down that this attempt leads nowhere: the next `open_run` of the request begins anew."""
        create_json(self.target, self.key(ABANDONED), {"reason": reason})

    def store_of(self, line: dict[str, Any]) -> Store:
        """The store that a line's image comes from."""
        if not is_field(line):
            return self.source
        assert self.field is not None, "only a run with a field source has such lines"
        return self.field

    def staged_key(self, item: dict[str, Any]) -> str:
        """Where arrange puts an image: its place in the dataset, or beside it until it is packed."""
        if self.request.layout == "shards":
            return self.key(f"images/{item['id']}.jpg")
        return self.prefix + folder_key(item)


def dataset_prefix(dataset_id: str) -> str:
    """`datasets/<id>/`"""
    return f"datasets/{dataset_id}/"


def folder_key(item: dict[str, Any]) -> str:
    """An image's key in a dataset: the folder of its split (`val` for validation and test), count and id."""
    folder = "train" if item["split"] == "train" else "val"
    return f"{folder}/{item['count']}/{item['id']}.jpg"


def is_field(line: dict[str, Any]) -> bool:
    """Whether a row, record or line of the manifest is of an image of production."""
    return line.get(ORIGIN) == FIELD


def source_of(request: Request) -> Store:
    """The store that the request's images come from."""
    source = request.source
    return _store(source.directory, source.bucket, source.prefix, unsigned=source.unsigned)


def field_of(request: Request) -> Store | None:
    """The store of the images of production; None where the request takes none."""
    field = request.field
    return None if field is None else _store(field.directory, field.bucket, field.prefix, unsigned=False)


def _store(directory: str | None, bucket: str | None, prefix: str, *, unsigned: bool) -> Store:
    if directory is not None:
        return DirectoryStore(Path(directory))
    assert bucket is not None, "the request model asks for one of the two"
    return S3Store(bucket=bucket, prefix=prefix, unsigned=unsigned)


def request_key(dataset_id: str) -> str:
    """Where a dataset's request is, whatever the attempt."""
    return _folder(dataset_id, 1) + REQUEST


def current_attempt(target: Store, dataset_id: str) -> int:
    """The first attempt that was not abandoned, from 1 on."""
    attempt = 1
    while exists(target, _folder(dataset_id, attempt) + ABANDONED):
        attempt += 1
    return attempt


def find_run(target: Store, dataset_id: Any) -> Run:
    """The run that `open_run` began, with the request that was kept then. Raises BadRequest for an id that is
    none or that nothing was begun under."""
    if not isinstance(dataset_id, str) or not re.fullmatch(r"bins-[0-9a-f]{12}", dataset_id):
        raise BadRequest(
            f"dataset_id is {str(dataset_id)[:80]!r}; expected the one that the open step answered, "
            "as bins-<12 hex digits>"
        )
    try:
        begun = read_json(target, request_key(dataset_id))
    except Missing as error:
        raise BadRequest(
            f"no run of {dataset_id} in {target.uri}; run the open step with its request first"
        ) from error
    request = parse_request(begun["request"], directories=True)
    return Run(
        dataset_id=dataset_id,
        request=request,
        source=source_of(request),
        field=field_of(request),
        target=target,
        attempt=current_attempt(target, dataset_id),
    )


def _folder(dataset_id: str, attempt: int) -> str:
    return f"runs/{dataset_id}/" + (f"attempt-{attempt}/" if attempt > 1 else "")

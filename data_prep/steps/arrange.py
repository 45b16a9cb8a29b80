"""Arrange: fetches a batch of images, checks each, stores them and writes down what became of them."""

import hashlib
import re
from typing import Any, NamedTuple, cast

from bincount_core.limits import PREPARED_BYTES
from bincount_sources.found import BadRow
from bincount_sources.names import require_name
from bincount_sources.split import SPLITS
from data_prep.errors import BadRequest
from data_prep.images import BadImage, Jpeg, check, check_own, to_jpeg
from data_prep.run import FIELD, ORIGIN, Run
from data_prep.select.file_list import ID, OWN_ID
from data_prep.steps.records import identity_of, write_records
from data_prep.storage.lines import Line
from data_prep.storage.parallel import pipelined
from data_prep.storage.s3_store import CONNECTIONS
from data_prep.storage.store import Changed, Info, Later, Missing

MOST_HELD = 64_000_000
"""Bytes of images that one batch fetches, or stores, at a time."""


class Fetched(NamedTuple):
    """An image of the plan, checked; `rejected` says why it was rejected; then there is no `jpeg`."""

    item: dict[str, Any]
    jpeg: Jpeg | None
    rejected: Line | None
    dhash: str = ""


def arrange(run: Run, items: list[dict[str, Any]]) -> dict[str, int]:
    """Arrange the items of the work list, many at once; answers {accepted, rejected}.

    An image that cannot be taken is a record with a reason. Storage that does not answer is not: it raises
    TransferFailed, no record is written, and the batch can be run again.
    """
    strangers = [item for item in items if not _is_planned(item)]
    if strangers or not items:
        came = f"{len(strangers)} other item(s), first {strangers[0]!r:.200}" if strangers else "no items"
        raise BadRequest(f"arrange got {came}; send a batch of the work list that plan wrote")
    fetched = pipelined(
        lambda item: _fetch(run, item),
        items,
        width=CONNECTIONS,
        weight=lambda item: item["bytes"],
        most=MOST_HELD,
    )
    records = list(
        pipelined(
            lambda one: _store(run, one), fetched, width=CONNECTIONS, weight=_bytes_to_store, most=MOST_HELD
        )
    )
    write_records(run, records)
    rejected = sum("reason" in record for record in records)
    return {"accepted": len(records) - rejected, "rejected": rejected}


def _is_planned(item: object) -> bool:
    """Whether it has a plan item's form: what it holds becomes part of keys."""
    if not isinstance(item, dict):
        return False
    fields = cast(Line, item)
    own = "name" in fields
    return (
        re.fullmatch(OWN_ID if own else ID, str(fields.get("id"))) is not None
        and (not own or _is_own(fields))
        and isinstance(fields.get("count"), int)
        and fields.get("split") in SPLITS
        and fields.get(ORIGIN, FIELD) == FIELD
        and {"etag", "bytes"} <= fields.keys()
    )


def _is_own(fields: Line) -> bool:
    try:
        return require_name(fields["name"]) == fields["name"] and isinstance(fields.get("block"), str)
    except (BadRow, TypeError):
        return False


def _fetch(run: Run, item: dict[str, Any]) -> Later[Fetched]:
    if item["bytes"] > PREPARED_BYTES:
        fault = BadImage("too_large", f"{item['bytes']} bytes; at most {PREPARED_BYTES} are fetched")
        return lambda: Fetched(item, None, _bad(item, fault))
    reading = run.store_of(item).begin_read(_source_key(item), etag=item["etag"])

    def wait() -> Fetched:
        try:
            if "name" not in item:
                return Fetched(item, check(reading()), None)
            jpeg, dhash = check_own(reading())
            return Fetched(item, jpeg, None, dhash)
        except (Missing, Changed) as error:
            return Fetched(item, None, _gone(item, error))
        except BadImage as fault:
            return Fetched(item, None, _bad(item, fault))

    return wait


def _store(run: Run, fetched: Fetched) -> Later[Line]:
    item, original, rejected, dhash = fetched
    if original is None:
        return lambda: cast(Line, rejected)
    try:
        jpeg = to_jpeg(original, run.request.stored)
    except BadImage as fault:
        bad = _bad(item, fault)
        return lambda: bad
    record = _record(item, jpeg)
    if "name" in item:
        record |= {"name": item["name"], "block": item["block"], "dhash": dhash}
        record |= {field: item[field] for field in (ORIGIN, "order") if field in item}
    storing = _begin_storing(run, item, original, jpeg)

    def wait() -> Line:
        try:
            storing()
        except (Missing, Changed) as error:
            return _gone(item, error)
        return record

    return wait


def _begin_storing(run: Run, item: dict[str, Any], original: Jpeg, jpeg: Jpeg) -> Later[None]:
    key = run.staged_key(item)
    if jpeg is not original:
        return run.target.begin_write(key, jpeg.data, content_type="image/jpeg")
    source = Info(_source_key(item), item["etag"], item["bytes"])
    return run.target.begin_take(key, source=run.store_of(item), source_info=source, data=jpeg.data)


def _bytes_to_store(fetched: Fetched) -> int:
    return 0 if fetched.jpeg is None else len(fetched.jpeg.data)


def _source_key(item: dict[str, Any]) -> str:
    return item["name"] if "name" in item else f"bin-images/{item['id']}.jpg"


def _bad(item: dict[str, Any], fault: BadImage) -> Line:
    return identity_of(item) | {"reason": fault.reason, "detail": str(fault)[:200]}


def _gone(item: dict[str, Any], error: Missing | Changed) -> Line:
    if isinstance(error, Missing):
        return identity_of(item) | {"reason": "missing_image", "detail": "it was there when it was indexed"}
    return identity_of(item) | {"reason": "changed", "detail": f"no longer the bytes of ETag {item['etag']}"}


def _record(item: dict[str, Any], jpeg: Jpeg) -> Line:
    corrected = {"old_count": item["old_count"]} if "old_count" in item else {}
    return {
        "id": item["id"],
        "count": item["count"],
        **corrected,
        "split": item["split"],
        "bytes": len(jpeg.data),
        "sha256": hashlib.sha256(jpeg.data).hexdigest(),
        "width": jpeg.width,
        "height": jpeg.height,
    }

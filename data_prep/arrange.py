"""Arrange: fetches a batch of images, checks each, stores them and writes down what became of them."""

import hashlib
import re
from typing import Any, cast

from data_prep.errors import BadRequest
from data_prep.file_list import ID
from data_prep.lines import Line
from data_prep.parallel import map_ordered
from data_prep.pictures import MOST_BYTES, BadPicture, check, shrink
from data_prep.records import write_records
from data_prep.run import Run
from data_prep.s3_store import CONNECTIONS
from data_prep.split import SIDES
from data_prep.store import Changed, Info, Missing


def arrange(run: Run, items: list[dict[str, Any]]) -> dict[str, int]:
    """Arrange the items of the work list, many at once; answers {accepted, rejected}.

    An image that cannot be taken is a record with a reason. Storage that does not answer is not: it raises
    TransferFailed, no record is written, and the batch can be run again.
    """
    strangers = [item for item in items if not _is_planned(item)]
    if strangers or not items:
        came = f"{len(strangers)} other item(s), first {strangers[0]!r:.200}" if strangers else "no items"
        raise BadRequest(f"arrange got {came}; send a batch of the work list that plan wrote")
    records = list(map_ordered(lambda item: _record(run, item), items, workers=CONNECTIONS))
    write_records(run, records)
    rejected = sum("reason" in record for record in records)
    return {"accepted": len(records) - rejected, "rejected": rejected}


def _is_planned(item: object) -> bool:
    """Whether it has a plan item's form: what it holds becomes part of keys."""
    if not isinstance(item, dict):
        return False
    fields = cast(Line, item)
    return (
        re.fullmatch(ID, str(fields.get("id"))) is not None
        and isinstance(fields.get("count"), int)
        and (fields.get("split"), fields.get("part")) in SIDES
        and {"etag", "bytes"} <= fields.keys()
    )


def _record(run: Run, item: dict[str, Any]) -> Line:
    try:
        return _arrange_one(run, item)
    except Missing:
        return {"id": item["id"], "reason": "missing_image", "detail": "it was there when it was indexed"}
    except Changed:
        return {
            "id": item["id"],
            "reason": "changed",
            "detail": f"no longer the bytes of ETag {item['etag']}",
        }
    except BadPicture as fault:
        return {"id": item["id"], "reason": fault.reason, "detail": str(fault)[:200]}


def _arrange_one(run: Run, item: dict[str, Any]) -> Line:
    if item["bytes"] > MOST_BYTES:
        raise BadPicture("too_large", f"{item['bytes']} bytes; at most {MOST_BYTES} are fetched")
    source = Info(f"bin-images/{item['id']}.jpg", item["etag"], item["bytes"])
    original = check(run.source.read(source.key, etag=source.etag))
    stored = run.request.stored
    picture = original if stored is None else shrink(original, stored)
    key = run.staged_key(item)
    if picture is original:
        run.target.take(key, source=run.source, source_info=source, data=picture.data)
    else:
        run.target.write(key, picture.data, content_type="image/jpeg")
    return {
        "id": item["id"],
        "count": item["count"],
        "split": item["split"],
        "part": item["part"],
        "bytes": len(picture.data),
        "sha256": hashlib.sha256(picture.data).hexdigest(),
        "width": picture.width,
        "height": picture.height,
    }

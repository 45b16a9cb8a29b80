"""The augmented manifest of SageMaker Ground Truth: a JSON object a line, `source-ref` and a label attribute.

docs.aws.amazon.com/sagemaker/latest/dg/sms-data-output.html
"""

import json
from collections.abc import Iterator
from typing import Any, cast

from bincount_sources.found import BadLabels, BadRow, Collector, Found, Row
from bincount_sources.names import count_in, name_below
from bincount_sources.split import block_of

_METADATA = "-metadata"
_FORM = 'expected a line such as {"source-ref": "s3://bucket/key.jpg", "count": 3, "count-metadata": {…}}'

Line = dict[str, Any]


def read_ground_truth(data: bytes, *, attribute: str | None, bucket: str | None, prefix: str) -> Found:
    """The rows of the manifest. A line may also hold `group` and `taken_at` as text.

    The count is: of a job of type object-detection the number of boxes, of image-classification the class's
    name, else the attribute's own value. `attribute` None: the one attribute that has `-metadata` beside it.
    Rejected are lines as those of a table, and `unlabelled` ones. Raises BadLabels where the attribute is not
    clear, or no line is JSON.
    """
    lines = list(_lines(data))
    chosen = attribute or _attribute(line for _, line in lines if line is not None)
    if lines and all(line is None for _, line in lines):
        raise BadLabels(f"no line is a JSON object; {_FORM}")
    collector = Collector()
    for number, line in lines:
        where, name = f"line {number}", ""
        try:
            if line is None:
                raise BadRow("bad_row", f"not a JSON object; {_FORM}")
            written = line.get("source-ref")
            if not isinstance(written, str):
                raise BadRow("bad_name", "it has no text source-ref")
            name = written
            name = name_below(written, bucket=bucket, prefix=prefix)
            count = _count(line, chosen)
            block = block_of(name, group=_word(line, "group"), taken_at=_word(line, "taken_at"))
            collector.add(Row(name, count, block), where=where)
        except BadRow as fault:
            collector.reject(name[:200], fault.reason, f"{where}: {fault}")
    return collector.end()


def _lines(data: bytes) -> Iterator[tuple[int, Line | None]]:
    for number, raw in enumerate(data.removeprefix(b"\xef\xbb\xbf").split(b"\n"), 1):
        if raw.strip():
            try:
                value: object = json.loads(raw)
            except (ValueError, RecursionError):
                value = None
            yield number, cast(Line, value) if isinstance(value, dict) else None


def _attribute(lines: Iterator[Line]) -> str:
    found = {
        name.removesuffix(_METADATA)
        for line in lines
        for name in line
        if name.endswith(_METADATA) and name.removesuffix(_METADATA) in line
    }
    if len(found) == 1:
        return found.pop()
    came = ", ".join(sorted(found)[:8]) or "none"
    raise BadLabels(f"label attributes with {_METADATA} beside them: {came}; name the one with the counts")


def _count(line: Line, attribute: str) -> int:
    metadata = _object(line.get(attribute + _METADATA))
    if failure := metadata.get("failure-reason"):
        raise BadRow("unlabelled", f"Ground Truth's failure-reason: {str(failure)[:80]}")
    if attribute not in line:
        raise BadRow("unlabelled", f"it has no {attribute[:40]!r}")
    value, kind = line[attribute], str(metadata.get("type", "")).rpartition("/")[2]
    if kind == "object-detection":
        boxes = _object(value).get("annotations")
        if not isinstance(boxes, list):
            raise BadRow("bad_count", "it has no annotations to be counted")
        return count_in(len(cast("list[object]", boxes)))
    return count_in(metadata.get("class-name") if kind == "image-classification" else value)


def _word(line: Line, name: str) -> str:
    value = line.get(name)
    return value if isinstance(value, str) else "" if value is None else str(value)


def _object(value: object) -> Line:
    return cast(Line, value) if isinstance(value, dict) else {}

"""Step join: the answers of one chunk of images become rows."""

import json
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

from bincount.counting.answer import Count
from bincount.recount.run_files import RunFiles, split_uri
from bincount.site.row import Row
from bincount.stage.objects import read_if_there
from bincount.texts import shortened

THREADS = 32


def join(*, run_files: RunFiles, chunk: str) -> int:
    """Reads the answer of every image of the chunk, writes `work/rows/<chunk>.jsonl`; returns their number.

    An image without an answer, or with one that cannot be read, is a row with an error.
    """
    source = json.loads(_get(run_files, "work/source.json") or b"{}")["source"]
    _, prefix = split_uri(source, what="images")

    def row(planned: dict[str, Any]) -> dict[str, Any]:
        if "row" in planned:
            return planned["row"]
        return replace(_row(run_files, prefix, planned), others=tuple(planned["others"])).to_json()

    with ThreadPoolExecutor(THREADS) as pool:
        rows = list(pool.map(row, run_files.read_lines(f"work/chunks/{chunk}.jsonl")))
    run_files.write_lines(f"work/rows/{chunk}.jsonl", rows)
    return len(rows)


def row_of_answer(document: Mapping[str, Any], *, id: str, image: str, expected: int | None) -> Row:
    """The row of one batch answer or error. The verdict is the server's own: it is only looked up.

    Raises KeyError, TypeError, ValueError or IndexError for a document of another form.
    """
    if "error" in document:
        error = document["error"]
        return Row.of_error(str(error["code"]), str(error["message"]), id=id, image=image, expected=expected)
    answer = dict(document)
    verifications = answer.pop("verifications")
    if expected is not None:
        # Numbers above the table fare as its last one (docs/contracts.md, "The answer").
        answer["verification"] = {
            **verifications[min(expected, len(verifications) - 1)],
            "expected": expected,
        }
    return Row.of_answer(Count.from_json(answer), id=id, image=image)


def _row(run_files: RunFiles, prefix: str, planned: Mapping[str, Any]) -> Row:
    name, image, expected = planned["name"], f"{prefix}{planned['name']}", planned["expected"]
    # The API reference shows two layouts of the answers: below the manifest's prefix, and with that prefix.
    body = _get(run_files, f"answers/{name}.out") or _get(run_files, f"answers/{image}.out")
    if body is None:
        message = "the transform job wrote no answer for this image: recount it by hand"
        return Row.of_error("no_answer", message, id=planned["id"], image=image, expected=expected)
    try:
        return row_of_answer(json.loads(body), id=planned["id"], image=image, expected=expected)
    except (KeyError, TypeError, ValueError, IndexError) as error:
        message = f"{type(error).__name__}: {error} in {shortened(body.decode(errors='replace'), 100)}"
        return Row.of_error("bad_answer", message, id=planned["id"], image=image, expected=expected)


def _get(run_files: RunFiles, name: str) -> bytes | None:
    return read_if_there(run_files.s3, run_files.bucket, run_files.key(name))

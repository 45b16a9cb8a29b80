"""Plan: joins the index, rejects duplicates, assigns splits and writes the work that is still to do."""

import hashlib
import heapq
import json
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from bincount_sources.reasons import Reasons
from bincount_sources.split import SPLITS, split_of_block
from data_prep.errors import BadRequest, NotTrainable
from data_prep.report.trainable import require_trainable
from data_prep.run import Run
from data_prep.select.blocks import block_of_line
from data_prep.select.corrections import Corrections
from data_prep.select.draws import draw_of
from data_prep.select.spelling import explain_missing
from data_prep.steps.index import index_all, index_key
from data_prep.steps.open_run import LIST_REJECTED, NOTES, PARTS, corrections_of, wrong_corrections
from data_prep.steps.records import identity_of, read_records, shown_name
from data_prep.storage.lines import Line, read_files, read_json, read_lines, write_json, write_lines
from data_prep.storage.store import Missing, exists

PLANNED = "planned.jsonl.gz"
REJECTED = "rejected.jsonl.gz"
SUMMARY = "plan.json"
WORK_LIST = "work.json"


def plan(run: Run) -> dict[str, Any]:
    """Write the work list (a JSON array of items); answers how many images are planned and how many to do.

    Index parts that the index step did not read are read here. What was planned once stays planned: a
    second run only takes out of the work list what already has a record. Abandons the run and raises
    BadRequest where nothing usable is selected or a correction fits no image, NotTrainable where no model
    can be trained on what is.
    """
    if not exists(run.target, run.key(SUMMARY)):
        _decide(run)
    summary = read_json(run.target, run.key(SUMMARY))
    return {"images": summary["planned"], "to_do": _write_array(run, remaining(run))}


def remaining(run: Run) -> Iterator[Line]:
    """The planned items without a record, sorted by id."""
    done = (record["id"] for record in read_records(run))
    return _without(read_lines(run.target, run.key(PLANNED)), done)


def _decide(run: Run) -> None:
    parts = _parts(run)
    for _ in index_all(run, parts):
        pass
    corrections = Corrections(corrections_of(run))
    selection = _Selection(run, [part["part"] for part in parts], corrections)
    write_lines(run.target, run.key(PLANNED), selection.planned())
    list_rejected = list(read_lines(run.target, run.key(LIST_REJECTED)))
    rejected = heapq.merge(list_rejected, selection.rejected, key=lambda line: line["id"])
    write_lines(run.target, run.key(REJECTED), rejected)
    reasons = Reasons()
    for line in [*list_rejected, *selection.rejected]:
        reasons.add(name=shown_name(line), reason=line["reason"], detail=line.get("detail"))
    hints = _hints(run, selection)
    try:
        _require_fitting(run, corrections, rejected=[*list_rejected, *selection.rejected])
        _require_images(run, selection, reasons, hints)
        require_trainable(
            selection.counts,
            blocks=len(selection.blocks),
            validation_share=run.request.validation_share,
            own=run.request.source.own,
            hints=hints,
        )
    except (BadRequest, NotTrainable) as error:
        run.abandon(str(error))
        raise
    summary: dict[str, Any] = {
        "planned": selection.images,
        "rejected": reasons.counts.total(),
        "relabelled": selection.relabelled,
        "not_selected": selection.not_selected,
        "warnings": hints,
    }
    if run.request.corrections:
        summary["corrections"] = corrections.actions
    write_json(run.target, run.key(SUMMARY), summary)


def _hints(run: Run, selection: "_Selection") -> list[str]:
    """What is to be said of labels as a whole, and of a list of which most ids find no image."""
    if run.request.source.own:
        return [*read_json(run.target, run.key(NOTES)), *_own_hints(run, selection)]
    if run.request.file_list is None:
        return []
    missing = [line["id"] for line in selection.rejected if line["reason"] == "missing_image"]
    if len(missing) <= selection.images:
        return []
    hint = explain_missing(run, missing)
    return [f"{len(missing)} listed ids have no image" + (f": {hint}" if hint else "")]


def _own_hints(run: Run, selection: "_Selection") -> list[str]:
    missing = [line["name"] for line in selection.rejected if line["reason"] == "missing_image"]
    if len(missing) <= selection.images:
        return []
    return [
        f"{len(missing)} rows find no image, the first is {missing[0]!r}: a name is a path below "
        f"{run.source.uri}"
    ]


def _require_fitting(run: Run, corrections: Corrections, *, rejected: list[Line]) -> None:
    faults = corrections.faults(rejected)
    if faults:
        raise wrong_corrections(run, faults)


def _require_images(run: Run, selection: "_Selection", reasons: Reasons, hints: list[str]) -> None:
    if selection.images:
        return
    found = ", ".join(f"{reason}: {count}" for reason, count in sorted(reasons.counts.items()))
    if run.request.source.own:
        found = "; ".join(reasons.lines())
    raise BadRequest(
        f"the request selects no usable image of {run.source.uri} ({found or 'nothing was found'}); "
        + "".join(f"{hint}; " for hint in hints)
        + "check source and selection, then start it again"
    )


def _parts(run: Run) -> list[dict[str, Any]]:
    try:
        return read_json(run.target, run.key(PARTS))
    except Missing as error:
        raise BadRequest(
            f"{run.target.uri}{run.key(PARTS)} is not there; run the open step with the request first"
        ) from error


class _Selection:
    """One pass over the index, in the order of ids. It holds an ETag an image and the rejected, no more."""

    def __init__(self, run: Run, parts: list[str], corrections: Corrections) -> None:
        self._run = run
        self._parts = parts
        self._corrections = corrections
        self._limits = self._find_limits()
        self.rejected: list[Line] = []
        self.counts: dict[str, Counter[int]] = {split: Counter() for split in SPLITS}
        self.blocks: set[str] = set()
        self.relabelled = 0
        self.not_selected = 0

    @property
    def images(self) -> int:
        """How many are planned."""
        return sum(counts.total() for counts in self.counts.values())

    def planned(self) -> Iterator[Line]:
        """The items to arrange, each {id, count, split, etag, bytes}; a corrected one has `old_count`."""
        self.rejected = []
        for line in self._unique(self.rejected):
            if not self._is_wanted(line):
                self.not_selected += 1
                continue
            self.relabelled += "listed" in line
            block = block_of_line(line)
            split = split_of_block(block, validation_share=self._run.request.validation_share)
            self.counts[split][line["count"]] += 1
            self.blocks.add(block)
            yield line | {"split": split}

    def _unique(self, rejected: list[Line]) -> Iterator[Line]:
        seen: dict[bytes, tuple[str, str]] = {}
        keys = [index_key(self._run, part) for part in self._parts]
        for lines in read_files(self._run.target, keys):
            for line in lines:
                if "reason" in line:
                    rejected.append(line)
                    continue
                digest = hashlib.md5(line["etag"].encode(), usedforsecurity=False).digest()
                first, name = seen.setdefault(digest, (line["id"], shown_name(line)))
                if first == line["id"]:
                    followed = self._corrections.follow(line)
                    if "reason" in followed:
                        rejected.append(followed)
                    else:
                        yield followed
                else:
                    fault = {"reason": "duplicate", "detail": f"the same bytes as {name}"}
                    rejected.append(identity_of(line) | fault)

    def _in_range(self, count: int) -> bool:
        counts = self._run.request.counts
        return counts is None or counts[0] <= count <= counts[1]

    def _is_wanted(self, line: Line) -> bool:
        if not self._in_range(line["count"]):
            return False
        limit = self._limits.get(line["count"])
        return limit is None or draw_of(line["id"], purpose="limit") <= limit

    def _find_limits(self) -> dict[int, int]:
        """The largest draw that is still taken, for each count that has more images than the limit."""
        most = self._run.request.limit_per_class
        if most is None:
            return {}
        smallest: dict[int, list[int]] = {}
        totals: Counter[int] = Counter()
        for line in self._unique([]):
            heap = smallest.setdefault(line["count"], [])
            totals[line["count"]] += 1
            push = heapq.heappush if len(heap) < most else heapq.heappushpop
            push(heap, -draw_of(line["id"], purpose="limit"))
        return {count: -heap[0] for count, heap in smallest.items() if totals[count] > most}


def _without(planned: Iterable[Line], done: Iterable[str]) -> Iterator[Line]:
    """The planned items that are not in `done`; both sorted by id."""
    rest = iter(done)
    current = next(rest, None)
    for item in planned:
        while current is not None and current < item["id"]:
            current = next(rest, None)
        if current != item["id"]:
            yield item


def _write_array(run: Run, items: Iterable[Line]) -> int:
    written = 0
    with tempfile.TemporaryDirectory(prefix="bincount-") as scratch:
        path = Path(scratch) / "work.json"
        with path.open("w", encoding="utf-8") as file:
            file.write("[")
            for item in items:
                file.write(
                    ("," if written else "") + "\n" + json.dumps(item, sort_keys=True, separators=(",", ":"))
                )
                written += 1
            file.write("\n]\n")
        run.target.write_file(run.key(WORK_LIST), path, content_type="application/json")
    return written

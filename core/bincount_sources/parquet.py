"""The rows of a Parquet file as texts. The library is Rust and may end its process on a damaged file: it runs
in another one, `python -m bincount_sources.parquet`."""

import io
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

from bincount_sources.found import BadLabels

MAGIC = b"PAR1"


def read_parquet_rows(data: bytes, *, wanted: Sequence[str]) -> Iterator[tuple[int, list[str]]]:
    """The names of the columns with the number 0, then each row with its number; empty cells, and columns
    that are not `wanted` (in small letters), are "". Raises BadLabels."""
    if data[-4:] != MAGIC or len(data) < 12:
        raise BadLabels("this Parquet file is cut short: its last four bytes are not PAR1; copy it again")
    command = [sys.executable, "-m", "bincount_sources.parquet", *wanted]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(command, input=data, capture_output=True, env=environment, check=False)
    if done.returncode:
        said = done.stderr.decode(errors="replace").strip().rpartition("\n")[2][:200]
        raise BadLabels(f"this Parquet file is damaged ({said}): write it again")
    for number, line in enumerate(filter(None, done.stdout.splitlines())):
        yield number, json.loads(line)


def _texts(column: Any) -> list[str]:
    if (kind := column.type).is_timestamp(kind):  # Python's own needs a database of zones: Lambda has none
        seconds = column.cast(kind.timestamp("s", tz=kind.tz)).cast(kind.int64()).to_pylist()
        return ["" if value is None else str(datetime.fromtimestamp(value, UTC)) for value in seconds]
    return ["" if value is None else str(value) for value in column.to_pylist()]


if __name__ == "__main__":
    from arro3.io import read_parquet

    batches = read_parquet(io.BytesIO(sys.stdin.buffer.read()), batch_size=8192)
    print(json.dumps(names := batches.schema.names))
    read = [name.strip().lower() in sys.argv[1:] for name in names]
    for batch in batches:
        nothing = [""] * batch.num_rows
        columns = [_texts(batch.column(place)) if take else nothing for place, take in enumerate(read)]
        print("\n".join(map(json.dumps, zip(*columns, strict=True))))

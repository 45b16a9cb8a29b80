"""Pack: one WebDataset shard, a tar of `<id>.jpg` and `<id>.cls` (the count as text) in shuffled order."""

import hashlib
import io
import shutil
import tarfile
import tempfile
from pathlib import Path

from data_prep.errors import BadRequest, NotReconciled
from data_prep.run import Run
from data_prep.select.draws import draw_of
from data_prep.steps.assign_shards import list_key, shard_key
from data_prep.storage.lines import Line, read_lines, write_json
from data_prep.storage.parallel import map_ordered
from data_prep.storage.s3_store import CONNECTIONS
from data_prep.storage.store import Missing, exists

PACKED = "packed/"


def packed_key(run: Run, name: str) -> str:
    """Where the record of a packed shard is; it is written after the shard."""
    return run.key(f"{PACKED}{name}.json")


def pack(run: Run, name: str) -> None:
    """Write the shard; one that is packed already is left alone. The same images make the same bytes.

    Raises BadRequest where the disk has no room for it. Where a stored image is not the one that was
    recorded, the run is abandoned: raises NotReconciled.
    """
    if exists(run.target, packed_key(run, name)):
        return
    # A second order, so that a shard's order says nothing about which ids it was assigned.
    records = sorted(read_lines(run.target, list_key(run, name)), key=_place)
    with tempfile.TemporaryDirectory(prefix="bincount-") as scratch:
        path = Path(scratch) / "shard.tar"
        _require_room(path.parent, records, run)
        with tarfile.open(path, "w", format=tarfile.USTAR_FORMAT) as shard:
            images = map_ordered(lambda record: _image(run, record), records, workers=CONNECTIONS)
            for record, image in zip(records, images, strict=True):
                _add(shard, f"{record['id']}.jpg", image)
                _add(shard, f"{record['id']}.cls", str(record["count"]).encode())
        written = path.stat().st_size
        run.target.write_file(run.prefix + shard_key(name), path, content_type="application/x-tar")
    write_json(run.target, packed_key(run, name), {"images": len(records), "bytes": written})


def _require_room(folder: Path, records: list[Line], run: Run) -> None:
    needed = sum(map(_tar_bytes, records)) + tarfile.RECORDSIZE
    free = shutil.disk_usage(folder).free
    if needed > free:
        fits = max(1, int(run.request.shard_mb * free / needed * 0.9))
        raise BadRequest(
            f"a shard of {needed / 1e6:.0f} MB does not fit into the {free / 1e6:.0f} MB that are free in "
            f"{folder.parent}; request a shard_mb of at most {fits}"
        )


def _tar_bytes(record: Line) -> int:
    """What an image and its count take: their blocks, and one more each for a header."""
    blocks_of_image = -(-record["bytes"] // tarfile.BLOCKSIZE)
    return (1 + blocks_of_image + 1 + 1) * tarfile.BLOCKSIZE


def _place(record: Line) -> int:
    return draw_of(record["id"], purpose="place")


def _image(run: Run, record: Line) -> bytes:
    key = run.staged_key(record)
    try:
        data = run.target.read(key)
    except Missing as error:
        raise _abandoned(run, f"{run.target.uri}{key} was recorded but is not there") from error
    if hashlib.sha256(data).hexdigest() != record["sha256"]:
        raise _abandoned(run, f"{run.target.uri}{key} is not what was recorded")
    return data


def _abandoned(run: Run, fault: str) -> NotReconciled:
    run.abandon(fault)
    return NotReconciled(f"{fault}; start it again, it begins anew")


def _add(shard: tarfile.TarFile, name: str, data: bytes) -> None:
    # Owner, mode and time stay at TarInfo's fixed defaults: the same images make the same tar.
    member = tarfile.TarInfo(name)
    member.size = len(data)
    shard.addfile(member, io.BytesIO(data))

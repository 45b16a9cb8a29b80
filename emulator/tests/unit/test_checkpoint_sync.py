"""Checkpoints go up while the job goes on writing them."""

from pathlib import Path
from typing import Any, BinaryIO

from embedded_cloud.jobs.checkpoints import CheckpointSync


class Uploads:
    """Stands in for S3's client and, at the first upload, does what a job does meanwhile: rename."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.keys: dict[str, bytes] = {}

    def upload_fileobj(self, content: BinaryIO, bucket: str, key: str) -> None:
        self.keys[key] = content.read()
        for scratch in self._folder.glob("*.partial"):
            scratch.rename(scratch.with_suffix(""))

    def get_paginator(self, name: str) -> Any:
        raise AssertionError("restore is not part of these tests")


def test_a_file_renamed_meanwhile_is_taken_under_its_new_name_next_time(
    tmp_path: Path,
) -> None:
    (tmp_path / "a.pt").write_bytes(b"first")
    (tmp_path / "b.pt.partial").write_bytes(b"second")
    uploads = Uploads(tmp_path)
    sync = CheckpointSync(uri="s3://bucket/checkpoints", folder=tmp_path, s3=uploads)
    sync.push()
    assert uploads.keys == {"checkpoints/a.pt": b"first"}
    sync.push()
    assert uploads.keys == {"checkpoints/a.pt": b"first", "checkpoints/b.pt": b"second"}


def test_what_has_not_changed_is_not_sent_again(tmp_path: Path) -> None:
    (tmp_path / "a.pt").write_bytes(b"first")
    sync = CheckpointSync(uri="s3://bucket/checkpoints", folder=tmp_path, s3=Uploads(tmp_path))
    assert (sync.push(), sync.push()) == (1, 0)

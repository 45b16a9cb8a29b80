"""A job's folder is laid out as /opt/ml, and paths of the container point into it."""

import json
from pathlib import Path
from typing import Any, BinaryIO

import pytest
from embedded_cloud.jobs.job_files import JobFiles
from embedded_cloud.jobs.s3_files import CheckpointSync


class Uploads:
    """Replaces S3's client and, at the first upload, does what a job does meanwhile: rename."""

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


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("/opt/ml/checkpoints", "{root}/checkpoints"),
        ("/opt/ml", "{root}"),
        ('"/opt/ml/input/data/code/training.tar.gz"', '"{root}/input/data/code/training.tar.gz"'),
        ("/opt/mlflow", "/opt/mlflow"),
        ("s3://bins/opt/ml/x", "s3://bins/opt/ml/x"),
    ],
)
def test_only_values_that_start_with_opt_ml_are_mapped(tmp_path: Path, text: str, expected: str):
    assert JobFiles(tmp_path).localised(text) == expected.format(root=tmp_path)


def test_the_configuration_is_where_the_toolkit_reads_it(tmp_path: Path):
    files = JobFiles(tmp_path / "job")
    files.make()
    files.write_config(
        {
            "HyperParameters": {
                "epochs": "3",
                "sagemaker_submit_directory": "/opt/ml/input/data/code/c.tar.gz",
            },
            "InputDataConfig": [{"ChannelName": "dataset", "InputMode": "FastFile"}],
            "ResourceConfig": {"InstanceType": "ml.g5.xlarge", "InstanceCount": 1},
        }
    )
    config = tmp_path / "job" / "input" / "config"
    assert json.loads((config / "hyperparameters.json").read_text()) == {
        "epochs": "3",
        "sagemaker_submit_directory": f"{tmp_path}/job/input/data/code/c.tar.gz",
    }
    assert json.loads((config / "resourceconfig.json").read_text())["current_instance_type"] == "ml.g5.xlarge"
    assert (
        json.loads((config / "inputdataconfig.json").read_text())["dataset"]["TrainingInputMode"]
        == "FastFile"
    )


def test_the_folder_of_an_earlier_job_is_not_used_again(tmp_path: Path):
    JobFiles(tmp_path / "job").make()
    with pytest.raises(FileExistsError):
        JobFiles(tmp_path / "job").make()

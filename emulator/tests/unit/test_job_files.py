"""A job's folder is laid out as /opt/ml, and paths of the container point into it."""

import json
from pathlib import Path

import pytest
from embedded_cloud.jobs.job_files import JobFiles


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


def test_the_configuration_stands_where_the_toolkit_reads_it(tmp_path: Path):
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

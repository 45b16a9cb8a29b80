"""Jobs without a network: what pip needs travels in the code's archive."""

import hashlib
import os
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest
from aws_cdk.assertions import Template

from infra.packaging import requirements as locked
from infra.packaging import training_archive as code_archive
from tests.infra.machines import job_request, states_of

REQUIREMENTS = code_archive.ROOT / "training" / "requirements.txt"
TARGET = ["--python-version", code_archive.JOB_PYTHON, "--implementation", "cp", "--only-binary", ":all:"]
PLATFORMS = [f"--platform=manylinux_{glibc}_x86_64" for glibc in locked.GLIBC]


@pytest.fixture(scope="module")
def wheels() -> Path:
    return code_archive.bring_wheels(requirements=REQUIREMENTS, python=code_archive.JOB_PYTHON)


@pytest.fixture(scope="module")
def archive(wheels: Path) -> Path:
    return code_archive.build(room="training", wheels=wheels)


def test_pip_installs_the_job_s_requirements_from_the_archive_alone(archive: Path, tmp_path: Path) -> None:
    with tarfile.open(archive, "r:gz") as packed:
        packed.extractall(tmp_path, filter="data")
    wanted = (code_archive.ROOT / "training" / "requirements.in").read_text().splitlines()
    names = [line for line in wanted if line and not line.startswith("#")]
    command = [sys.executable, "-m", "pip", "install", "--dry-run", "--target", str(tmp_path / "site")]
    command += [*TARGET, *PLATFORMS, "--no-index", "--find-links", str(tmp_path / "wheels"), *names]
    command += ["--find-links", str(_installed_in_the_image(tmp_path / "image"))]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    assert "Would install" in result.stdout


def _installed_in_the_image(folder: Path) -> Path:
    """Wheels without content for what the lock leaves out, since the training image has it."""
    folder.mkdir()
    for name in (code_archive.ROOT / "training" / "excludes.txt").read_text().split():
        with zipfile.ZipFile(folder / f"{name}-0.1-py3-none-any.whl", "w") as wheel:
            inside = f"{name}-0.1.dist-info"
            wheel.writestr(f"{inside}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: 0.1\n")
            wheel.writestr(f"{inside}/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
            wheel.writestr(f"{inside}/RECORD", "")
    return folder


def test_the_wheels_are_those_that_the_job_s_own_python_will_ask_for(wheels: Path) -> None:
    """The lock names other versions for Python 3.11, which may be the one that runs the synth."""
    names = {path.name for path in wheels.iterdir()}
    lock = REQUIREMENTS.read_text()
    (line,) = [line for line in lock.splitlines() if line.startswith("scipy==") and ">= '3.12'" in line]
    version = line.split("==")[1].split()[0]
    assert [name for name in names if name.startswith(f"scipy-{version}-cp312-")]
    assert len({name.split("-")[0] for name in names}) == len(names), "two versions of a package"


def test_what_the_training_image_has_does_not_travel(archive: Path) -> None:
    with tarfile.open(archive, "r:gz") as packed:
        names = [name.removeprefix("wheels/") for name in packed.getnames() if name.startswith("wheels/")]
    packages = {name.split("-")[0] for name in names}
    assert not packages & {"torch", "torchvision", "triton"}
    assert not [name for name in packages if name.startswith("nvidia")]
    assert archive.stat().st_size < 400e6


def test_the_archive_is_the_same_whenever_it_is_made(archive: Path, wheels: Path) -> None:
    first = hashlib.sha256(archive.read_bytes()).hexdigest()
    for path in wheels.iterdir():
        os.utime(path)
    again = code_archive.build(room="training", wheels=wheels)
    assert hashlib.sha256(again.read_bytes()).hexdigest() == first


def test_a_wheel_that_does_not_exist_fails_with_pip_s_own_words(tmp_path: Path) -> None:
    requirements = tmp_path / "requirements.txt"
    requirements.write_text(f"packaging==0.0.1 --hash=sha256:{'0' * 64}\n")
    with pytest.raises(locked.PackageError, match="packaging==0.0.1"):
        code_archive.bring_wheels(requirements=requirements, python=code_archive.JOB_PYTHON)


def test_an_isolated_job_finds_its_wheels_and_no_index(templates: dict[str, dict[str, Template]]) -> None:
    definition = _definition(templates, "prod")
    assert definition["EnableNetworkIsolation"] is True
    assert definition["Environment"]["PIP_NO_INDEX"] == "1"
    assert definition["Environment"]["PIP_FIND_LINKS"] == f"/opt/ml/code/{code_archive.WHEELS}"
    assert "PIP_NO_INDEX" not in _definition(templates, "dev")["Environment"]


def test_spot_never_goes_without_checkpoints(templates: dict[str, dict[str, Template]]) -> None:
    for stage in ("dev", "prod"):
        definition = _definition(templates, stage)
        assert definition["EnableManagedSpotTraining"] is True
        assert definition["CheckpointConfig"]["S3Uri"]
        assert definition["RetryStrategy"]["MaximumRetryAttempts"] >= 1


def _definition(templates: dict[str, dict[str, Template]], stage: str) -> dict:
    states = states_of(templates, stage, "pipeline")
    return job_request(states["Tune"])["TrainingJobDefinition"]

"""The code that goes to AWS: the same bytes for the same sources."""

import hashlib
import os
import re
import shutil
import tarfile
import zipfile
from pathlib import Path

import aws_cdk as cdk
from aws_cdk import aws_s3_assets as assets

from infra.packaging import lambda_package
from infra.packaging import training_archive as code_archive
from infra.packaging.bundle_files import core_files
from infra.serving import image as serving_image


def test_the_training_archive_is_reproducible() -> None:
    first = hashlib.sha256(code_archive.build(room="training").read_bytes()).hexdigest()
    for path in (code_archive.ROOT / "training").rglob("*.py"):
        os.utime(path)
    assert hashlib.sha256(code_archive.build(room="training").read_bytes()).hexdigest() == first


def test_the_training_archive_has_program_and_requirements_at_its_root() -> None:
    with tarfile.open(code_archive.build(room="training"), "r:gz") as archive:
        names = archive.getnames()
    assert {"train.py", "requirements.txt"} <= set(names)
    assert not [name for name in names if "__pycache__" in name or Path(name).is_absolute()]


def test_a_lambda_package_is_made_once_per_content() -> None:
    first = lambda_package.build(package="data_prep", architecture="arm64", python="3.13")
    again = lambda_package.build(package="data_prep", architecture="arm64", python="3.13")
    other = lambda_package.build(package="data_prep", architecture="x86_64", python="3.13")
    assert first == again != other
    assert (first / "data_prep" / "handler.py").is_file()
    assert list((first / "pydantic_core").glob("*cpython-313-aarch64*.so"))


def test_a_lambda_s_archive_is_reproducible_and_holds_its_package(tmp_path: Path) -> None:
    package = lambda_package.build(package="data_prep", architecture="arm64", python="3.13")
    copy = shutil.copytree(package, tmp_path / "elsewhere", copy_function=shutil.copy)
    (copy / "data_prep" / "__pycache__").mkdir()
    (copy / "data_prep" / "__pycache__" / "handler.cpython-313.pyc").write_bytes(b"of somebody's run")

    first, other = lambda_package.archive_of(package), lambda_package.archive_of(copy)

    assert first.read_bytes() == other.read_bytes()
    with zipfile.ZipFile(first) as archive:
        files = {path.relative_to(package).as_posix(): path for path in package.rglob("*") if path.is_file()}
        assert set(archive.namelist()) == set(files)
        assert all(archive.getinfo(name).file_size == path.stat().st_size for name, path in files.items())
        modes = {info.external_attr >> 16 & 0o444 for info in archive.infolist()}
    assert modes == {0o444}, "Lambda's user must be able to read all"


def test_a_lambda_s_packages_are_those_of_its_own_python() -> None:
    """numpy's lock has a version for each; what is deployed must not depend on where it is deployed from."""
    locked = (lambda_package.ROOT / "data_prep" / "requirements.txt").read_text(encoding="utf-8")
    versions = re.findall(r"^numpy==(\S+) ; python_full_version (<|>=) '3.12'", locked, flags=re.MULTILINE)
    (of_new,) = (version for version, side in versions if side == ">=")
    package = lambda_package.build(package="data_prep", architecture="arm64", python="3.13")
    assert len(versions) == 2
    assert [folder.name for folder in package.glob("numpy-*")] == [f"numpy-{of_new}.dist-info"]


def test_all_that_the_dockerfile_copies_is_uploaded(tmp_path: Path) -> None:
    """The CDK applies a .dockerignore to its upload as well: then no Dockerfile is in it."""
    app = cdk.App(outdir=str(tmp_path))
    stack = cdk.Stack(app, "Image")
    asset = assets.Asset(stack, "Context", path=str(serving_image.build_context()))
    uploaded = Path(app.synth().directory, asset.asset_path)
    copied = re.findall(r"^COPY (?!--from)(?:--\S+ )*(\S+) ", (uploaded / "Dockerfile").read_text(), re.M)
    assert len(copied) >= 5
    for pattern in copied:
        assert list(uploaded.glob(pattern)), pattern
    assert all((uploaded / name).is_file() for name in core_files())

"""Every bundle of code that is deployed holds the same bincount_core, to the byte."""

import sys
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from infra.packaging import lambda_package
from infra.packaging import training_archive as code_archive
from infra.packaging.bundle_files import CORE, SOURCES, core_files, source_files
from infra.serving import image as serving_image

ROOT = Path(__file__).resolve().parents[3]
PYTHON = "3.13"


def training_archive(scratch: Path) -> Path:
    with tarfile.open(code_archive.build(room="training")) as archive:
        archive.extractall(scratch, filter="data")
    return scratch


def tree_of_a_launch(scratch: Path) -> Path:
    if str(ROOT / "training") not in sys.path:
        sys.path.insert(0, str(ROOT / "training"))
    from binlaunch.working_tree import copy_tree

    copy_tree(scratch / "training")
    return scratch / "training"


def data_preparation(scratch: Path) -> Path:
    return lambda_package.build(package="data_prep", architecture="arm64", python=PYTHON)


def recount(scratch: Path) -> Path:
    return lambda_package.build(
        package="client/bincount",
        requirements="client/requirements-recount.txt",
        architecture="arm64",
        python=PYTHON,
    )


def serving_image_and_gate(scratch: Path) -> Path:
    return serving_image.build_context()


BUNDLES = (training_archive, tree_of_a_launch, data_preparation, recount, serving_image_and_gate)


@pytest.mark.parametrize("bundle", BUNDLES, ids=lambda bundle: bundle.__name__)
def test_a_bundle_holds_the_core_to_the_byte(bundle: Callable[[Path], Path], tmp_path: Path) -> None:
    folder = bundle(tmp_path) / "bincount_core"
    held = {
        path.relative_to(folder.parent).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert held == {name: path.read_bytes() for name, path in core_files().items()}


@pytest.mark.parametrize("bundle", [data_preparation, recount], ids=lambda bundle: bundle.__name__)
def test_a_lambda_holds_the_readers_of_sources(bundle: Callable[[Path], Path], tmp_path: Path) -> None:
    folder = bundle(tmp_path)
    assert all((folder / name).read_bytes() == path.read_bytes() for name, path in source_files().items())


def test_a_changed_core_gives_other_bundles(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def names() -> tuple[bytes, str, str]:
        packed = code_archive.build(room="training").read_bytes()
        prepared = lambda_package.build(package="data_prep", architecture="arm64", python=PYTHON)
        return packed, prepared.name, serving_image.build_context().name

    before = names()
    changed = tmp_path / "core.py"
    changed.write_text("# another line\n")
    files = {**core_files(), "bincount_core/another.py": changed}
    for module in (code_archive, lambda_package, serving_image):
        monkeypatch.setattr(module, "core_files", lambda: files)
    assert all(old != new for old, new in zip(before, names(), strict=True))


def test_the_core_is_small() -> None:
    assert sum(len(path.read_text().splitlines()) for path in CORE.rglob("*.py")) <= 800


def test_the_readers_of_sources_are_small() -> None:
    assert sum(len(path.read_text().splitlines()) for path in SOURCES.rglob("*.py")) <= 700

"""What a person gets for a wrong call: one clear line that says what to do, and a failing exit code."""

import fcntl
import os
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def call(*command: str, **variables: str) -> tuple[int, str]:
    """Exit code and all that was printed."""
    environment = {**os.environ, **variables}
    result = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=300, check=False
    )
    return result.returncode, result.stdout + result.stderr


def demo(**variables: str) -> tuple[int, str]:
    return call(sys.executable, "-m", "demo", **variables)


def test_an_unknown_stage(tmp_path: Path) -> None:
    code, printed = call("make", "synth", "STAGE=nowhere", CDK_OUTPUT=str(tmp_path))
    assert code != 0
    (line,) = [line for line in printed.splitlines() if line.startswith("error: ")]
    assert all(word in line for word in ("'nowhere'", "-c stage=", "dev, prod, trial, local"))
    assert "Traceback" not in printed


def test_a_wrong_setting(tmp_path: Path) -> None:
    command = ("npx", "--no-install", "cdk", "synth", "-q", "-c", "training.max_jobs=none")
    code, printed = call(*command, CDK_OUTPUT=str(tmp_path))
    assert code != 0
    assert "training.max_jobs" in printed and "Traceback" not in printed


def test_a_directory_of_images_that_is_not_there() -> None:
    code, printed = demo(BINS="/nowhere/at/all")
    assert (code, printed.count("\n")) == (1, 1)
    assert "BINS=/nowhere/at/all" in printed


def test_a_directory_without_the_public_layout(tmp_path: Path) -> None:
    (tmp_path / "metadata").mkdir()
    code, printed = demo(BINS=str(tmp_path))
    assert code == 1
    assert "bin-images, file_list.json" in printed and "metadata" not in printed


@pytest.mark.parametrize(
    ("file_list", "message"),
    [
        ("", "is not a list of images"),
        ("[]", "is not a list of images"),
        ("[" * 200_000, "is not a list of images"),
        ("{}", "0 listed, 0 of them with image and metadata; at least 100 are needed"),
        ('{"1": ["data/metadata/00001.json", "data/metadata/00002.json"]}', "2 listed, 1 of them"),
    ],
)
def test_a_directory_with_too_little_in_it(tmp_path: Path, file_list: str, message: str) -> None:
    for name in ("bin-images/00001.jpg", "metadata/00001.json"):
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).write_text("{}")
    (tmp_path / "file_list.json").write_text(file_list)
    code, printed = demo(BINS=str(tmp_path))
    assert (code, printed.count("\n")) == (1, 1)
    assert message in printed


def test_a_locale_without_the_signs_that_are_printed(tmp_path: Path) -> None:
    code, printed = demo(BINS=str(tmp_path / "çeşit"), PYTHONIOENCODING="ascii")
    assert (code, printed.count("\n")) == (1, 1)
    assert "/?e?it is not a directory" in printed


def test_a_second_demo_in_the_same_folder() -> None:
    folder = ROOT / "build" / "demo"
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        code, printed = demo()
    assert (code, printed) == (
        1,
        f"error: another demo runs in {ROOT}: end it first, with Ctrl-C in its terminal\n",
    )


def test_a_busy_port_starts_nothing(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        code, printed = demo(PORT=str(taken.getsockname()[1]))
    assert (code, printed.count("\n")) == (1, 1)
    assert "is in use" in printed and "give another PORT" in printed


@pytest.mark.parametrize(("name", "value"), [("PORT", "http"), ("IMAGES", "7"), ("ARCH", "resnet19")])
def test_a_value_out_of_bounds(name: str, value: str) -> None:
    code, printed = demo(**{name: value})
    assert code == 1
    assert f"{name}={value}" in printed and "Traceback" not in printed


def test_no_node_on_the_path(tmp_path: Path) -> None:
    """Every other program is there; only Node is not."""
    for program in ("bash", "make", "python3", "date", "touch", "git", "grep", "sed", "expand", "env"):
        found = shutil.which(program)
        if found:
            (tmp_path / program).symlink_to(found)
    fresh = tmp_path / "tree"
    fresh.mkdir()
    for name in ("Makefile", "package-lock.json", "requirements-dev.txt"):
        shutil.copy(ROOT / name, fresh / name)
    result = subprocess.run(
        ["make", "node_modules/.complete"],
        cwd=fresh,
        env={"PATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode != 0
    (line,) = [each for each in (result.stdout + result.stderr).splitlines() if each.startswith("error: ")]
    assert "'node'" in line and "22" in line


def test_help_lists_the_targets_that_a_person_would_guess() -> None:
    code, printed = call("make", "help")
    assert code == 0
    for target in ("install", "demo", "test", "synth", "lint", "clean", "help"):
        assert f"\n{target} " in f"\n{printed}"

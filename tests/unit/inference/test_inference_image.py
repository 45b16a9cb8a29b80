"""The image as far as it can be built without Docker: its instructions, and what they make."""

import json
import os
import re
import shutil
import subprocess
import sys
import urllib.request
from dataclasses import dataclass
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from infra.serving import image as serving_image
from tests.processes import serving

ROOT = Path(__file__).parents[3]
INFERENCE = ROOT / "inference"
# The base (python:3.13-slim-bookworm) is about 150 MB uncompressed; the image is to stay under 450.
MOST_INSTALLED_MB = 300


def steps() -> list[str]:
    """The commands of the Dockerfile's RUN instructions, one string each."""
    text = (INFERENCE / "Dockerfile").read_text().replace("\\\n", " ")
    return [line.removeprefix("RUN ") for line in text.splitlines() if line.startswith("RUN ")]


def lock_entries(name: str) -> list[str]:
    """A lock's entries, each a requirement with its hashes on the following lines."""
    text = re.sub(r"^\s*#.*\n", "", (INFERENCE / name).read_text(), flags=re.MULTILINE)
    return re.findall(r"^\S.*(?:\n[ \t]+.*)*", text, flags=re.MULTILINE)


def test_the_linter_has_nothing_to_say_about_the_dockerfile():
    linter = Path(sys.executable).with_name("hadolint")
    ended = subprocess.run([linter, INFERENCE / "Dockerfile"], capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stdout) == (0, "")


@dataclass(frozen=True, slots=True)
class Built:
    """What the RUN instructions made in an environment that was empty before."""

    program: Path
    packages: Path
    environment: dict[str, str]


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    """The Dockerfile's first two RUN instructions, carried out in an empty virtual environment.

    The image's absolute folder for the tool of the bill of materials is replaced, nothing else.
    """
    folder = tmp_path_factory.mktemp("image")
    subprocess.run([sys.executable, "-m", "venv", folder / "python"], check=True)
    program = folder / "program"
    context = serving_image.build_context()
    shutil.copytree(context, program / "inference", ignore=shutil.ignore_patterns("bincount_core"))
    shutil.copytree(context / "bincount_core", program / "bincount_core")
    for lock in context.glob("*requirements.txt"):
        shutil.copy(lock, program)
    environment = {
        "PATH": f"{folder / 'python' / 'bin'}:{os.environ['PATH']}",
        "PYTHONPATH": str(program),
        "HOME": str(folder),
        **{name: value for name, value in os.environ.items() if name.startswith("PIP_")},
    }
    for step in steps()[:2]:
        here = step.replace("/opt/sbom", str(folder / "sbom"))
        subprocess.run(["sh", "-euc", here], cwd=program, env={**environment, "PYTHONPATH": ""}, check=True)
    (packages,) = (folder / "python" / "lib").glob("python*/site-packages")
    shutil.copy(folder / "sbom" / "sbom.cdx.json", program)
    return Built(program, packages, environment)


def test_the_locked_packages_are_small_enough_for_the_image(built):
    size = sum(path.lstat().st_size for path in built.packages.rglob("*") if path.is_file())
    assert size < MOST_INSTALLED_MB * 1_000_000
    assert not list(built.packages.glob("torch*"))


def test_the_bill_of_materials_has_every_locked_package_and_version(built):
    bill = json.loads((built.program / "sbom.cdx.json").read_text())
    assert bill["bomFormat"] == "CycloneDX"
    listed = {(canonicalize_name(part["name"]), part["version"]) for part in bill["components"]}
    for entry in lock_entries("requirements.txt"):
        locked = Requirement(entry.split("\\")[0].strip())
        if locked.marker is None or locked.marker.evaluate():
            assert (canonicalize_name(locked.name), str(locked.specifier).removeprefix("==")) in listed


def test_serve_counts_an_image_from_that_environment(built, model_dir, gray):
    """`serve` itself; it listens where the image does not, on this machine alone."""
    command = ["sh", str(INFERENCE / "serve"), "--model-dir", str(model_dir)]
    command += ["--host", "127.0.0.1", "--port", "0"]
    with serving(command, folder=built.program, environment=built.environment) as port:
        request = urllib.request.Request(
            f"http://127.0.0.1:{port}/invocations", gray(120), {"Content-Type": "image/jpeg"}
        )
        with urllib.request.urlopen(request, timeout=30) as answer:
            assert json.load(answer)["count"] == 3


@pytest.mark.parametrize("machine", ["x86_64", "aarch64"])
@pytest.mark.parametrize("lock", ["requirements.txt", "sbom-requirements.txt"])
def test_every_locked_package_has_a_wheel_for_the_image_s_python(tmp_path, machine, lock):
    """Graviton's images are built from the same lock: pip resolves it for Python 3.13 on that machine."""
    wanted = {"python_full_version": "3.13.0", "python_version": "3.13", "platform_machine": machine}
    chosen = tmp_path / "lock.txt"
    with chosen.open("w") as file:
        for entry in lock_entries(lock):
            requirement, *hashes = entry.split("\\\n")
            locked = Requirement(requirement.strip())
            if locked.marker is None or locked.marker.evaluate(wanted):
                file.write(" \\\n".join([f"{locked.name}{locked.specifier}", *hashes]) + "\n")
    command = [
        sys.executable,
        "-m",
        "pip",
        "install",
        "--quiet",
        "--dry-run",
        "--no-deps",
        "--require-hashes",
    ]
    command += ["--only-binary", ":all:", "--python-version", "3.13", "--target", str(tmp_path / "none")]
    for glibc in range(17, 37):  # Debian 12, the base, has glibc 2.36
        command += ["--platform", f"manylinux_2_{glibc}_{machine}"]
    command += ["--platform", f"manylinux2014_{machine}"]
    subprocess.run([*command, "-r", str(chosen)], check=True)

"""A build specification runs as CodeBuild runs it: one shell, phases, and what follows a failure."""

import subprocess
from typing import Any

import pytest
from embedded_cloud.codebuild.builds import build_script


def run(**phases: list[str]) -> tuple[int, list[str]]:
    """The exit code and what the commands printed, of a specification with these phases."""
    specification: dict[str, Any] = {"phases": {name: {"commands": rows} for name, rows in phases.items()}}
    ended = subprocess.run(["/bin/sh", "-c", build_script(specification)], capture_output=True, text=True)
    return ended.returncode, [line for line in ended.stdout.splitlines() if "Entering phase" not in line]


def test_folders_and_variables_last_from_command_to_command() -> None:
    script = run(build=["cd /", "NAME=bins", "echo $(pwd) $NAME"], post_build=['echo "still $NAME"'])
    assert script == (0, ["/ bins", "still bins"])


def test_after_a_failed_build_only_post_build_runs_and_knows() -> None:
    reported = "echo succeeding=$CODEBUILD_BUILD_SUCCEEDING"
    assert run(build=[reported, "false", "echo never"], post_build=[reported]) == (
        1,
        ["succeeding=1", "succeeding=0"],
    )


@pytest.mark.parametrize("phase", ["install", "pre_build"])
def test_a_failure_before_the_build_ends_it(phase: str) -> None:
    assert run(**{phase: ["false"]}, build=["echo never"], post_build=["echo never"]) == (1, [])


def test_a_failed_post_build_fails_the_build() -> None:
    assert run(build=["echo done"], post_build=["false"]) == (1, ["done"])

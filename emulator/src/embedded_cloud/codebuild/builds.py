"""StartBuild: runs the phases of a project's build specification to their end."""

import json
import logging
import os
import shlex
import shutil
import sys
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from embedded_cloud.aws import Aws
from embedded_cloud.identity import REGION
from embedded_cloud.jobs.output import LogStream
from embedded_cloud.processes import GuardedProcess
from embedded_cloud.settings import Settings

_PHASES = ("install", "pre_build", "build", "post_build")
_LOG = logging.getLogger("embedded_cloud.codebuild")
_TOOLS = ("aws", "docker", "curl", "unzip")
_STOP_SECONDS = 5.0

Answer = tuple[int, Mapping[str, str], bytes]
_PACKAGES = Path(__file__).resolve().parents[2]
"""Where this package lies: a build runs its programs from there."""


@dataclass(frozen=True, kw_only=True)
class Builds:
    """Wraps ministack's StartBuild, which keeps a record and builds nothing.

    `start(request)` is ministack's own, `record(id)` its record of a build, `project(name)` its project,
    whose service role builds. The commands find `aws`, `docker`, `curl` and `unzip` of this package in front
    of the PATH.
    """

    start: Callable[[dict[str, Any]], Answer]
    record: Callable[[str], dict[str, Any]]
    project: Callable[[str], dict[str, Any]]
    settings: Settings
    aws: Aws

    def __call__(self, request: dict[str, Any]) -> Answer:
        """StartBuild: answers at once, the build goes on."""
        status, headers, body = self.start(request)
        if status != 200:
            return status, headers, body
        answer = json.loads(body)
        record = self.record(answer["build"]["id"])
        project = self.project(request["projectName"])
        # A copy: ministack hands out the record itself, and callers of StartBuild see it IN_PROGRESS.
        record |= {"buildStatus": "IN_PROGRESS", "buildComplete": False, "currentPhase": "BUILD"}
        record["logs"] = {**record["logs"], "streamName": record["id"].partition(":")[2]}
        record.pop("endTime", None)
        threading.Thread(target=self._run, args=(record, project, request), daemon=True).start()
        answer["build"] |= {"buildStatus": "IN_PROGRESS", "buildComplete": False, "currentPhase": "BUILD"}
        return status, headers, json.dumps(answer).encode()

    def _run(self, record: dict[str, Any], project: dict[str, Any], request: dict[str, Any]) -> None:
        """Never raises: a fault of ours is the build's FAULT."""
        status = "FAULT"
        try:
            status = "SUCCEEDED" if self._succeeds(record, project, request) else "FAILED"
        except Exception:
            _LOG.exception("build %s", record["id"])
        record |= {"buildStatus": status, "buildComplete": True, "currentPhase": "COMPLETED"}
        record["endTime"] = int(time.time())

    def _succeeds(self, record: dict[str, Any], project: dict[str, Any], request: dict[str, Any]) -> bool:
        group, stream = f"/aws/codebuild/{project['name']}", record["id"].partition(":")[2]
        folder = self.settings.jobs_dir / f"build-{stream}"
        (folder / "src").mkdir(parents=True)
        tools = self._tools(folder)
        variables = {
            **self.aws.environment(role=project["serviceRole"], session=project["name"]),
            "PATH": f"{tools}{os.pathsep}{os.defpath}",
            "HOME": str(folder),
            "TMPDIR": str(self.settings.temporary_dir),
            "LANG": "C.UTF-8",
            "CODEBUILD_BUILD_ID": record["id"],
            "CODEBUILD_LOG_PATH": stream,
            "AWS_REGION": REGION,
            **_values(project.get("environment", {}).get("environmentVariables", [])),
            **_values(request.get("environmentVariablesOverride", [])),
        }
        specification = request.get("buildspecOverride") or project["source"]["buildspec"]
        script = folder / "build.sh"
        script.write_text(build_script(json.loads(specification)), encoding="utf-8")
        log = LogStream(logs=self.aws.client("logs"), group=group, stream=stream)
        process = GuardedProcess(
            command=["/bin/sh", str(script)], environment=variables, directory=folder / "src"
        )
        try:
            for line in process.output:
                log.write(line.decode("utf-8", errors="replace").rstrip("\n"))
        finally:
            code = process.stop(grace=_STOP_SECONDS)
            log.close()
            shutil.rmtree(folder, ignore_errors=True)
        return code == 0

    def _tools(self, folder: Path) -> Path:
        tools = folder / "tools"
        tools.mkdir()
        for name in _TOOLS:
            program = tools / name
            run = f'import sys; sys.path.insert(0, "{_PACKAGES}"); sys.argv[0] = "{name}"; '
            run += "from embedded_cloud.codebuild.tools import main; sys.exit(main())"
            program.write_text(f"#!/bin/sh\nexec {sys.executable} -P -c '{run}' \"$@\"\n", encoding="utf-8")
            program.chmod(0o755)
        return tools


def _values(variables: list[dict[str, str]]) -> dict[str, str]:
    return {variable["name"]: variable["value"] for variable in variables}


def build_script(specification: dict[str, Any]) -> str:
    """All commands run in one shell, so that `cd` and variables last from one to the next.

    A command that fails ends its phase and the build; only `post_build` still runs after a failed `build`,
    with CODEBUILD_BUILD_SUCCEEDING=0. The script ends with 0 where every phase did.
    """
    lines = ["CODEBUILD_BUILD_SUCCEEDING=1", "export CODEBUILD_BUILD_SUCCEEDING", "running=1"]
    for phase in _PHASES:
        commands: list[str] = specification.get("phases", {}).get(phase, {}).get("commands", [])
        lines.append(f"ok=$running; echo 'Entering phase {phase.upper()}'")
        for command in commands:
            lines.append(f'[ "$ok" = 0 ] || eval {shlex.quote(command)} || ok=0')
        lines.append('[ "$ok" = 1 ] || CODEBUILD_BUILD_SUCCEEDING=0')
        if phase != "build":
            lines.append('running="$ok"')
    return "\n".join([*lines, '[ "$CODEBUILD_BUILD_SUCCEEDING" = 1 ]', ""])

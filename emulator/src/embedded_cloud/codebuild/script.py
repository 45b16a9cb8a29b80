"""A build specification as one shell script, with the rules of version 0.2."""

import shlex
from typing import Any

_PHASES = ("install", "pre_build", "build", "post_build")


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

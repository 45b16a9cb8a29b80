"""The lines of a hash-locked requirements file that count for one Python and machine."""

import re

from packaging.markers import default_environment
from packaging.requirements import Requirement


def lines_for(locked: str, *, python: str | None, machine: str) -> str:
    """The requirements of the text `locked` whose markers hold, with their hashes, a line each.

    pip would judge markers by the interpreter that runs it, so that what is deployed would depend on whose
    machine it is deployed from. `python` is a version such as 3.13, on Linux and `machine` (aarch64, x86_64);
    None stands for the running interpreter and machine.
    """
    environment = {name: str(value) for name, value in default_environment().items()}
    if python is not None:
        environment |= {
            "python_version": python,
            "python_full_version": f"{python}.0",
            "implementation_version": f"{python}.0",
            "platform_machine": machine,
            "platform_system": "Linux",
            "sys_platform": "linux",
            "os_name": "posix",
        }
    kept: list[str] = []
    for line in re.sub(r"\\\n\s*", " ", locked).splitlines():
        text, *hashes = re.split(r"\s+(?=--hash=)", line.strip())
        if not text or text.startswith("#"):
            continue
        requirement = Requirement(text)
        if requirement.marker is None or requirement.marker.evaluate(environment):
            requirement.marker = None
            kept.append(" ".join((str(requirement), *hashes)))
    return "".join(f"{line}\n" for line in kept)

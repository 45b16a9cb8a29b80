"""The real CDK command line, run against the embedded cloud."""

import json
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from local.demo.errors import DemoError
from local.demo.options import ROOT

ACCOUNT_AND_REGION = "aws://000000000000/us-east-1"


class Deployment:
    """Bootstraps and deploys the stage `local`.

    `say` is told what the CDK is doing. The full output stands in `out`/cdk.log.
    """

    def __init__(
        self,
        *,
        environment: Mapping[str, str],
        out: Path,
        overrides: Mapping[str, str],
        say: Callable[[str], None],
    ) -> None:
        self._environment = environment
        self._out = out
        self._say = say
        self._context = ["-c", "stage=local"]
        for key, value in overrides.items():
            self._context += ["-c", f"{key}={value}"]
        self._log = out / "cdk.log"
        self._log.unlink(missing_ok=True)

    def bootstrap(self) -> None:
        """`cdk bootstrap`: the bucket and roles that the CDK itself needs."""
        self._cdk("bootstrap", ACCOUNT_AND_REGION)

    def deploy(self) -> dict[str, dict[str, str]]:
        """`cdk deploy --all`; returns the stacks' outputs."""
        outputs = self._out / "outputs.json"
        outputs.unlink(missing_ok=True)
        self._cdk("deploy", "--all", "--require-approval", "never", "--outputs-file", str(outputs))
        answer: dict[str, dict[str, str]] = json.loads(outputs.read_text())
        return answer

    def destroy(self) -> None:
        """`cdk destroy --all`."""
        self._cdk("destroy", "--all", "--force")

    def _cdk(self, *arguments: str) -> None:
        command = [
            str(ROOT / "node_modules" / ".bin" / "cdk"),
            *arguments,
            *self._context,
            "--output",
            str(self._out / "cdk.out"),
            "--progress",
            "events",
            "--no-color",
            "--no-notices",  # they are fetched from the internet
        ]
        with self._log.open("a") as log:
            process = subprocess.Popen(
                command,
                cwd=ROOT,
                env=dict(self._environment),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
            )
            try:
                last = self._follow(process, log)
            finally:
                if process.poll() is None:
                    process.terminate()
                    process.wait(timeout=30)
        if process.returncode:
            words = "\n       ".join(last[-5:])
            raise DemoError(f"cdk {arguments[0]} failed; all of it stands in {self._log}:\n       {words}")

    def _follow(self, process: subprocess.Popen[str], log: Any) -> list[str]:
        assert process.stdout is not None
        lines: list[str] = []
        for line in process.stdout:
            log.write(line)
            text = line.strip()
            if not text:
                continue
            lines.append(text)
            event = [part.strip() for part in text.split("|")]
            # "<stack> | <n>/<all> | <time> | <status> | <type> | <id>"
            if len(event) >= 6:
                self._say(f"{event[0]}: {event[4]} {event[3].lower().replace('_', ' ')}")
        process.wait()
        return lines

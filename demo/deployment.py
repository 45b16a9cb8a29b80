"""The real CDK command line, run against the embedded cloud."""

import json
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from embedded_cloud.environment import neutral_environment
from embedded_cloud.processes import GuardedProcess

from demo.cloud import STAGE, run_sizes
from demo.options import ROOT, DemoError

ACCOUNT_AND_REGION = "aws://000000000000/us-east-1"
_STOP_SECONDS = 10.0


class Deployment:
    """Bootstraps and deploys a stage of cdk.json, in the sizes of a run on this machine.

    `environment` is what the cloud adds to this process's own. `overrides` are further settings. `say` is
    called with what the CDK is doing. The full output is in `out`/cdk.log.
    """

    def __init__(
        self,
        *,
        environment: Mapping[str, str],
        out: Path,
        overrides: Mapping[str, str],
        say: Callable[[str], None],
        stage: str = STAGE,
    ) -> None:
        # Node and jsii leave their scratch folders where they are killed.
        temporary = out / "tmp"
        shutil.rmtree(temporary, ignore_errors=True)
        temporary.mkdir(parents=True)
        self._temporary = temporary
        self._environment = {
            **neutral_environment(),
            **environment,
            "TMPDIR": str(temporary.resolve()),
            # The CDK's own validation takes longer than all the rest of a synthesis. `make synth` has it on,
            # and tests/infra holds every stage and setting to it.
            "CDK_VALIDATION": "false",
        }
        self._out = out
        self._assembly = (out / "cdk.out").resolve()
        self._say = say
        self._stage = stage
        self._context = ["-c", f"stage={stage}"]
        sizes = {} if stage == STAGE else run_sizes()
        for key, value in {**sizes, **overrides}.items():
            self._context += ["-c", f"{key}={value}"]
        self._log = out / "cdk.log"
        self._log.unlink(missing_ok=True)

    def bootstrap(self) -> None:
        """`cdk bootstrap`: the bucket and roles that the CDK itself needs.

        It needs no app, so it runs where there is none: a synthesis takes ten seconds.
        """
        self._cdk("bootstrap", ACCOUNT_AND_REGION, app=False)

    def deploy(self, *stacks: str) -> dict[str, dict[str, str]]:
        """`cdk deploy` of `stacks` with what they depend on, or of all; returns the stacks' outputs."""
        outputs = self._out / "outputs.json"
        outputs.unlink(missing_ok=True)
        chosen = stacks or ("--all",)
        self._cdk("deploy", *chosen, "--require-approval", "never", "--outputs-file", str(outputs))
        answer: dict[str, dict[str, str]] = json.loads(outputs.read_text())
        return answer

    def diff(self) -> None:
        """`cdk diff --all`; raises DemoError where what is deployed differs from the templates."""
        self._cdk("diff", "--all", "--fail")

    def destroy(self) -> None:
        """`cdk destroy --all` of what the last deploy synthesized."""
        self._check_assembly()
        arguments = ("--all", "--force", "--app", str(self._assembly), "--progress", "events")
        self._cdk("destroy", *arguments, app=False)

    def _check_assembly(self) -> None:
        """What is destroyed must be this stage: an earlier deploy of another one may be there."""
        manifest = self._assembly / "manifest.json"
        artifacts: dict[str, Any] = (
            json.loads(manifest.read_text())["artifacts"] if manifest.is_file() else {}
        )
        if not any(name.startswith(f"bincount-{self._stage}-") for name in artifacts):
            raise DemoError(f"stage {self._stage} was not deployed from {self._assembly}: deploy it first")

    def _cdk(self, *arguments: str, app: bool = True) -> None:
        """One command of the CDK, in the repository with its app, or where there is no app."""
        directory = ROOT if app else self._temporary
        of_the_app = [*self._context, "--output", str(self._assembly), "--progress", "events"]
        command = [
            str(ROOT / "node_modules" / ".bin" / "cdk"),
            *arguments,
            *(of_the_app if app else []),
            "--no-color",
            "--no-notices",  # they are fetched from the internet
        ]
        with self._log.open("a", encoding="utf-8") as log:
            # Guarded: the CDK starts Python, which starts Node, and a killed demo must leave none of them.
            process = GuardedProcess(command=command, environment=self._environment, directory=directory)
            try:
                last = self._follow(process, log)
            finally:
                code = process.stop(grace=_STOP_SECONDS)
        if code:
            words = "\n       ".join(last[-5:])
            raise DemoError(f"cdk {arguments[0]} failed; all of it is in {self._log}:\n       {words}")

    def _follow(self, process: GuardedProcess, log: Any) -> list[str]:
        lines: list[str] = []
        for raw in process.output:
            line = raw.decode("utf-8", errors="replace")
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

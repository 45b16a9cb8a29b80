"""The steps that remove a stage, and the lines with which a person does it."""

import shlex

from infra.tools.trial.errors import StepFailed
from infra.tools.trial.journal import Entry
from infra.tools.trial.options import ROOT, Options
from infra.tools.trial.using import Using

AGAIN = ("data", "training", "serving")  # what was kept, and the endpoint's log group


class Removing(Using):
    """Destroy, take over what was kept, remove all."""

    def destroy(self, entry: Entry) -> None:
        """`cdk destroy --all`; what the stage keeps stays."""
        done = self.commands.cdk("destroy", "--all", "--force", *self.cdk_options)
        if done.code:
            raise StepFailed("\n".join(self.account.failures(self.names, since=0)) or done.last)
        if remain := self.account.stacks(self.names):
            raise StepFailed(f"still there: {remain}")
        entry.facts["kept"] = self.account.left(self.names)
        entry.words += [f"kept {each}" for each in entry.facts["kept"]]

    def again(self, entry: Entry) -> None:
        """`make adopt`, and the stacks that hold what was kept."""
        if not self.account.stacks(self.names):
            done = self.commands.infra("adopt", "--stage", self.names.stage, *self.options.context)
            if done.code:
                raise StepFailed(done.last)
            entry.words += [line for line in done.out.splitlines() if "adopted" in line]
        self.cdk_deploy(*(self.names.stack(part) for part in AGAIN))
        entry.words += [f"{name}: {status}" for name, status in self.account.stacks(self.names).items()]

    def teardown(self, entry: Entry) -> None:
        """Nothing of the stage is left; a key is deleted by KMS days later. It may be run again."""
        if self.account.stacks(self.names):
            self.destroy(entry)
        stage = self.names.stage
        done = self.commands.infra("teardown", "--stage", stage, *self.options.context, typed=f"{stage}\n")
        entry.words += [line for line in done.out.splitlines() if line.startswith(("removed", "kept", "key"))]
        if done.code:
            raise StepFailed(done.last)
        lines = [line for line in done.out.splitlines() if "is deleted in" in line]
        entry.facts["key_line"] = lines[0] if lines else "no key was found"
        left = self.account.left(self.names)
        entry.facts["left"] = left or "nothing"
        if left:
            raise StepFailed(f"still there: {', '.join(left)}")


def removal_lines(options: Options) -> list[str]:
    """The commands that remove what a trial made, whatever became of it."""
    context = shlex.join(["-c", f"stage={options.stage}", *options.context])
    teardown = f"make teardown STAGE={options.stage}"
    if "region" in options.overrides:
        where = shlex.join(["-c", f"region={options.overrides['region']}"])
        teardown = f".venv/bin/python -m infra.tools.teardown --stage {options.stage} {where}"
    return [f"npx cdk destroy --all --force {context}", teardown]


def again_line(options: Options, *flags: str) -> str:
    """The trial's own command line with the same settings and other flags."""
    usual = ROOT / "build" / "account-trial" / options.stage
    folder = ["--folder", str(options.folder)] if options.folder != usual else []
    out = ["--out", str(options.out)] if options.out != options.folder / "evidence.json" else []
    words = ["--stage", options.stage, *options.context, *folder, *out, *flags]
    return f".venv/bin/python -m infra.tools.trial {shlex.join(words)}"

"""A guarded process ends with everything it started: when asked, and when its parent dies."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from embedded_cloud.processes import GuardedProcess

SLEEPER = "import os,sys,time; print(os.getpid(), flush=True); time.sleep(600)"
PARENT_OF_SLEEPER = (
    "import subprocess,sys; "
    f"child=subprocess.Popen([sys.executable,'-c',{SLEEPER!r}],stdout=subprocess.PIPE); "
    "print(child.stdout.readline().decode(), flush=True); child.wait()"
)


def start(code: str) -> GuardedProcess:
    return GuardedProcess(
        command=[sys.executable, "-c", code], environment={"PATH": os.defpath}, directory=Path.cwd()
    )


def gone(pid: int) -> bool:
    """Waits for a process that is about to end; False where it lives on."""
    for _ in range(100):
        state = Path(f"/proc/{pid}/stat")
        if not state.exists() or state.read_text().rsplit(") ", 1)[1].startswith("Z"):
            return True
        time.sleep(0.05)
    return False


def test_the_exit_code_and_the_output_are_the_commands():
    process = start("import sys; print('out'); print('err', file=sys.stderr); raise SystemExit(7)")
    assert sorted(process.output.read().split()) == [b"err", b"out"]
    assert process.wait(timeout=10) == 7


def start_with_handler(handler: str) -> GuardedProcess:
    """A command that is up and does `handler` at SIGTERM."""
    process = start(
        f"import signal,time; signal.signal(signal.SIGTERM, {handler}); print('up', flush=True); "
        "time.sleep(600)"
    )
    process.output.readline()
    return process


def test_sigterm_reaches_the_command_which_may_end_by_itself():
    assert start_with_handler("lambda *_: exit(3)").stop(grace=10) == 3


def test_a_command_that_ignores_sigterm_is_killed_after_the_grace():
    assert start_with_handler("signal.SIG_IGN").stop(grace=0.2) == 128 + signal.SIGKILL


def test_what_the_command_started_ends_with_it():
    process = start(PARENT_OF_SLEEPER)
    grandchild = int(process.output.readline())
    process.kill()
    process.wait(timeout=10)
    assert gone(grandchild)


def test_everything_ends_when_the_parent_is_killed():
    code = (
        "import os,sys; from pathlib import Path; from embedded_cloud.processes import GuardedProcess; "
        f"p=GuardedProcess(command=[sys.executable,'-c',{SLEEPER!r}],environment=dict(os.environ),"
        "directory=Path('.')); "
        "print(p.output.readline().decode(), flush=True); p.wait()"
    )
    root = Path(__file__).resolve().parents[3]
    parent = subprocess.Popen([sys.executable, "-c", code], cwd=root, stdout=subprocess.PIPE)
    assert parent.stdout is not None
    sleeper = int(parent.stdout.readline())
    parent.kill()
    parent.wait()
    parent.stdout.close()
    assert gone(sleeper)


def test_a_command_that_does_not_exist_says_so():
    process = GuardedProcess(command=["/no/such/program"], environment={}, directory=Path.cwd())
    assert process.output.read() == b"cannot start /no/such/program: No such file or directory\n"
    assert process.wait(timeout=10) == 127

"""Runs one command and takes it down when the process that asked for it is gone.

    python -I -S process_guard.py COMMAND ARGUMENT ...

Standard input is the control line: `T` sends SIGTERM to the command, `K` or the end of the line (the
parent died) kills the command and everything it started. When the command ends, what it left running
is killed, as a container ends with its first process. The exit code is the command's; 128 + n after signal n.

A program of its own because PR_SET_PDEATHSIG follows the thread that forked, and ours are short-lived.
"""

import os
import signal
import subprocess
import sys
import threading


def kill_group(leader: int) -> None:
    """SIGKILL to the process group of `leader`; a group that is gone already is what was wanted."""
    try:
        os.killpg(leader, signal.SIGKILL)
    except ProcessLookupError:
        return


def obey(child: "subprocess.Popen[bytes]") -> None:
    """Reads the control line until the command must die."""
    while os.read(0, 1) == b"T":
        child.terminate()
    kill_group(child.pid)


def main(command: list[str]) -> int:
    """Runs `command`; returns its exit code."""
    try:
        child = subprocess.Popen(command, stdin=subprocess.DEVNULL, start_new_session=True)
    except OSError as error:
        print(f"cannot start {command[0]}: {error.strerror}", flush=True)
        return 127
    threading.Thread(target=obey, args=(child,), daemon=True).start()
    code = child.wait()
    kill_group(child.pid)
    return code if code >= 0 else 128 - code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

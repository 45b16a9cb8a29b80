"""Start the job again under torchrun where more than one GPU or machine is there to be used."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping, Sequence

import torch

PORT = "7777"
"""Where the machines of a job meet: the port that SageMaker's toolkit uses."""


def torchrun_command(argv: Sequence[str], *, env: Mapping[str, str], gpus: int) -> list[str] | None:
    """torchrun's command line for `argv` (script and flags): on each host a process a GPU, at least one.

    None where one process is right: a single host with at most one GPU, or torchrun has started us already.
    SM_HOSTS and SM_CURRENT_HOST are the toolkit's and the SDK driver's.
    """
    hosts: list[str] = sorted(json.loads(env.get("SM_HOSTS") or '["localhost"]'))
    if "LOCAL_RANK" in env or (len(hosts) == 1 and gpus <= 1):
        return None
    where = ["--standalone"]
    if len(hosts) > 1:
        where = [
            f"--nnodes={len(hosts)}", f"--node_rank={hosts.index(env['SM_CURRENT_HOST'])}",
            f"--master_addr={hosts[0]}", f"--master_port={PORT}",
        ]  # fmt: skip
    run = [sys.executable, "-m", "torch.distributed.run", *where, f"--nproc_per_node={max(1, gpus)}"]
    return [*run, *argv]


def become_torchrun(argv: Sequence[str], *, env: Mapping[str, str]) -> None:
    """Replace this process by torchrun where `torchrun_command` has one; else return."""
    command = torchrun_command(argv, env=env, gpus=torch.cuda.device_count())
    if command:
        os.execve(command[0], command, dict(env))

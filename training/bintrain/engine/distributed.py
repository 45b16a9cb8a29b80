"""The processes of one job: one, or as many as torchrun starts (one for each GPU)."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
import torch.distributed as distributed
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from bintrain.errors import TrainingError


@dataclass(frozen=True, kw_only=True)
class Processes:
    """This process among `size`; process `rank` 0 is the only one that writes."""

    rank: int
    size: int
    device: torch.device

    @property
    def is_first(self) -> bool:
        """Whether this one writes checkpoints, log, model and papers."""
        return self.rank == 0

    def averaging(self, network: nn.Module) -> nn.Module:
        """`network` so that backward() averages the gradients over all processes."""
        if self.size == 1:
            return network
        devices = [self.device] if self.device.type == "cuda" else None
        return DistributedDataParallel(network, device_ids=devices)

    def mean(self, value: Tensor) -> Tensor:
        """The mean of a tensor over all processes, in every process."""
        if self.size == 1:
            return value
        value = value.clone()
        distributed.all_reduce(value)
        return value / self.size

    def gather(self, value: Any) -> list[Any]:
        """Every process's value, by rank, in every process."""
        values: list[Any] = [value]
        if self.size > 1:
            values = [None] * self.size
            distributed.all_gather_object(values, value)
        return values

    def from_first(self, value: Any) -> Any:
        """The first process's value, in every process."""
        values = [value]
        if self.size > 1:
            distributed.broadcast_object_list(values, src=0, device=self.device)
        return values[0]


ALONE = Processes(rank=0, size=1, device=torch.device("cpu"))
"""One process on the CPU."""


@contextmanager
def joined(env: Mapping[str, str]) -> Generator[Processes]:
    """The processes that torchrun's variables (RANK, WORLD_SIZE, LOCAL_RANK) describe; alone without them.

    Raises TrainingError where the machine has more GPUs than torch sees.
    """
    _require_gpus(int(env.get("SM_NUM_GPUS") or "0"))
    device = torch.device("cpu")
    if torch.cuda.is_available():
        device = torch.device("cuda", int(env.get("LOCAL_RANK", "0")))
        torch.cuda.set_device(device)
    if int(env.get("WORLD_SIZE", "1")) == 1:
        yield Processes(rank=0, size=1, device=device)
        return
    distributed.init_process_group("nccl" if device.type == "cuda" else "gloo")
    yield Processes(rank=distributed.get_rank(), size=distributed.get_world_size(), device=device)
    # Not after an error: the others may be waiting for this one, and torchrun ends them all.
    distributed.destroy_process_group()


def _require_gpus(wanted: int) -> None:
    """SageMaker's toolkit counts the machine's GPUs; a job that uses fewer is slow, and paid like one that
    uses all.
    """
    seen = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if seen < wanted:
        raise TrainingError(
            f"the instance has {wanted} GPU(s) (SM_NUM_GPUS) and torch {torch.__version__} sees "
            f"{seen or 'none'}: its image is for CPUs, its CUDA needs a newer driver than there is, or "
            "CUDA_VISIBLE_DEVICES hides some. Take the image for GPUs (training.image_tag with "
            "{accelerator}), or an instance type whose GPUs are all to be used, or one without any"
        )


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

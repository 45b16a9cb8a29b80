"""Many processes under torchrun: two on the CPU, over gloo."""

import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
import torch

from bintrain.engine.distributed import joined, torchrun_command
from bintrain.errors import TrainingError

TRAIN = Path(__file__).parents[3] / "training" / "train.py"
FLAGS = {
    "arch": "resnet18", "image-size": "32", "pretrained": "none", "epochs": "3", "batch-size": "8",
    "learning-rate": "0.01", "dropout": "0", "freeze-backbone": "True", "precision": "fp16",
    "amp": "none",
}  # fmt: skip
"""A frozen backbone has no batch statistics, so that sharing a batch changes nothing but rounding."""


LOOPBACK = {"GLOO_SOCKET_IFNAME": "lo"}


def command(dataset: Path, out: Path, *, processes: int, **changed: str) -> list[str]:
    places = {"dataset": dataset, "model-dir": out / "model", "output-dir": out / "output",
              "checkpoint-dir": out / "checkpoints"}  # fmt: skip
    flags = FLAGS | places | {name.replace("_", "-"): value for name, value in changed.items()}
    words = [str(word) for name, value in flags.items() for word in (f"--{name}", value)]
    run = ["-m", "torch.distributed.run", "--standalone", f"--nproc_per_node={processes}"]
    return [sys.executable, *(run if processes > 1 else []), str(TRAIN), *words]


def train(dataset: Path, out: Path, *, processes: int, **changed: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command(dataset, out, processes=processes, **changed),
        env=os.environ | LOOPBACK | {"SM_OUTPUT_DIR": str(out)},
        capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip


def kill_all(process: "subprocess.Popen[bytes]") -> None:
    """SIGKILL to torchrun and its workers, as a spot interruption ends a whole container.

    torchrun gives each worker a session of its own (a killpg would miss them), and a worker that outlived it
    would go on writing checkpoints beside those of the next start.
    """
    agent = psutil.Process(process.pid)
    agent.suspend()  # so that it starts nobody anew
    family = [agent, *agent.children(recursive=True)]
    assert len(family) > 2, family
    for member in family:
        member.kill()
    process.wait()
    psutil.wait_procs(family, timeout=30)
    assert not any(member.is_running() for member in family)


def test_two_processes_train_and_evaluate_as_one_does(odd_bins: Path, tmp_path: Path) -> None:
    results = [train(odd_bins, tmp_path / str(size), processes=size) for size in (1, 2)]

    assert [result.returncode for result in results] == [0, 0], results[1].stderr
    one, two = (
        re.findall(
            r"^metric=((?:train:loss|validation:\w+)) value=(\S+) epoch=\d$", result.stdout, re.MULTILINE
        )
        for result in results
    )
    assert [name for name, _ in one] == [name for name, _ in two]  # each line once: only one process speaks
    assert [float(value) for _, value in two] == pytest.approx([float(value) for _, value in one], abs=2e-3)
    weights = [torch.load(tmp_path / str(size) / "output" / "weights.pt") for size in (1, 2)]
    history = json.loads((tmp_path / "1/output/evaluation/metrics.json").read_text())["history"]
    assert [epoch["epoch"] for epoch in history] == [1, 2, 3]
    for name in ("fc.1.weight", "fc.1.bias"):
        assert torch.allclose(weights[0][name], weights[1][name], atol=2e-3)
    assert json.loads((tmp_path / "2/model/model.json").read_text())["metrics"]["validation"]["images"] == 7


def test_two_killed_processes_go_on_together(odd_bins: Path, tmp_path: Path) -> None:
    flags = {"epochs": "9", "checkpoint_minutes": "0.0001"}
    assert train(odd_bins, tmp_path / "whole", processes=2, **flags).returncode == 0
    process = subprocess.Popen(
        command(odd_bins, tmp_path / "killed", processes=2, **flags),
        env=os.environ | LOOPBACK, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    while not (tmp_path / "killed" / "checkpoints" / "by-hand" / "checkpoint.pt").exists():
        assert process.poll() is None
        time.sleep(0.01)
    kill_all(process)

    again = train(odd_bins, tmp_path / "killed", processes=2, **flags)

    assert again.returncode == 0, again.stderr
    assert len(re.findall(r"^resumed after epoch \d, step \d+$", again.stdout, re.MULTILINE)) == 1
    files = [tmp_path / name / "output/evaluation/predictions.csv" for name in ("whole", "killed")]
    assert files[0].read_text() == files[1].read_text()
    histories = [
        json.loads((tmp_path / name / "output/evaluation/metrics.json").read_text())["history"]
        for name in ("whole", "killed")
    ]
    for epoch in (*histories[0], *histories[1]):
        del epoch["train:images_per_second"]
    assert histories[0] == histories[1]


def test_a_failure_in_one_process_is_the_one_line_of_the_failure_file(odd_bins: Path, tmp_path: Path) -> None:
    result = train(odd_bins, tmp_path, processes=2, batch_size="9")

    assert result.returncode != 0
    assert (
        (tmp_path / "failure")
        .read_text()
        .startswith("TrainingError: --batch-size 9 is shared by 2 processes")
    )
    assert "TrainingError: --batch-size 9 is shared by 2 processes" in result.stderr


def test_one_process_is_enough_for_one_gpu_or_none() -> None:
    assert torchrun_command(["train.py"], env={}, gpus=0) is None
    assert torchrun_command(["train.py"], env={"SM_HOSTS": '["algo-1"]'}, gpus=1) is None
    assert torchrun_command(["train.py"], env={"LOCAL_RANK": "0"}, gpus=8) is None


def test_each_gpu_of_one_machine_gets_a_process() -> None:
    command = torchrun_command(["train.py", "--epochs", "3"], env={"SM_HOSTS": '["algo-1"]'}, gpus=4)

    assert command is not None
    assert command[1:] == [
        "-m", "torch.distributed.run", "--standalone", "--nproc_per_node=4", "train.py", "--epochs", "3",
    ]  # fmt: skip


def test_the_machines_of_a_job_meet_at_the_first_one() -> None:
    env = {"SM_HOSTS": '["algo-2", "algo-1"]', "SM_CURRENT_HOST": "algo-2"}

    command = torchrun_command(["train.py"], env=env, gpus=0)

    assert command is not None
    assert command[3:] == [
        "--nnodes=2", "--node_rank=1", "--master_addr=algo-1", "--master_port=7777", "--nproc_per_node=1",
        "train.py",
    ]  # fmt: skip


@pytest.mark.parametrize("seen", [1, 3])
def test_fewer_gpus_than_the_instance_has_are_rejected(monkeypatch: pytest.MonkeyPatch, seen: int) -> None:
    """One process a GPU that torch sees: the others would be paid for and idle. This machine has no GPU."""
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: seen)
    words = rf"has 4 GPU\(s\) \(SM_NUM_GPUS\) and torch \S+ sees {seen}:"
    with pytest.raises(TrainingError, match=words), joined({"SM_NUM_GPUS": "4"}):
        pass

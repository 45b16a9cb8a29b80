"""The embedded cloud as a process: where it listens, how it ends, and what rights it enforces."""

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from embedded_cloud.cloud import Cloud
from embedded_cloud.hosting.model_server import free_port
from embedded_cloud.testing import (
    ended_job,
    filled_cloud,
    make_role,
    run_state,
    training_job,
    training_state,
    wait_until,
)

ROOT = Path(__file__).resolve().parents[2]


def serve(port: int, *, data: Path) -> list[str]:
    """The command of a cloud on that port that writes below `data`."""
    return [sys.executable, "-m", "embedded_cloud", "serve", "--port", str(port), "--data", str(data)]


def family(pid: int) -> list[int]:
    """A process and all that descend from it, by /proc."""
    parents: dict[int, int] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and (stat := entry / "stat").exists():
            parents[int(entry.name)] = int(stat.read_text().rsplit(") ", 1)[1].split()[1])
    found = [pid]
    for known in found:
        found.extend(child for child, parent in parents.items() if parent == known)
    return found


def listening(pid: int) -> set[str]:
    """The addresses on which a process listens for TCP, by /proc."""
    inodes: dict[str, str] = {}
    for table in ("tcp", "tcp6"):
        for line in Path(f"/proc/{pid}/net/{table}").read_text().splitlines()[1:]:
            fields = line.split()
            if fields[3] == "0A":
                inodes[f"socket:[{fields[9]}]"] = fields[1].rsplit(":", 1)[0]
    links = {os.readlink(link) for link in Path(f"/proc/{pid}/fd").iterdir() if link.is_symlink()}
    raw = {inodes[link] for link in links if link in inodes}
    return {socket.inet_ntoa(bytes.fromhex(value)[::-1]) if len(value) == 8 else value for value in raw}


def alive(pid: int) -> bool:
    """Whether a process runs (a zombie does not)."""
    stat = Path(f"/proc/{pid}/stat")
    return stat.exists() and not stat.read_text().rsplit(") ", 1)[1].startswith("Z")


HOLDER = """
import sys
from pathlib import Path
from typing import Any
from embedded_cloud.testing import *
with filled_cloud(Path(sys.argv[1])) as cloud:
    role = make_role(cloud, name="all", actions=["*"])
    sagemaker = cloud.client("sagemaker")
    sagemaker.create_training_job(**training_job(name="endless", role=role, mode="endless"))
    make_configs(cloud, role, {"one": SERVER_IMAGE})
    sagemaker.create_endpoint(EndpointName="one", EndpointConfigName="one")
    settled_endpoint(cloud, "one")
    describe = lambda: sagemaker.describe_training_job(TrainingJobName="endless")
    wait_until(lambda: describe().get("FinalMetricDataList"), bool)
    print(cloud.pid, flush=True)
    sys.stdin.read()
"""


class Holder:
    """Holds a cloud with an endless job and an endpoint; `processes` are the server and all below it."""

    def __init__(self, folder: Path) -> None:
        command = [sys.executable, "-c", HOLDER, str(folder)]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
        self.process: subprocess.Popen[str] = subprocess.Popen(command, cwd=ROOT, **pipes)
        self.server = 0
        self.processes: list[int] = []

    def wait_busy(self) -> None:
        assert self.process.stdout is not None
        self.server = int(self.process.stdout.readline())
        self.processes = family(self.server)

    def end(self) -> None:
        assert self.process.stdin is not None and self.process.stdout is not None
        self.process.stdin.close()
        self.process.wait(timeout=60)
        self.process.stdout.close()


@pytest.fixture(scope="module")
def holders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Holder]:
    """Three clouds at once, to be ended in three ways."""
    names = ("by itself", "parent killed", "server killed")
    started = {name: Holder(tmp_path_factory.mktemp("holder")) for name in names}
    for holder in started.values():
        holder.wait_busy()
    return started


class TestTheProcess:
    def test_it_and_what_it_starts_listen_on_this_machine_only(self, holders: dict[str, Holder]):
        addresses = {address for pid in holders["by itself"].processes for address in listening(pid)}
        assert addresses == {"127.0.0.1"}

    def test_a_busy_port_is_one_clear_line(self, tmp_path: Path):
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            port = taken.getsockname()[1]
            command = serve(port, data=tmp_path)
            ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60)
        assert ended.returncode == 1
        assert ended.stderr.splitlines() == [
            f"error: port {port} on 127.0.0.1 is in use: end what listens there or pass another --port"
        ]

    def test_sigterm_ends_it_with_exit_code_0_and_it_said_one_line(self, tmp_path: Path):
        command = serve(free_port(), data=tmp_path)
        server = subprocess.Popen(
            command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        assert server.stdout is not None
        ready = server.stdout.readline()
        server.terminate()
        rest, _ = server.communicate(timeout=60)
        assert ready.startswith("embedded cloud ready at https://127.0.0.1:")
        assert (server.returncode, rest) == (0, "")

    def test_two_clouds_cannot_share_a_data_folder(self, tmp_path: Path):
        with Cloud(data_dir=tmp_path):
            command = serve(free_port(), data=tmp_path)
            second = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60)
        assert second.returncode == 1
        assert second.stderr.splitlines() == [
            f"error: another embedded cloud uses {tmp_path}: end it or pass another --data"
        ]

    @pytest.mark.parametrize("how", ["by itself", "parent killed", "server killed"])
    def test_nothing_is_left_behind(self, holders: dict[str, Holder], how: str):
        holder = holders[how]
        assert len(holder.processes) >= 6, "the server; a guard and a program of the job and of the endpoint"
        if how == "parent killed":
            holder.process.kill()
        elif how == "server killed":
            os.kill(holder.server, signal.SIGKILL)
        holder.end()
        wait_until(lambda: [pid for pid in holder.processes if alive(pid)], lambda left: not left)


class TestRights:
    """A job and a state machine have the rights of their role and no more."""

    def test_a_job_reads_and_writes_s3_with_its_own_role(self, cloud: Cloud):
        sagemaker = cloud.client("sagemaker")
        rights = {"able": ["s3:*"], "unable": ["s3:PutObject"]}
        for name, actions in rights.items():
            role = make_role(cloud, name=name, actions=actions)
            sagemaker.create_training_job(**training_job(name=name, role=role))
        assert ended_job(cloud, "able")["TrainingJobStatus"] == "Completed"
        failed = ended_job(cloud, "unable")
        assert "Data download failed" in failed["FailureReason"]
        assert "AccessDenied" in failed["FailureReason"]

    @pytest.mark.parametrize(
        ("actions", "error"),
        [
            (["sagemaker:DescribeTrainingJob", "iam:PassRole"], "sagemaker:CreateTrainingJob"),
            (["sagemaker:*"], "iam:PassRole"),
        ],
    )
    def test_a_state_machine_needs_the_action_and_the_right_to_pass_the_role(
        self, cloud: Cloud, actions: list[str], error: str
    ):
        role = make_role(cloud, name=f"machine-{len(actions)}", actions=actions)
        state = training_state(training_job(name="denied", role=role))
        execution = run_state(cloud, role, state)
        assert execution["status"] == "FAILED"
        assert error in execution["cause"]

    @pytest.mark.parametrize(("service", "status"), [("sagemaker", "SUCCEEDED"), ("lambda", "FAILED")])
    def test_a_role_is_passed_to_the_service_of_the_condition_alone(
        self, cloud: Cloud, service: str, status: str
    ):
        bound = {"StringEquals": {"iam:PassedToService": f"{service}.amazonaws.com"}}
        passing = {"Action": "iam:PassRole", "Resource": "*", "Condition": bound}
        actions = ["sagemaker:*", "s3:*"]
        role = make_role(cloud, name=f"passes-to-{service}", actions=actions, statements=[passing])
        state = training_state(training_job(name=f"passed-to-{service}", role=role))
        execution = run_state(cloud, role, state)
        assert execution["status"] == status
        assert ("iam:PassRole" in execution.get("cause", "")) == (status == "FAILED")

    def test_tags_need_the_right_to_add_them(self, cloud: Cloud):
        role = make_role(cloud, name="tags", actions=["sagemaker:CreateTrainingJob", "iam:PassRole"])
        tags = [{"Key": "system", "Value": "team-local"}]
        state = training_state({**training_job(name="tagged", role=role), "Tags": tags})
        execution = run_state(cloud, role, state)
        assert execution["status"] == "FAILED"
        assert "sagemaker:AddTags" in execution["cause"]

    @pytest.mark.parametrize(
        ("task", "right"),
        [
            ({"Resource": "arn:aws:states:::lambda:invoke", "Parameters": {"FunctionName": "count"}},
             "lambda:InvokeFunction on resource: arn:aws:lambda:us-east-1:000000000000:function:count"),
            ({"Resource": "arn:aws:states:::dynamodb:getItem",
              "Parameters": {"TableName": "lock", "Key": {"id": {"S": "release"}}}},
             "dynamodb:GetItem on resource: arn:aws:dynamodb:us-east-1:000000000000:table/lock"),
        ],
    )  # fmt: skip
    def test_tasks_of_lambda_and_dynamodb_need_their_rights_too(
        self, cloud: Cloud, task: dict[str, Any], right: str
    ):
        role = make_role(cloud, name=f"no-{right.split(':')[0]}", actions=["s3:*"])
        execution = run_state(cloud, role, {"Type": "Task", **task})
        assert execution["status"] == "FAILED"
        assert right in execution["cause"]

    def test_a_map_reads_its_items_with_the_state_machine_s_role(self, cloud: Cloud):
        reader = {"Resource": "arn:aws:states:::s3:getObject", "ReaderConfig": {"InputType": "JSON"}}
        items = {**reader, "Parameters": {"Bucket": "bins", "Key": "code/training.tar.gz"}}
        child = {"Type": "Pass", "End": True}
        processor = {
            "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"},
            "StartAt": "Child",
            "States": {"Child": child},
        }
        state = {"Type": "Map", "ItemReader": items, "ItemProcessor": processor}
        for actions, right in (
            (["s3:GetObject"], "states:StartExecution"),
            (["states:StartExecution"], "s3:GetObject"),
        ):
            role = make_role(cloud, name=f"map-{right.replace(':', '-')}", actions=actions)
            execution = run_state(cloud, role, state)
            assert execution["status"] == "FAILED"
            assert f"not authorized to perform: {right} on resource: " in execution["cause"]


def test_a_training_job_runs_where_every_path_has_a_space(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    tree = tmp_path / "with space"
    tree.mkdir()
    (tree / "venv").symlink_to(sys.prefix)
    monkeypatch.setattr(sys, "executable", str(tree / "venv" / "bin" / "python"))
    with filled_cloud(tree) as cloud:
        role = make_role(cloud, name="all", actions=["*"])
        cloud.client("sagemaker").create_training_job(**training_job(name="spaced", role=role))
        job = ended_job(cloud, "spaced")
    assert (job["TrainingJobStatus"], job.get("FailureReason")) == ("Completed", None)

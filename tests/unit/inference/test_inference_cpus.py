"""The CPUs a container really has, by its control groups."""

import os
from pathlib import Path

import pytest

from inference.model.resources import available_cpus

HERE = len(os.sched_getaffinity(0))


def tree(root: Path, files: dict[str, str]) -> Path:
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    return root


def test_without_control_groups_it_is_the_affinity(tmp_path):
    assert available_cpus(root=tmp_path) == HERE


@pytest.mark.parametrize(
    ("cpu_max", "cpus"),
    [
        ("100000 100000\n", 1),
        ("50000 100000\n", 1),
        ("max 100000\n", HERE),
        ("6400000 100000\n", HERE),
        ("150000 100000\n", min(2, HERE)),
    ],
)
def test_version_2_quota(tmp_path, cpu_max, cpus):
    files = {"proc/self/cgroup": "0::/\n", "sys/fs/cgroup/cpu.max": cpu_max}
    assert available_cpus(root=tree(tmp_path, files)) == cpus


@pytest.mark.parametrize(("quota", "cpus"), [("100000", 1), ("-1", HERE), ("30000", 1)])
@pytest.mark.parametrize("mount", ["cpu", "cpu,cpuacct"])
def test_version_1_quota(tmp_path, quota, cpus, mount):
    files = {
        "proc/self/cgroup": "4:memory:/docker/abc\n3:cpu,cpuacct:/docker/abc\n",
        f"sys/fs/cgroup/{mount}/cpu.cfs_quota_us": quota,
        f"sys/fs/cgroup/{mount}/cpu.cfs_period_us": "100000",
    }
    assert available_cpus(root=tree(tmp_path, files)) == cpus


NESTED = {
    "version 2, a parent's quota": {
        "proc/self/cgroup": "0::/pod/container\n",
        "sys/fs/cgroup/pod/cpu.max": "100000 100000",
        "sys/fs/cgroup/pod/container/cpu.max": "max 100000",
    },
    "version 1, its own quota": {
        "proc/self/cgroup": "1:cpu:/docker/abc\n",
        "sys/fs/cgroup/cpu/docker/abc/cpu.cfs_quota_us": "100000",
        "sys/fs/cgroup/cpu/docker/abc/cpu.cfs_period_us": "100000",
    },
}


@pytest.mark.parametrize("files", NESTED.values(), ids=NESTED)
def test_the_quota_of_a_nested_group(tmp_path, files):
    assert available_cpus(root=tree(tmp_path, files)) == 1


def test_this_machine_has_some():
    assert 1 <= available_cpus() <= HERE

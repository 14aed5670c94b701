"""The process collector on this machine, with processes and a control group that the test knows."""

import os
import pathlib
import re
import subprocess

import pytest

from components import require
from machine import Machine
from rig import wait_for
from watching import Watcher


def mounted_cgroup():
    for line in pathlib.Path("/proc/mounts").read_text(encoding="ascii").splitlines():
        _, point, kind, *_ = line.split(" ")
        if kind == "cgroup2":
            return pathlib.Path(point)
    return None


def cpu_seconds(folder):
    fields = dict(line.split() for line in (folder / "cpu.stat").read_text(encoding="ascii").splitlines())
    return (int(fields["user_usec"]) + int(fields["system_usec"])) / 1e6


def waited(folder):
    total = (folder / "cpu.pressure").read_text(encoding="ascii").splitlines()[0].rsplit("total=", 1)[1]
    return int(total) / 1e6


@pytest.mark.skipif(mounted_cgroup() is None or not (mounted_cgroup() / "cpu.stat").exists(), reason="no cgroup v2 is mounted")
def test_group_is_that_of_the_kernel(program, tmp_path):
    folder = mounted_cgroup()
    with Watcher(program, tmp_path, {"process": {"cgroup": str(folder), "interval": "1s"}}) as sidelight:
        before, waited_before = cpu_seconds(folder), waited(folder) if (folder / "cpu.pressure").exists() else None
        sidelight.wait_run("process", "pod")
        value, pressure = sidelight.metric("pod_cpu_seconds_total"), sidelight.metric("pod_pressure_seconds_total", resource="cpu", kind="some")
        assert before <= value <= cpu_seconds(folder)
        assert waited_before is None or waited_before <= pressure <= waited(folder)
        for name, file in (("pod_memory_bytes", "memory.current"), ("pod_processes", "pids.current"), ("pod_cpu_limit_cores", "cpu.max")):
            if not (folder / file).exists():
                assert sidelight.samples(name) == []
                sidelight.wait_log(file)


def can_unshare():
    return os.geteuid() == 0 and subprocess.run(["unshare", "--pid", "--fork", "--mount-proc", "true"], check=False).returncode == 0


@pytest.mark.skipif(not can_unshare(), reason="needs root, to see only processes of its own")
def test_processes_are_those_that_are_visible(program, tmp_path):
    """A pod is played by a process namespace: a shell, a process that burns CPU, one that holds files open, and Sidelight."""
    burner = tmp_path / "burner"
    burner.write_text("#!/bin/bash\nwhile true; do :; done\n", encoding="ascii")
    holder = tmp_path / "holder"
    holder.write_text("#!/bin/bash\nfor n in {20..59}; do eval \"exec $n</dev/null\"; done\nread -r < <(sleep 1000)\n", encoding="ascii")
    pod = tmp_path / "pod"
    pod.write_text(f"#!/bin/bash\n'{burner}' &\n'{holder}' &\n'{program}' \"$@\"\n", encoding="ascii")
    wrapper = tmp_path / "wrapper"
    wrapper.write_text(f"#!/bin/bash\nexec unshare --pid --fork --kill-child --mount-proc '{pod}' \"$@\"\n", encoding="ascii")
    for script in (burner, holder, pod, wrapper):
        script.chmod(0o755)
    with Watcher(str(wrapper), tmp_path, {"process": {"interval": "1s"}}) as sidelight:
        sidelight.wait_up("process", "pod")
        names = {s["process"] for s, _ in sidelight.samples("pod_process_resident_memory_bytes")}
        assert {"burner", "holder", "pod", "sidelight"} <= names and len(names) <= 7, names
        first = sidelight.metric("pod_process_cpu_seconds_total", process="burner")
        wait_for(lambda: sidelight.metric("pod_process_cpu_seconds_total", process="burner") > first + 0.5, 20, "the burner to burn")
        assert sidelight.metric("pod_process_open_fds", process="holder") >= 40
        assert sidelight.metric("pod_process_resident_memory_bytes", process="sidelight") > 5e6
        assert all("target" not in s for s, _ in sidelight.samples("pod_process_cpu_seconds_total"))


def test_a_group_at_its_limits(program):
    """In a machine of its own, which has every controller: machine_guest.py sets the limits and makes the load."""
    require("machine")
    with Machine(program) as machine:
        def value(name):
            found = re.search(rf"^{name} (\S+)$", machine.ask("/metrics")[1].decode(), re.MULTILINE)
            return float(found.group(1)) if found else None
        wait_for(lambda: (value("pod_cpu_throttled_seconds_total") or 0) > 0, 30, "throttling")
        assert value("pod_cpu_limit_cores") == 0.3
        assert 0 < value("pod_cpu_throttled_periods_total") <= value("pod_cpu_periods_total")
        assert value("pod_memory_limit_bytes") == 96 << 20
        assert 0 < value("pod_memory_working_set_bytes") <= value("pod_memory_bytes") <= 96 << 20
        assert value("pod_memory_oom_kills_total") == 1
        assert value("pod_processes") >= 3  # threads of Sidelight, and the load
        assert "pod_pressure_seconds_total" not in machine.ask("/metrics")[1].decode()  # this kernel keeps no account of it

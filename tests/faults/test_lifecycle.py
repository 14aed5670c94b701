"""Reloads, replays and ends, under load: 0 lost, 0 doubled."""

import json
import os
import shlex
import signal
import socket
import subprocess
import time

import pytest

from rig import FaultServer, Sidelight, WriterProcess, wait_for
from writer import Writer


@pytest.fixture
def server():
    with FaultServer() as s:
        yield s


@pytest.fixture
def sidelight(program, tmp_path, server):
    s = Sidelight(program, tmp_path, server.url)
    yield s
    if s.running():
        s.kill()


def assert_clean(server, truth, sidelight, patience=20):
    verdict = server.wait_delivered(truth, patience)
    note = f"{verdict}\n{sidelight.log_text()[-2000:]}"
    assert verdict["lost"] == 0 and verdict["doubled"] == 0 and verdict["unnumbered"] == 0, note


def reloads(sidelight):
    return sidelight.metric("sidelight_config_reloads_total") or 0


def test_reload_under_load(server, sidelight):
    with sidelight:
        writer = WriterProcess(sidelight.logs / "app.log", "reload", 3000, 6)
        for label in ("a", "b", "c"):
            time.sleep(1.5)
            before = reloads(sidelight)
            sidelight.settings["logs"][0]["labels"] = {"release": label}
            sidelight.write_config()
            sidelight.process.send_signal(signal.SIGHUP)
            wait_for(lambda: reloads(sidelight) > before, 15, "the reload to be counted")
        assert sidelight.metric("sidelight_config_last_reload_successful") == 1
        assert_clean(server, writer.truth(), sidelight)
        assert sidelight.stop()[0] == 0


def test_bad_configuration_keeps_the_old_one_running(server, sidelight):
    with sidelight:
        writer = WriterProcess(sidelight.logs / "app.log", "bad", 2000, 5)
        time.sleep(1)
        good = sidelight.config.read_text(encoding="utf-8")
        sidelight.config.write_text(good.replace('"service"', '"servise"'), encoding="utf-8")
        sidelight.process.send_signal(signal.SIGHUP)
        wait_for(lambda: sidelight.metric("sidelight_config_last_reload_successful") == 0, 15, "the failed reload to show")
        log = sidelight.log_text()
        assert "servise" in log and "service" in log, "neither the wrong key nor the nearest known one is named"
        assert_clean(server, writer.truth(), sidelight)
        sidelight.config.write_text(good, encoding="utf-8")
        sidelight.process.send_signal(signal.SIGHUP)
        wait_for(lambda: sidelight.metric("sidelight_config_last_reload_successful") == 1, 15, "the good reload to show")


def test_configmap_swap_is_taken_without_a_signal(program, tmp_path, server):
    """Kubernetes swaps the symlink ..data; the file's own path does not change."""
    sidelight = Sidelight(program, tmp_path, server.url)
    mount = tmp_path / "configmap"
    for version in ("v1", "v2"):
        (mount / version).mkdir(parents=True)
        sidelight.settings["logs"][0]["labels"] = {"version": version}
        (mount / version / "sidelight.yaml").write_text(json.dumps(sidelight.settings), encoding="utf-8")
    os.symlink("v1", mount / "..data")
    os.symlink("..data/sidelight.yaml", mount / "sidelight.yaml")
    sidelight.config = mount / "sidelight.yaml"
    with sidelight:
        os.symlink("v2", mount / "..data_tmp")
        os.rename(mount / "..data_tmp", mount / "..data")
        wait_for(lambda: reloads(sidelight) >= 1, 20, "the swap to be seen")
        assert sidelight.metric("sidelight_config_last_reload_successful") == 1


def test_dead_letters_are_replayed(server, sidelight):
    server.fault("refuse_every", modulo=10)
    with sidelight:
        writer = Writer(str(sidelight.logs / "app.log"), "replay")
        writer.write(1000)
        assert_clean(server, writer.truth(), sidelight)
        wait_for(lambda: len(sidelight.dead_letters()) == 100, 10, "100 dead letters")
        assert sidelight.stop()[0] == 0
    assert server.stats()["documents"] == 900
    server.clear()
    result = subprocess.run([sidelight.program, "replay-dead-letters", "--config", str(sidelight.config)], capture_output=True, text=True,
                            timeout=60, check=False)
    assert result.returncode == 0, result.stdout + result.stderr
    assert server.stats()["documents"] == 1000
    assert server.verdict(1000)["doubled"] == 0
    assert sidelight.dead_letters() == []
    # Once more: nothing is left to replay, and nothing doubles.
    subprocess.run([sidelight.program, "replay-dead-letters", "--config", str(sidelight.config)], capture_output=True, timeout=60, check=True)
    assert server.stats()["documents"] == 1000


def test_a_reload_keeps_the_state_directory_and_its_dead_letters(server, sidelight, tmp_path):
    server.fault("refuse_every", modulo=10)
    with sidelight:
        before = reloads(sidelight)
        sidelight.settings["state_dir"] = str(tmp_path / "elsewhere")
        sidelight.write_config()
        sidelight.process.send_signal(signal.SIGHUP)
        wait_for(lambda: reloads(sidelight) > before, 15, "the reload to be counted")
        assert "take effect at the next start: state_dir" in sidelight.log_text()
        writer = Writer(str(sidelight.logs / "app.log"), "moved")
        writer.write(100)
        assert_clean(server, writer.truth(), sidelight)
        wait_for(lambda: len(sidelight.dead_letters()) == 10, 10, "10 dead letters in the state directory of the start")
        assert not (tmp_path / "elsewhere").exists()
        assert sidelight.stop()[0] == 0


def test_second_sigterm_ends_at_once(server, sidelight):
    with sidelight:
        writer = Writer(str(sidelight.logs / "app.log"), "twice")
        writer.write(1000)
        assert_clean(server, writer.truth(), sidelight)
        server.fault("hang")
        writer.write(1000)
        time.sleep(1)
        sidelight.process.send_signal(signal.SIGTERM)
        time.sleep(1)
        assert sidelight.running(), "the first SIGTERM gives what is on its way a chance"
        begin = time.monotonic()
        sidelight.process.send_signal(signal.SIGTERM)
        sidelight.process.wait(5)
        assert time.monotonic() - begin < 2
        server.clear()
        sidelight.start()
        assert_clean(server, writer.truth(), sidelight)


def test_own_log_among_the_tailed_files_is_refused(program, tmp_path, server):
    folder = tmp_path / "logs"
    sidelight = Sidelight(program, tmp_path, server.url, paths=[str(folder / "*.log")], extra={"log": {"file": str(folder / "sidelight.log")}})
    sidelight.start(ready=False)
    assert sidelight.process.wait(10) == 2
    assert "log.file" in sidelight.log_text()


def test_two_inputs_that_match_one_file_ship_it_once(program, tmp_path, server):
    sidelight = Sidelight(program, tmp_path, server.url)
    path = sidelight.logs / "app.log"
    sidelight.settings["logs"] = [{"paths": [str(path)]}, {"paths": [str(sidelight.logs / "*.log")]}]
    sidelight.write_config()
    with sidelight:
        writer = Writer(str(path), "both")
        writer.write(500)
        assert_clean(server, writer.truth(), sidelight)
        time.sleep(1)
        assert server.stats()["documents"] == 500


@pytest.fixture
def silent_target():
    """Accepts every connection and never answers."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(64)
        yield listener.getsockname()[1]


def watch_silent_targets(sidelight, port, timeout="40s"):
    sidelight.settings["collectors"] = {
        "redis": {"name": "cache", "url": f"redis://127.0.0.1:{port}", "timeout": timeout, "interval": "60s"},
        "http_json": {"name": "shop", "url": f"http://127.0.0.1:{port}/", "timeout": timeout, "interval": "60s",
                      "metrics": [{"name": "shop_orders", "pointer": "/orders", "help": "Orders."}]},
    }
    sidelight.settings["shutdown_deadline"] = "5s"
    sidelight.write_config()


def test_targets_that_hang_do_not_hold_up_the_stop(server, sidelight, silent_target):
    watch_silent_targets(sidelight, silent_target)
    with sidelight:
        writer = Writer(str(sidelight.logs / "app.log"), "hung")
        writer.write(2000)
        time.sleep(0.5)
        status, took = sidelight.stop()
        assert status == 0 and took < 5, f"{took} s"
        assert_clean(server, writer.truth(), sidelight)


def test_second_sigterm_ends_at_once_while_targets_hang(server, sidelight, silent_target):
    watch_silent_targets(sidelight, silent_target)
    with sidelight:
        server.fault("hang")
        Writer(str(sidelight.logs / "app.log"), "hung").write(100)
        time.sleep(1)
        sidelight.process.send_signal(signal.SIGTERM)
        time.sleep(0.5)
        assert sidelight.running(), "the first SIGTERM gives what is on its way a chance"
        begin = time.monotonic()
        sidelight.process.send_signal(signal.SIGTERM)
        sidelight.process.wait(10)
        assert time.monotonic() - begin < 2


def test_targets_that_hang_do_not_hold_up_a_reload(server, sidelight, silent_target):
    watch_silent_targets(sidelight, silent_target)
    with sidelight:
        time.sleep(0.5)
        for timeout in ("41s", "42s"):
            watch_silent_targets(sidelight, silent_target, timeout)
            before = reloads(sidelight)
            sidelight.process.send_signal(signal.SIGHUP)
            wait_for(lambda: reloads(sidelight) > before, 10, "the reload to be counted")
            wait_for(lambda: sidelight.log_text().count("config.reloaded") > before - 1, 5, "the reload to be over")
        writer = Writer(str(sidelight.logs / "app.log"), "hung")
        writer.write(500)
        status, took = sidelight.stop()
        assert status == 0 and took < 5, f"{took} s"
        assert_clean(server, writer.truth(), sidelight)


def test_stop_is_seen_while_files_change(program, tmp_path):
    """Notifications that come with the signal must not make the worker sleep on until its next scan."""
    parent = tmp_path / "parent"
    parent.mkdir()
    sidelight = Sidelight(program, tmp_path, [], paths=[str(parent / "absent" / "*.log")], output={"file": {"path": str(tmp_path / "out")}})
    sidelight.stderr_path = parent / "sidelight.log"  # what it says on a stop is such a change
    for _ in range(12):
        with sidelight:
            status, took = sidelight.stop(5)
            assert status == 0 and took < 3, f"{took} s"


def run_subcommand(sidelight, *arguments, preexec=None):
    return subprocess.run([sidelight.program, *arguments], capture_output=True, text=True, timeout=30, check=False, cwd=sidelight.folder,
                          preexec_fn=preexec)


@pytest.mark.parametrize("arguments", [[], ["no-such-command"], ["run"], ["check", "--no-such-flag"]])
def test_a_wrong_command_line_is_2(program, arguments):
    assert subprocess.run([program, *arguments], capture_output=True, timeout=10, check=False).returncode == 2
    assert subprocess.run([program, "--help"], capture_output=True, timeout=10, check=False).returncode == 0


def become_nobody():
    if os.geteuid() == 0:
        os.setgroups([])
        os.setgid(65534)
        os.setuid(65534)


def check_connect(sidelight):
    sidelight.write_config()
    return run_subcommand(sidelight, "check", "--connect", "--config", str(sidelight.config))


def test_check_tries_the_state_directory_and_the_output_file(program, tmp_path):
    sidelight = Sidelight(program, tmp_path, [], output={"file": {"path": str(tmp_path / "out" / "lines")}})
    good = check_connect(sidelight)
    assert good.returncode == 0, good.stderr
    assert not (tmp_path / "out").exists() and not sidelight.state.exists(), "a check leaves nothing behind"
    (tmp_path / "file").write_text("", encoding="utf-8")
    for where in ("state_dir", "output.file"):
        sidelight.settings["state_dir"] = str(tmp_path / "file" / "below") if where == "state_dir" else str(sidelight.state)
        sidelight.settings["output"]["file"]["path"] = str(tmp_path / ("out" if where == "state_dir" else "file") / "lines")
        bad = check_connect(sidelight)
        assert bad.returncode == 1 and where + ":" in bad.stderr, bad.stderr + bad.stdout


def test_what_check_prints_is_a_configuration(program, tmp_path):
    sidelight = Sidelight(program, tmp_path, [], output={"stdout": {}})
    sidelight.write_config()
    first = run_subcommand(sidelight, "check", "--connect", "--print", "--config", str(sidelight.config))
    assert first.returncode == 0 and "the configuration is good" in first.stderr, first.stderr
    sidelight.config.write_text(first.stdout, encoding="utf-8")
    second = run_subcommand(sidelight, "check", "--print", "--config", str(sidelight.config))
    assert second.returncode == 0, second.stderr
    assert second.stdout == first.stdout


def test_check_is_fine_beside_a_running_program(server, sidelight):
    with sidelight:
        beside = run_subcommand(sidelight, "check", "--connect", "--config", str(sidelight.config))
        assert beside.returncode == 0, beside.stderr


def closed_folder(path):
    """One that only its owner, who is not the one that the test becomes, may use."""
    path.mkdir()
    path.chmod(0o700 if os.geteuid() == 0 else 0)
    return path


def test_check_names_owner_mode_and_user(program, tmp_path_factory):
    folder = tmp_path_factory.mktemp("rights")
    sidelight = Sidelight(program, folder, [], output={"stdout": {}})
    for parent in [folder, *folder.parents][:3]:
        parent.chmod(0o755)
    closed = closed_folder(folder / "closed")
    sidelight.settings["state_dir"] = str(closed / "state")
    sidelight.write_config()
    result = run_subcommand(sidelight, "check", "--connect", "--config", str(sidelight.config), preexec=become_nobody)
    closed.chmod(0o700)
    assert result.returncode == 1, result.stdout + result.stderr
    us = 65534 if os.geteuid() == 0 else os.geteuid()
    assert "state_dir" in result.stderr and f"owner {os.geteuid()}:" in result.stderr and f"we are {us}:" in result.stderr, result.stderr


def test_dead_letters_that_may_not_be_read_are_an_error(program, tmp_path_factory):
    folder = tmp_path_factory.mktemp("rights")
    sidelight = Sidelight(program, folder, "http://127.0.0.1:1")
    for parent in [folder, *folder.parents][:3]:
        parent.chmod(0o755)
    replay = ["replay-dead-letters", "--config", str(sidelight.config)]
    assert run_subcommand(sidelight, *replay, preexec=become_nobody).returncode == 0, "none were ever made"
    sidelight.state.mkdir()
    closed = closed_folder(sidelight.state / "dead-letters")
    result = run_subcommand(sidelight, *replay, preexec=become_nobody)
    closed.chmod(0o700)
    assert result.returncode == 1 and "we are" in result.stderr, result.stdout + result.stderr


def test_closed_standard_descriptors_become_none_of_its_files(program, tmp_path):
    """Else the documents would be written into whatever file is opened first, and the log too."""
    sidelight = Sidelight(program, tmp_path, [], output={"stdout": {}})
    (sidelight.logs / "app.log").write_text("one line\n", encoding="utf-8")
    own = tmp_path / "own.log"
    sidelight.settings["log"] = {"file": str(own), "format": "json"}
    sidelight.write_config()
    command = f"exec {shlex.quote(program)} run --config {shlex.quote(str(sidelight.config))} 0<&- 1>&- 2>&-"
    with subprocess.Popen(["sh", "-c", command], cwd=tmp_path) as sidelight.process:
        try:
            wait_for(lambda: own.exists() and "stdout_closed" in own.read_text(), 15, "the output to be down")
            sidelight.stop()
        finally:
            if sidelight.running():
                sidelight.kill()
    written = b"".join(path.read_bytes() for path in sidelight.state.rglob("*") if path.is_file())
    assert b"one line" not in written and b"stdout_closed" not in written


def test_stdout_without_a_reader_does_not_hold_up_the_stop(program, tmp_path):
    """More than the budget holds, so that reading waits for an output that will never take anything."""
    sidelight = Sidelight(program, tmp_path, [], output={"stdout": {}}, extra={"memory_budget": "8MiB"})
    (sidelight.logs / "app.log").write_text(("x" * 500 + "\n") * 60_000, encoding="utf-8")
    read, write = os.pipe()
    os.close(read)
    with open(sidelight.stderr_path, "ab") as log:
        sidelight.process = subprocess.Popen([program, "run", "--config", str(sidelight.config)], stdout=write, stderr=log, cwd=tmp_path)
    os.close(write)
    with sidelight.process:
        try:
            wait_for(lambda: "stdout_closed" in sidelight.log_text(), 15, "the output to be down")
            _, took = sidelight.stop()
            assert took < 5, f"{took} s"
        finally:
            if sidelight.running():
                sidelight.kill()

"""A name server that does not answer: the hosts with other names go on, and a stop ends in its time.

The program runs in a mount namespace of its own, where /etc/resolv.conf names a server that takes questions and never answers.
"""

import json
import os
import random
import shlex
import shutil
import socket
import socketserver
import subprocess
import threading
import time

import pytest

from rig import FaultServer, Sidelight, wait_for
from writer import Writer

GIVES_UP = 20  # seconds until the C library does
LOST = "nowhere.invalid"
PATIENCE = {"timeout": "2s", "backoff_initial": "100ms", "backoff_max": "1s"}


def unshare():
    """How to get a mount namespace here; skips when there is none to be had."""
    if shutil.which("unshare") is None:
        pytest.skip("needs unshare: apt-get install util-linux")
    command = ["unshare", "--mount"] if os.geteuid() == 0 else ["unshare", "--mount", "--map-root-user"]
    tried = subprocess.run([*command, "mount", "--bind", "/etc/hostname", "/etc/resolv.conf"], capture_output=True, text=True, check=False)
    if tried.returncode != 0:
        pytest.skip(f"needs a mount namespace, which cannot be had: {tried.stderr.strip()}")
    return command


@pytest.fixture
def silent():
    """The name server: port 53 of an address of the loopback network that no other test run has."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        for _ in range(10):
            address = f"127.{random.randint(1, 250)}.{random.randint(1, 250)}.{random.randint(1, 250)}"
            try:
                s.bind((address, 53))
            except OSError as e:
                why = str(e)
                continue
            break
        else:
            pytest.skip(f"needs port 53 of the loopback network, for a name server: {why}")
        yield s


def was_asked(silent):
    """Whether somebody asked since the last time."""
    silent.settimeout(0.1)
    try:
        silent.recv(512)
    except OSError:
        return False
    return True


@pytest.fixture
def lost_in(program, tmp_path, silent):
    """The program, with `silent` as its only name server."""
    namespace = unshare()
    resolv = tmp_path / "resolv.conf"
    resolv.write_text(f"nameserver {silent.getsockname()[0]}\noptions timeout:{GIVES_UP // 2} attempts:2\n", encoding="ascii")
    script = tmp_path / "sidelight-without-names"
    inside = f"mount --bind {shlex.quote(str(resolv))} /etc/resolv.conf && exec {shlex.quote(program)} \"$@\""
    script.write_text(f"#!/bin/sh\nexec {shlex.join(namespace)} sh -c {shlex.quote(inside)} sh \"$@\"\n", encoding="utf-8")
    script.chmod(0o755)
    return str(script)


class Lines(socketserver.ThreadingTCPServer):
    """Takes JSON lines over TCP."""
    allow_reuse_address = True
    daemon_threads = True

    def __init__(self):
        self.count = 0

        class Handler(socketserver.StreamRequestHandler):
            def handle(handler):  # pylint: disable=no-self-argument
                for line in handler.rfile:
                    json.loads(line)
                    self.count += 1

        super().__init__(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def __exit__(self, *_):
        self.shutdown()
        self.server_close()


def elasticsearch(program, folder, hosts):
    return Sidelight(program, folder, [f"http://{h}" for h in hosts], elasticsearch=PATIENCE, extra={"shutdown_deadline": "3s"})


def logstash(program, folder, hosts):
    settings = {"hosts": hosts, "protocol": "tcp", "load_balance": True, "connect_timeout": "2s", **PATIENCE}
    return Sidelight(program, folder, None, output={"logstash": settings, "flush_interval": "200ms"}, extra={"shutdown_deadline": "3s"})


class FakeEngine(FaultServer):
    @property
    def count(self):
        return self.stats()["documents"]

    @property
    def address(self):
        return f"127.0.0.1:{self.port}"


class FakeLogstash(Lines):
    @property
    def address(self):
        return f"127.0.0.1:{self.server_address[1]}"


KINDS = {"elasticsearch": (FakeEngine, elasticsearch), "logstash": (FakeLogstash, logstash)}


@pytest.mark.parametrize("kind", KINDS)
def test_a_host_with_another_name_goes_on(tmp_path, silent, lost_in, kind):
    make_server, make = KINDS[kind]
    with make_server() as server, make(lost_in, tmp_path, [f"{LOST}:9200", server.address]) as sidelight:
        writer = Writer(str(sidelight.logs / "app.log"), "names")
        begin = last = time.monotonic()
        longest, count, asked = 0.0, 0, 0
        while time.monotonic() - begin < 15:
            writer.write(20)
            time.sleep(0.1)
            now = time.monotonic()
            if server.count > count:
                longest, last, count = max(longest, now - last), now, server.count
            asked += was_asked(silent)
        longest = max(longest, time.monotonic() - last)
        print(f"longest pause {longest:.1f} s, {count} documents")
        assert asked >= 1, "nobody looked the name up"
        # A request is given to the lost host at times, and to the other one after its timeout of 2 s.
        assert longest < 4, f"nothing came for {longest:.1f} s\n{sidelight.log_text()[-2000:]}"
        # What waits for the lost host when the stop is asked for is sent elsewhere, or stays in the file: one of both.
        status, took = sidelight.stop()
        print(f"the stop took {took:.1f} s")
        assert status == 0 and took < 5, f"{took} s"


@pytest.mark.parametrize("kind", KINDS)
def test_a_stop_ends_at_its_deadline(tmp_path, silent, lost_in, kind):
    _, make = KINDS[kind]
    with make(lost_in, tmp_path, [f"{LOST}:9200"]) as sidelight:
        Writer(str(sidelight.logs / "app.log"), "names").write(100)
        wait_for(lambda: was_asked(silent), 10, "the name to be looked up")
        status, took = sidelight.stop()
        print(f"the stop took {took:.1f} s")
        assert status == 0 and took < 5, f"{took} s for a deadline of 3 s"

"""The memcached collector against a real server."""

import os
import shutil
import socket
import time

import pytest

from components import Component
from rig import wait_for
from watching import BadServer, Watcher

pytestmark = pytest.mark.skipif(shutil.which("memcached") is None, reason="apt-get install memcached")


class Memcached(Component):
    name = "memcached"

    def __init__(self, *arguments):
        super().__init__()
        self.arguments = arguments

    def start(self):
        user = ["-u", "root"] if os.geteuid() == 0 else []
        self.spawn(["memcached", "-l", "127.0.0.1", "-p", str(self.port), "-U", "0", "-m", "16", "-t", "1", *user, *self.arguments])
        wait_for(self.answers, 15, "memcached")

    def answers(self):
        with socket.socket() as s:
            return s.connect_ex(("127.0.0.1", self.port)) == 0

    def talk(self, *commands):
        """One answer after the other; each ends in \\r\\n."""
        with socket.create_connection(("127.0.0.1", self.port), 5) as s, s.makefile("rb") as answers:
            for command in commands:
                s.sendall(command.encode() + b"\r\n")
                line = answers.readline()
                while command.startswith("get") and line != b"END\r\n":
                    line = answers.readline()

    def look_up(self, hits, misses):
        self.talk("set there 0 0 1\r\nx", *["get there"] * hits, *[f"get absent{n}" for n in range(misses)])


def watch(program, folder, server, **options):
    return Watcher(program, folder, {"memcached": {"name": "sessions", "address": f"127.0.0.1:{server.port}", "interval": "1s",
                                                   "timeout": "900ms", **options}})


def test_values_and_a_restart(program, tmp_path):
    with Memcached() as server, watch(program, tmp_path, server) as sidelight:
        labels = {"target": "sessions", "node": f"127.0.0.1:{server.port}"}
        sidelight.wait_up("memcached", "sessions")
        assert sidelight.samples("mes_cache_hit_ratio") == []
        server.look_up(900, 99)
        server.talk("set brief 0 1 1\r\nx")
        time.sleep(2.2)
        server.talk("get brief")  # expired: a miss
        sidelight.wait_run("memcached", "sessions")
        assert sidelight.samples("mes_cache_hits_total") == [(labels, 900)] and sidelight.samples("mes_cache_misses_total") == [(labels, 100)]
        assert sidelight.metric("mes_cache_expired_total") == 1 and sidelight.metric("mes_cache_keys") == 1
        assert sidelight.metric("mes_cache_memory_limit_bytes") == 16 << 20 and 0 < sidelight.metric("mes_cache_memory_bytes") < 1000
        assert sidelight.metric("mes_cache_commands_total") == 1002 and sidelight.metric("mes_cache_evictions_total") == 0
        assert 0 < sidelight.metric("mes_cache_latency_seconds") < 0.5
        assert abs(sidelight.metric("mes_cache_hit_ratio", window="5m") - 0.9) < 0.01
        server.stop()
        sidelight.wait_up("memcached", "sessions", 0)
        server.start()
        sidelight.wait_up("memcached", "sessions")
        server.look_up(100, 300)
        sidelight.wait_run("memcached", "sessions")
        assert abs(sidelight.metric("mes_cache_hit_ratio") - 0.25) < 0.01


def test_authentication(program, tmp_path):
    users = tmp_path / "users"
    users.write_text("watcher:pass\n", encoding="ascii")
    users.chmod(0o644)
    tmp_path.chmod(0o755)
    secret = tmp_path / "secret"
    secret.write_text("wrong", encoding="ascii")
    secret.chmod(0o600)
    with Memcached("-Y", str(users)) as server, \
            watch(program, tmp_path / "with", server, username="watcher", password_file=str(secret)) as sidelight:
        sidelight.wait_up("memcached", "sessions", 0)
        sidelight.wait_log("wrong user or password")
        secret.write_text("pass", encoding="ascii")
        sidelight.wait_up("memcached", "sessions")
        assert sidelight.metric("mes_cache_keys") == 0  # the key of the login was not stored
        assert "pass\"" not in sidelight.log_text()
        with watch(program, tmp_path / "without", server) as other:
            other.wait_up("memcached", "sessions", 0)
            other.wait_log("it wants a user: give username and password_file")


@pytest.mark.parametrize("what, says", [("hang", "no answer in time"), (b"HTTP/1.1 400 Bad Request\r\n", "is not one of memcached: HTTP/1.1"),
                                        (b"VERSION 1\r\nSTAT a", "no answer in time"), ("flood", "it sent more than")],
                         ids=["hang", "http", "half", "flood"])
def test_a_target_that_is_none(program, tmp_path, what, says):
    with BadServer(what) as bad, watch(program, tmp_path, bad) as sidelight:
        sidelight.wait_up("memcached", "sessions", 0)
        sidelight.wait_log(says)
        assert sidelight.rss_mib() < 60

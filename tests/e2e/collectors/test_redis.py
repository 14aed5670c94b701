"""The redis collector against real servers: values against the truth, restarts, passwords, TLS, Sentinel, and targets that misbehave."""

import shutil
import subprocess
import time

import pytest
import redis as client_library

from components import Redis, missing
from rig import free_port, wait_for
from watching import BadServer, Watcher

pytestmark = pytest.mark.skipif(missing("redis") != "", reason=missing("redis"))

# What docs/collectors/redis.md says is enough.
LOOK = ("-@all", "+info", "+ping")


def connect(server):
    return client_library.Redis(port=server.port, decode_responses=True)


def watch(program, folder, server, name="cache", **options):
    return Watcher(program, folder, {"redis": {"name": name, "url": f"redis://127.0.0.1:{server.port}", "interval": "1s", "timeout": "900ms",
                                               **options}})


def look_up(connection, hits, misses):
    connection.set("there", "x")
    for _ in range(hits):
        connection.get("there")
    for n in range(misses):
        connection.get(f"absent-{n}")


def test_values_are_those_of_the_server(program, tmp_path):
    with Redis("--maxmemory", "64mb", "--databases", "4") as server, watch(program, tmp_path, server) as sidelight:
        connection = connect(server)
        node = f"127.0.0.1:{server.port}"
        sidelight.wait_up("redis", "cache")
        assert sidelight.samples("mes_cache_hit_ratio") == []  # nobody has looked anything up
        connection.set("volatile", "x", px=1)
        client_library.Redis(port=server.port, db=3).set("other-database", "x")
        look_up(connection, 900, 100)
        time.sleep(0.2)
        connection.get("volatile")  # expired: a miss
        sidelight.wait_run("redis", "cache")
        truth = connection.info()
        assert sidelight.samples("mes_cache_hits_total") == [({"target": "cache", "node": node}, truth["keyspace_hits"])]
        for name, key in (("misses_total", "keyspace_misses"), ("expired_total", "expired_keys"), ("evictions_total", "evicted_keys"),
                          ("memory_limit_bytes", "maxmemory")):
            assert sidelight.metric(f"mes_cache_{name}", target="cache", node=node) == truth[key], name
        assert sidelight.metric("mes_cache_expired_total") == 1 and sidelight.metric("mes_cache_keys") == 2
        assert abs(sidelight.metric("mes_cache_memory_bytes") - truth["used_memory"]) < 200_000
        assert sidelight.metric("mes_cache_clients") == 2  # ours, and the collector
        assert 0 < sidelight.metric("mes_cache_latency_seconds") < 0.5
        assert sidelight.samples("mes_cache_role") == [({"target": "cache", "node": node, "role": "primary"}, 1)]
        assert abs(sidelight.metric("mes_cache_hit_ratio", window="5m") - 900 / 1001) < 0.01
        assert sidelight.samples("mes_cache_replica_link_up") == []


def test_ratio_holds_across_a_restart(program, tmp_path):
    with Redis() as server, watch(program, tmp_path, server) as sidelight:
        sidelight.wait_run("redis", "cache")
        look_up(connect(server), 500, 500)
        sidelight.wait_run("redis", "cache")
        assert abs(sidelight.metric("mes_cache_hit_ratio") - 0.5) < 0.01
        server.stop()
        sidelight.wait_up("redis", "cache", 0)
        server.start()
        sidelight.wait_up("redis", "cache")
        assert sidelight.samples("mes_cache_hit_ratio") == []  # a new process, whose window is empty
        look_up(connect(server), 900, 100)
        sidelight.wait_run("redis", "cache")
        assert abs(sidelight.metric("mes_cache_hit_ratio") - 0.9) < 0.01

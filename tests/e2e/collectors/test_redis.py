"""The redis collector against real servers: values against the truth, restarts, passwords, TLS, Sentinel, and targets that misbehave."""

import shutil
import signal
import subprocess
import time

import pytest
import redis as client_library

from components import Redis, missing
from ports import free_port
from rig import wait_for
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


def test_password_change_is_an_outage_until_the_file_follows(program, tmp_path):
    secret = tmp_path / "password"
    secret.write_text("first\n", encoding="ascii")
    secret.chmod(0o600)
    with Redis("--user", "sidelight", "on", ">first", "resetkeys", *LOOK) as server, \
            watch(program, tmp_path, server, username="sidelight", password_file=str(secret)) as sidelight:
        sidelight.wait_up("redis", "cache")
        server.command("acl", "setuser", "sidelight", "resetpass", ">second")
        sidelight.wait_up("redis", "cache", 0)
        sidelight.wait_log("wrong password of user sidelight")
        assert sidelight.metric("mes_cache_keys") is not None  # the last values stay for a while
        wait_for(lambda: sidelight.metric("mes_cache_keys") is None, 10, "old values to vanish")
        secret.write_text("second\n", encoding="ascii")
        sidelight.wait_up("redis", "cache")
        assert sidelight.metric("mes_cache_keys") == 0
        assert "first" not in sidelight.log_text() and "second" not in sidelight.log_text()
        # Nothing that was asked went beyond the documented rights.
        assert all(entry["reason"] == "auth" for entry in connect(server).acl_log())


def test_missing_rights_are_named(program, tmp_path):
    secret = tmp_path / "password"
    secret.write_text("p", encoding="ascii")
    secret.chmod(0o600)
    with Redis("--user", "blind", "on", ">p", "-@all", "--user", "half", "on", ">p", "-@all", "+info", "--requirepass", "x") as server:
        targets = [{"name": name, "url": f"redis://127.0.0.1:{server.port}", "interval": "1s", "timeout": "900ms", **user}
                   for name, user in (("blind", {"username": "blind", "password_file": str(secret)}),
                                      ("half", {"username": "half", "password_file": str(secret)}), ("nobody", {}))]
        with Watcher(program, tmp_path, {"redis": targets}) as sidelight:
            sidelight.wait_up("redis", "half")
            sidelight.wait_log("ACL SETUSER half +ping")
            assert sidelight.samples("mes_cache_latency_seconds") == []
            sidelight.wait_up("redis", "blind", 0)
            sidelight.wait_log("ACL SETUSER blind +info")
            sidelight.wait_up("redis", "nobody", 0)
            sidelight.wait_log("it wants a password")


@pytest.mark.parametrize("what, says", [("hang", "no answer in time"), (b"HTTP/1.1 400 Bad Request\r\n\r\n", "not the Redis protocol"),
                                        (b"+OK\r\n+OK\r\n", "not one of Redis"), (b"*99999999\r\n", "too many items"),
                                        ("flood", "sidelight_")], ids=["hang", "http", "no-info", "huge", "flood"])
def test_a_target_that_is_no_redis_delays_nobody(program, tmp_path, what, says):
    with Redis() as server, BadServer(what) as bad:
        targets = [{"name": name, "url": f"redis://127.0.0.1:{port}", "interval": "1s", "timeout": "900ms"}
                   for name, port in (("good", server.port), ("bad", bad.port))]
        with Watcher(program, tmp_path, {"redis": targets}) as sidelight:
            sidelight.wait_up("redis", "bad", 0)
            sidelight.wait_run("redis", "good")
            if what != "flood":
                sidelight.wait_log(says)
            assert sidelight.up("redis", "good") == 1 and sidelight.up("redis", "bad") == 0
            assert sidelight.samples("mes_cache_keys", target="bad") == []
            assert sidelight.rss_mib() < 60


def test_an_echoed_password_is_not_logged(program, tmp_path):
    echo = b"-ERR unknown command `AUTH`, with args beginning with: `hush-hush`, \r\n"
    with BadServer(echo) as bad, Watcher(program, tmp_path, {"redis": {
            "name": "bad", "url": f"redis://127.0.0.1:{bad.port}", "password": "hush-hush", "interval": "1s"}}) as sidelight:
        sidelight.wait_up("redis", "bad", 0)
        sidelight.wait_log("it refused AUTH")
        assert "hush" not in sidelight.log_text()


def sign(openssl, folder, name):
    """A certificate of the authority `ca`."""
    (folder / "extension").write_text("subjectAltName=IP:127.0.0.1\n", encoding="ascii")
    openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-subj", f"/CN={name}", "-keyout", f"{name}.key",
            "-out", f"{name}.csr")
    openssl("x509", "-req", "-in", f"{name}.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", "2", "-extfile", "extension",
            "-out", f"{name}.pem")


@pytest.mark.skipif(shutil.which("openssl") is None, reason="apt-get install openssl")
def test_tls_with_client_certificates(program, tmp_path):
    def openssl(*arguments):
        subprocess.run(["openssl", *arguments], cwd=tmp_path, check=True, capture_output=True)

    for name in ("ca", "other"):
        openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj", f"/CN={name}",
                "-keyout", f"{name}.key", "-out", f"{name}.pem")
    for name in ("server", "client"):
        sign(openssl, tmp_path, name)
    tls_port = free_port()
    path = {name: str(tmp_path / name) for name in ("ca.pem", "other.pem", "server.pem", "server.key", "client.pem", "client.key")}
    with Redis("--tls-port", str(tls_port), "--tls-ca-cert-file", path["ca.pem"], "--tls-cert-file", path["server.pem"], "--tls-key-file",
               path["server.key"], "--tls-auth-clients", "yes"):
        ours = {"certificate_file": path["client.pem"], "key_file": path["client.key"]}
        targets = [{"name": name, "url": f"rediss://127.0.0.1:{tls_port}", "interval": "1s", "tls": tls}
                   for name, tls in (("good", {"ca_file": path["ca.pem"], **ours}), ("distrusted", {"ca_file": path["other.pem"], **ours}),
                                     ("anonymous", {"ca_file": path["ca.pem"]}))]
        with Watcher(program, tmp_path, {"redis": targets}) as sidelight:
            sidelight.wait_up("redis", "good")
            sidelight.wait_run("redis", "good")
            assert sidelight.metric("mes_cache_clients", target="good") == 1
            sidelight.wait_up("redis", "distrusted", 0)
            sidelight.wait_log("the server's certificate is not signed by the authorities in " + path["other.pem"])
            sidelight.wait_up("redis", "anonymous", 0)
            sidelight.wait_log("client certificate")


class Sentinel(Redis):
    """A Sentinel that watches `primary` under the name "mes" and agrees with itself."""

    def __init__(self, primary):
        super().__init__()
        self.primary = primary

    def start(self):
        file = self.folder / "sentinel.conf"
        file.write_text(f"port {self.port}\nbind 127.0.0.1\ndir {self.folder}\nlogfile {self.log}\n"
                        f"sentinel monitor mes 127.0.0.1 {self.primary.port} 1\nsentinel down-after-milliseconds mes 500\n"
                        "sentinel failover-timeout mes 3000\n", encoding="ascii")
        self.spawn(["redis-sentinel", str(file)])
        wait_for(lambda: subprocess.run(["redis-cli", "-p", str(self.port), "ping"], capture_output=True, check=False).stdout == b"PONG\n",
                 15, "sentinel")


@pytest.mark.skipif(shutil.which("redis-sentinel") is None, reason="apt-get install redis-sentinel")
def test_sentinel_and_a_failover_without_a_spike(program, tmp_path):
    quick = ("--repl-diskless-sync-delay", "0", "--repl-ping-replica-period", "1")
    with Redis(*quick) as first, Redis("--replicaof", "127.0.0.1", str(first.port), *quick) as second, Sentinel(first) as sentinel, \
            BadServer("hang") as hung:
        old, new = (f"127.0.0.1:{s.port}" for s in (first, second))
        wait_for(lambda: "slave0" in sentinel.command("info", "sentinel") or "slaves=1" in sentinel.command("info", "sentinel"), 15,
                 "sentinel to see the replica")
        # The replica has served, before the watching began, many more look-ups than the primary ever will.
        look_up_replica = connect(second)
        for _ in range(5000):
            look_up_replica.get("absent")
        config = {"redis": {"name": "cache", "sentinel": {"master": "mes", "hosts": [f"127.0.0.1:{hung.port}", f"127.0.0.1:{sentinel.port}"]},
                            "interval": "1s", "timeout": "900ms"}}
        with Watcher(program, tmp_path, config) as sidelight:
            sidelight.wait_up("redis", "cache")
            sidelight.wait_log(f"Sentinel 127.0.0.1:{hung.port}: no answer in time")
            look_up(connect(first), 900, 100)
            sidelight.wait_run("redis", "cache")
            assert {s["node"]: s["role"] for s, _ in sidelight.samples("mes_cache_role")} == {old: "primary", new: "replica"}
            assert sidelight.metric("mes_cache_replica_link_up", node=new) == 1
            wait_for(lambda: sidelight.metric("mes_cache_replica_lag_bytes", node=new) == 0, 5, "no lag")
            assert abs(sidelight.metric("mes_cache_hit_ratio", node=old) - 0.9) < 0.01
            assert sidelight.samples("mes_cache_hit_ratio", node=new) == []  # nobody asks the replica now
            first.stop(signal.SIGKILL)
            wait_for(lambda: sidelight.metric("mes_cache_role", node=new, role="primary") == 1, 20, "the failover to show")
            assert sidelight.samples("mes_cache_hit_ratio", node=new) == []  # no spike from what it served before
            look_up(connect(second), 250, 750)
            sidelight.wait_run("redis", "cache")
            assert abs(sidelight.metric("mes_cache_hit_ratio", node=new) - 0.25) < 0.01
            assert sidelight.samples("mes_cache_role", node=old) == []
            assert f"Sentinel cannot reach the replica {old}" in sidelight.log_text()


def test_replicas_that_the_server_names_and_their_lag(program, tmp_path):
    with Redis("--repl-diskless-sync-delay", "0") as primary, \
            Redis("--replicaof", "127.0.0.1", str(primary.port)) as replica, \
            watch(program, tmp_path, primary, replicas=True) as sidelight:
        node = f"127.0.0.1:{replica.port}"
        wait_for(lambda: sidelight.metric("mes_cache_replica_link_up", node=node) == 1, 15, "the replica")
        wait_for(lambda: sidelight.metric("mes_cache_replica_lag_bytes", node=node) == 0, 5, "no lag")
        replica.command("replicaof", "127.0.0.1", str(free_port()))
        wait_for(lambda: sidelight.samples("mes_cache_replica_link_up", node=node) == [], 15, "a replica that left")
        assert sidelight.up("redis", "cache") == 1
    with Redis() as primary, Redis("--replicaof", "127.0.0.1", str(primary.port)) as replica, \
            watch(program, tmp_path / "alone", replica) as sidelight:
        # Without its primary's offset nothing is said of a lag.
        wait_for(lambda: sidelight.metric("mes_cache_replica_link_up") == 1, 15, "the link")
        assert sidelight.samples("mes_cache_role")[0][0]["role"] == "replica"
        assert sidelight.samples("mes_cache_replica_lag_bytes") == []


@pytest.mark.parametrize("target, says", [
    ({"url": "redis://me:hush@127.0.0.1"}, "no user and password in the URL"),
    ({"url": "http://127.0.0.1:6379"}, "expected redis://HOST:PORT"),
    ({"url": "redis://127.0.0.1/3"}, "a server's metrics are those of all its databases"),
    ({"url": "redis://127.0.0.1", "tls": {}}, "write rediss://"),
    ({"url": "redis://127.0.0.1", "username": "me"}, "needs a password"),
    ({"url": "redis://127.0.0.1", "sentinel": {"master": "mes", "hosts": ["a"]}}, "url and sentinel"),
    ({"sentinel": {"master": "mes", "hosts": ["a:0"]}}, "is no port"),
    ({"sentinel": {"master": "mes", "hosts": ["a"]}, "replicas": True}, "Sentinel gives the replicas anyway"),
    ({}, "one of url and sentinel is required"),
])
def test_wrong_targets_are_told_at_once(program, tmp_path, target, says):
    sidelight = Watcher(program, tmp_path, {"redis": target})
    done = subprocess.run([program, "check", "--config", str(sidelight.config)], capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 2 and says in done.stderr, done.stderr
    assert "collectors.redis" in done.stderr and "hush" not in done.stderr

"""The logs of real servers under load reach real search engines: every event is there once, and can be found by level, service and
time."""

import concurrent.futures
import contextlib
import datetime
import re
import time

import pytest

import components
from components import missing
from rig import Sidelight, wait_for

ENGINES = ("opensearch", "elasticsearch")


@pytest.fixture(scope="module", params=ENGINES)
def engine(request):
    why = missing(request.param)
    if why:
        pytest.skip(why)
    with components.ALL[request.param]() as e:
        yield e


# -- load ------------------------------------------------------------------------------------------------------------------------


def load_nginx(server):
    """2,000 good requests, 200 for files that are not there."""
    def some(count):
        for i in range(count):
            server.request("GET", f"/?order={i}", headers={"User-Agent": 'load "test" \\ \u00e9'.encode().decode("latin-1")})
            if i % 10 == 0:
                server.request("GET", f"/missing/{i}")

    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        list(pool.map(some, [500] * 4))


def load_rabbitmq(server):
    """Each of these is logged: virtual hosts, users, permissions, a failed login."""
    for i in range(20):
        server.management("PUT", f"/vhosts/shop-{i}")
        server.management("PUT", f"/users/worker-{i}", {"password": "x", "tags": ""})
        server.management("PUT", f"/permissions/shop-{i}/worker-{i}", {"configure": ".*", "write": ".*", "read": ".*"})
        server.request_on_management_as_stranger()


def load_postgresql(server):
    server.pgbench("-i", "-s", "1", "-q")
    server.pgbench("-n", "-c", "4", "-t", "50")
    server.psql("select 1,\n       2,\n  'a line\n with breaks';\n" * 20)
    server.psql("select nonsense;\n" * 20, check=False)


def load_redis(server):
    for i in range(100):
        server.command("set", f"order:{i}", "x" * 100)
        server.command("config", "set", "maxmemory", f"{100 + i}mb")
    server.command("bgsave")


class Rabbit(components.RabbitMQ):
    def request_on_management_as_stranger(self):
        amqp_port, self.port = self.port, self.management_port
        try:
            self.request("GET", "/api/overview", headers={"Authorization": "Basic bm9ib2R5Om5vYm9keQ=="})
        finally:
            self.port = amqp_port


# -- what is expected of each source: its log files, how they are read, and what an event is --------------------------------------

DATED = r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d+"
SOURCES = {
    "nginx": {
        "start": components.Nginx, "load": load_nginx,
        "logs": lambda c: {
            "nginx": (c.access_log, {"format": "nginx"}, r"^\S"),
            "nginx-error": (c.error_log, {"format": "nginx_error"}, r"^\S"),
        },
        "level": ("nginx-error", "error", r"\[error\]"),
    },
    "rabbitmq": {
        "start": Rabbit, "load": load_rabbitmq,
        "logs": lambda c: {"rabbitmq": (c.log, {
            "format": "regex", "multiline": {"start_pattern": DATED},
            "pattern": r"(?s)^(?P<time>\S+ \S+) \[(?P<level>\w+)\] <[0-9.]+> ?(?P<message>.*)$"}, DATED)},
        "level": ("rabbitmq", "info", r"^\S+ \S+ \[info\]"),
    },
    "postgresql": {
        "start": components.PostgreSQL, "load": load_postgresql,
        "logs": lambda c: {"postgresql": (c.log, {
            "format": "regex", "multiline": {"start_pattern": DATED},
            "pattern": r"(?s)^(?P<time>\S+ \S+) UTC \[\d+\] (?P<level>[A-Z]+): +(?P<message>.*)$"}, DATED)},
        "level": ("postgresql", "error", r"^\S+ \S+ UTC \[\d+\] ERROR:"),
    },
    "redis": {
        "start": components.Redis, "load": load_redis,
        "logs": lambda c: {"redis": (c.log, {}, r"\S")},  # by its looks, as every input without a format
        "level": ("redis", "notice", r"^\d+:[A-Z] \d+ \w+ \d+ [0-9:.]+ \* "),
    },
}


def events(path, pattern):
    """How many events a log file holds, by what an event begins with."""
    return len(re.findall(pattern, path.read_text(encoding="utf-8", errors="replace"), re.MULTILINE))


def lines_with_text(path):
    return sum(1 for line in path.read_bytes().split(b"\n") if line.strip())


@pytest.mark.parametrize("source", sorted(SOURCES))
@pytest.mark.parametrize("shape", ["data_stream", "index"])
def test_every_event_is_there_and_can_be_found(program, tmp_path, engine, source, shape):
    why = missing(source)
    if why:
        pytest.skip(why)
    today = datetime.datetime.now(datetime.timezone.utc)
    if shape == "data_stream":
        target, where = {"data_stream": f"logs-{source}-default"}, f"logs-{source}-default"
    else:
        target, where = {"index": f"plain-{source}-%Y.%m.%d"}, f"plain-{source}-*"
    spec = SOURCES[source]
    with contextlib.ExitStack() as stack:
        server = stack.enter_context(spec["start"]())
        logs = spec["logs"](server)
        sidelight = Sidelight(program, tmp_path, engine.url, elasticsearch=target)
        sidelight.settings["logs"] = [{"paths": [str(path)], "service": service, **more} for service, (path, more, _) in logs.items()]
        sidelight.write_config()
        stack.enter_context(sidelight)
        spec["load"](server)
        time.sleep(0.5)
        server.stop()  # its last words belong to the log too
        expected = {}
        for service, (path, more, begin) in logs.items():
            expected[service] = events(path, begin) if "multiline" in more else lines_with_text(path)
        total = sum(expected.values())
        assert total > 50
        try:
            wait_for(lambda: engine.count(where) >= total, 60, f"{total} documents")
        except AssertionError as e:
            raise AssertionError(f"{e}; there are {engine.count(where)}\n{sidelight.log_text()[-3000:]}") from e
        status, _ = sidelight.stop()
        assert status == 0
        assert engine.count(where) == total, sidelight.log_text()[-3000:]
        for service, count in expected.items():
            assert engine.count(where, {"term": {"service.name": service}}) == count
        hour = {"range": {"@timestamp": {"gte": (today - datetime.timedelta(hours=1)).isoformat(), "lte": "now+1h"}}}
        assert engine.count(where, hour) == total
        service, level, pattern = spec["level"]
        query = {"bool": {"filter": [{"term": {"service.name": service}}, {"term": {"log.level": level}}, hour]}}
        count = events(logs[service][0], pattern)
        assert count > 0
        assert engine.count(where, query) == count
        old = {"range": {"@timestamp": {"lt": (today - datetime.timedelta(hours=1)).isoformat()}}}
        assert engine.count(where, old) == 0
        check_order_of_times(engine, where)
        if shape == "data_stream":
            backing = {hit["_index"] for hit in engine.search(where, size=3)["hits"]["hits"]}
            assert all(name.startswith(".ds-") for name in backing), backing


def check_order_of_times(engine, where):
    """The times are those of the lines, not those of the reading: they differ."""
    found = engine.search(where, size=0, aggs={"times": {"cardinality": {"field": "@timestamp"}}})
    assert found["aggregations"]["times"]["value"] > 1


def test_ingest_pipeline(program, tmp_path):
    """OpenSearch only: this cut of Elasticsearch has no ingest processors."""
    for name in ("opensearch", "nginx"):
        if missing(name):
            pytest.skip(missing(name))
    with components.OpenSearch() as engine, components.Nginx() as server:
        status, _ = engine.request("PUT", "/_ingest/pipeline/mark", {"processors": [{"set": {"field": "labels.checked", "value": "yes"}}]})
        assert status == 200
        sidelight = Sidelight(program, tmp_path, engine.url, paths=[str(server.access_log)], log={"format": "nginx", "service": "web"},
                              elasticsearch={"pipeline": "mark"})
        with sidelight:
            for _ in range(100):
                server.request("GET", "/")
            wait_for(lambda: engine.count("logs-shop-default") == 100, 30, "100 documents")
            for hit in engine.search("logs-shop-default", size=100)["hits"]["hits"]:
                assert hit["_source"]["labels"]["checked"] == "yes"

"""Sidelight's metrics of the plant are the plant's truth."""

import collections
import subprocess
import time

import pytest

from plant import Plant
from plant.servers.process import wait_until
from plant.watched import Watcher

SPEED = 4
REST = 15  # seconds after which the depth of a queue at rest must be exact
MEASURED_AGE = 12  # seconds by which a measured age may be off
ESTIMATED_AGE = 8  # the same of an estimate: the broker's statistics come every 5 s


@pytest.fixture(name="plant", scope="module")
def running_plant(tmp_path_factory):
    with Plant(tmp_path_factory.mktemp("watched"), seed=11, speed=SPEED) as plant:
        yield plant


@pytest.fixture(name="watcher", scope="module")
def running_watcher(program, plant):
    plant.rest()
    with Watcher(program, plant, interval="1s") as watcher:
        watcher.before = plant.truth()
        wait_until(lambda: all(up == 1 for up in watcher.metrics().by("sidelight_collector_up", "collector", "target").values()), 20,
                   "all collectors up")
        plant.resume_load()
        time.sleep(8)
        yield watcher
        plant.switch("normal_day")
        plant.rest()
        assert watcher.stop() == 0


@pytest.fixture(autouse=True)
def normal_again(plant, watcher):
    yield
    plant.switch("normal_day")
    plant.rest()
    del watcher


def agree(watcher, seen, true, seconds=REST):
    """`seen(metrics)` becomes equal to `true()`."""
    try:
        wait_until(lambda: seen(watcher.metrics()) == true(), seconds, "agreement")
    except TimeoutError:  # only then once more, for what differs: production never rests
        assert seen(watcher.metrics()) == true()


def queues(plant, key, dead_letters=False):
    return {name: q[key] for name, q in plant.truth()["queues"].items() if q["dead_letters"] == dead_letters}


def grouped(entries, *keys, value="count"):
    out = collections.Counter()
    for entry in entries:
        out[tuple(entry["status"][0] + "xx" if k == "class" else entry[k] for k in keys)] += entry[value]
    return dict(out)


def test_queues(plant, watcher):
    plant.rest()
    for name in ("ready", "unacked", "depth", "consumers"):
        agree(watcher, lambda m, n=name: m.by(f"mes_queue_{n}", "queue"), lambda n=name: queues(plant, n))
    for name in ("published", "delivered", "acked", "redelivered"):
        agree(watcher, lambda m, n=name: m.by(f"mes_queue_{n}_total", "queue"), lambda n=name: queues(plant, n))
    metrics = watcher.metrics()
    assert set(metrics.by("mes_queue_stalled", "queue").values()) == {0}
    assert metrics.by("mes_broker_node_up", "node") == {plant.rabbitmq.node: 1}
    assert metrics.value("mes_broker_queues") == 4


def test_caches(plant, watcher):
    plant.rest()
    true = plant.truth()["caches"]["redis"]
    primary, replica = f"127.0.0.1:{plant.redis.port}", f"127.0.0.1:{plant.redis_replica.port}"
    agree(watcher, lambda m: (m.value("mes_cache_hits_total", node=primary), m.value("mes_cache_misses_total", node=primary)),
          lambda: (true["hits"], true["misses"]))
    before = watcher.before["caches"].get("redis", {"hits": 0, "misses": 0})
    hits, misses = (true[k] - before[k] for k in ("hits", "misses"))
    metrics = watcher.metrics()
    assert metrics.value("mes_cache_hit_ratio", node=primary, window="5m") == pytest.approx(hits / (hits + misses), abs=0.01)
    assert metrics.value("mes_cache_role", node=replica, role="replica") == 1
    assert metrics.value("mes_cache_replica_link_up", node=replica) == 1
    sessions, seen = plant.truth()["caches"]["memcached"], f"127.0.0.1:{plant.memcached.port}"
    agree(watcher, lambda m: (m.value("mes_cache_hits_total", node=seen), m.value("mes_cache_misses_total", node=seen)),
          lambda: (sessions["hits"], sessions["misses"]))


def test_what_the_logs_tell(plant, watcher):
    plant.rest()
    agree(watcher, lambda m: m.by("app_log_events_total", "service_name", "level"),
          lambda: {(s, level): n for s, levels in plant.truth()["log_lines"].items() for level, n in levels.items()})
    agree(watcher, lambda m: m.by("app_requests_total", "service_name", "route", "method", "status_class"),
          lambda: grouped(plant.truth()["requests"], "service", "route", "method", "class"))
    agree(watcher, lambda m: m.by("mes_price_calculations_total", "algorithm", "result"),
          lambda: {(a, r): c[r] for a, c in plant.truth()["calculations"].items() for r in ("ok", "error") if c[r]})
    price = plant.truth()["caches"]["redis"]["by_prefix"]["price"]
    agree(watcher, lambda m: m.by("mes_price_cache_lookups_total", "key_prefix", "result", "reason"),
          lambda: {("price", "hit", ""): price["hits"], **{("price", "miss", r): n for r, n in price["miss_reasons"].items()}})
    metrics, calculations = watcher.metrics(), plant.truth()["calculations"]["v2"]
    assert metrics.value("mes_price_calculation_duration_seconds_sum", algorithm="v2") == pytest.approx(calculations["seconds_sum"])
    for bound in (0.1, 0.25, 0.5, 1):
        assert metrics.value("mes_price_calculation_duration_seconds_bucket", algorithm="v2", le=f"{bound:g}") == \
            sum(seconds <= bound for seconds in calculations["durations"])


def test_the_gateway(plant, watcher):
    plant.rest()
    agree(watcher, lambda m: m.by("gateway_requests_total", "route", "partner", "method", "status_class"),
          lambda: grouped(plant.truth()["gateway"]["requests"], "route", "partner", "method", "class"))
    agree(watcher, lambda m: m.by("gateway_limited_requests_total", "route", "partner", "outcome"),
          lambda: grouped(plant.truth()["gateway"]["limited"], "route", "partner", "outcome"))
    agree(watcher, lambda m: m.by("gateway_cache_requests_total", "route", "status"),
          lambda: grouped(plant.truth()["gateway"]["cache"], "route", "status"))
    metrics = watcher.metrics()
    by_upstream = {"shop": plant.shop.port, "partner-api-a": plant.partner_api_a.port, "partner-api-b": plant.partner_api_b.port}
    served = grouped(plant.truth()["requests"], "instance")
    for instance, port in by_upstream.items():
        assert metrics.value("gateway_upstream_responses_total", upstream=f"127.0.0.1:{port}") == served[instance,]
    assert metrics.value("gateway_server_requests_total") >= sum(grouped(plant.truth()["gateway"]["requests"], "route").values())


def test_the_mes_and_its_database(plant, watcher):
    plant.rest()
    agree(watcher, lambda m: (m.value("mes_workers"), m.value("mes_workers_busy"), m.value("mes_calculations_in_progress")), lambda: (4, 0, 0))
    statuses = ("new", "priced", "in_production", "shipped", "closed", "rejected")
    agree(watcher, lambda m: m.by("mes_orders_total", "status"),
          lambda: {s: plant.truth()["orders"]["transitions"].get(s, 0) for s in statuses})
    plant.postgres.sql("analyze orders")
    rows = plant.truth()["orders"]["by_status"]
    hot = sum(rows.get(s, 0) for s in ("new", "priced", "in_production")) / sum(rows.values())
    target = {"target": "mes-db"}
    wait_until(lambda: watcher.metrics().value("mes_db_hot_rows_ratio", **target) is not None, 60, "hot rows")
    metrics = watcher.metrics()
    assert metrics.value("mes_db_hot_rows_ratio", **target) == pytest.approx(hot, abs=0.005)
    assert metrics.value("mes_db_status_share_ratio", status="closed", **target) == pytest.approx(rows["closed"] / sum(rows.values()), abs=0.01)
    assert metrics.value("mes_db_table_rows", table="orders", **target) == pytest.approx(sum(rows.values()), rel=0.02)
    assert metrics.value("mes_db_replica", target="mes-db-replica") == 1
    assert metrics.value("mes_db_replication_lag_bytes", replica="replica", **target) is not None
    assert metrics.value("mes_db_connections_limit", **target) == 57  # 60, less those kept for superusers


def test_dead_consumer(plant, watcher):
    plant.switch("dead_consumer")
    time.sleep(4)
    plant.pause_load()
    agree(watcher, lambda m: m.by("mes_queue_ready", "queue"), lambda: queues(plant, "ready"))
    agree(watcher, lambda m: m.by("mes_queue_consumers", "queue"), lambda: queues(plant, "consumers"))
    metrics, true = watcher.metrics(), plant.truth()["queues"]["mes.orders"]
    assert true["depth"] > 3 and true["consumers"] == 0
    assert metrics.value("mes_queue_head_age_seconds", queue="mes.orders", method="measured") == \
        pytest.approx(true["oldest_age_seconds"], abs=MEASURED_AGE)
    agree(watcher, lambda m: m.value("mes_workers"), lambda: 0)


def test_age_without_timestamps_is_an_estimate_and_says_so(plant, watcher):
    plant.set_timestamps(False)
    try:
        plant.switch("dead_consumer")
        time.sleep(6)
        plant.pause_load()
        agree(watcher, lambda m: m.by("mes_queue_ready", "queue"), lambda: queues(plant, "ready"))
        age = watcher.metrics().by("mes_queue_head_age_seconds", "method", queue="mes.orders")
        assert age == {"estimated": pytest.approx(plant.truth()["queues"]["mes.orders"]["head_age_seconds"], abs=ESTIMATED_AGE)}
    finally:
        plant.set_timestamps(True)


def test_poison_message(plant, watcher):
    plant.switch("poison_message")
    time.sleep(4)
    plant.rest()
    agree(watcher, lambda m: m.by("mes_dead_letter_depth", "queue"), lambda: queues(plant, "depth", dead_letters=True))
    agree(watcher, lambda m: m.by("mes_queue_redelivered_total", "queue"), lambda: queues(plant, "redelivered"))
    assert queues(plant, "depth", dead_letters=True)["mes.dead"] >= 2


def test_slow_database(plant, watcher):
    plant.switch("slow_database")
    wait_until(lambda: watcher.metrics().value("mes_db_lock_waiters", target="mes-db", database="mes") >= 1, 30, "lock waiters")
    wait_until(lambda: watcher.metrics().value("mes_db_longest_query_seconds", target="mes-db", database="mes") > 3, 30, "a long query")


def test_noisy_partner(plant, watcher):
    plant.switch("noisy_partner")
    time.sleep(3)
    plant.rest()
    agree(watcher, lambda m: m.by("gateway_limited_requests_total", "partner", "outcome", outcome="rejected"),
          lambda: {k: v for k, v in grouped(plant.truth()["gateway"]["limited"], "partner", "outcome").items() if k[1] == "rejected"})
    assert watcher.metrics().value("gateway_limited_requests_total", partner="noisy", outcome="rejected") > 50
    agree(watcher, lambda m: m.by("app_requests_total", "service_name"), lambda: {s: n for (s,), n in grouped(
        plant.truth()["requests"], "service").items()})


def test_broker_restart(plant, watcher):
    plant.switch("broker_restart")
    wait_until(lambda: watcher.metrics().value("sidelight_collector_up", collector="rabbitmq") == 1, 40, "the collector to be up again")
    plant.rest()
    agree(watcher, lambda m: m.by("mes_queue_depth", "queue"), lambda: queues(plant, "depth"))
    agree(watcher, lambda m: m.by("mes_queue_consumers", "queue"), lambda: queues(plant, "consumers"), 30)
    assert watcher.metrics().value("sidelight_collector_runs_total", collector="rabbitmq", result="failure") > 0


def test_every_line_is_shipped(plant, watcher):
    plant.rest()

    def count(pattern):
        return sum(len(path.read_bytes().splitlines()) for path in plant.directory.glob(pattern))

    wait_until(lambda: count("out/events.ndjson*") == count("logs/*/*.log*"), 20, "all lines shipped")
    assert watcher.metrics().value("mes_price_calculations_total") > 10


def test_promtool_has_nothing_to_say_about_the_page(watcher):
    page = watcher.page()
    assert page.count("\n# TYPE ") > 100
    lint = subprocess.run(["promtool", "check", "metrics"], input=page, capture_output=True, text=True, check=False)
    assert (lint.returncode, lint.stdout, lint.stderr) == (0, "", "")

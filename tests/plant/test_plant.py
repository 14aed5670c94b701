"""The plant's truth is what the real broker, caches, database and gateway say, and each scenario has its effect in both."""

import collections
import contextlib
import http.client
import itertools
import json
import pathlib
import subprocess
import sys
import time

import pytest
import redis

from plant import Plant, decisions
from plant.messaging import connect
from plant.scenarios import SCENARIOS
from plant.servers.process import accepts, wait_until

SPEED = 4
STATISTICS = 1.0  # seconds between the broker's statistics
ROOT = pathlib.Path(__file__).resolve().parent.parent.parent


@pytest.fixture(name="plant", scope="module")
def running_plant(tmp_path_factory):
    with Plant(tmp_path_factory.mktemp("plant"), seed=5, speed=SPEED, statistics_interval_ms=int(1000 * STATISTICS)) as plant:
        yield plant


@pytest.fixture(autouse=True)
def normal_again(request):
    yield
    if "plant" in request.fixturenames:
        plant = request.getfixturevalue("plant")
        plant.switch("normal_day")
        plant.rest(40)


def lines(path):
    with open(path, encoding="utf-8") as file:
        return [json.loads(line) for line in file]


def eventually(read, expected, seconds=8):
    """`read()` becomes what `expected()` says; both may still move."""
    seen = None

    def same():
        nonlocal seen
        seen = (read(), expected())
        return seen[0] == seen[1]

    with contextlib.suppress(TimeoutError):
        wait_until(same, seconds, "equality")
    assert seen[0] == seen[1]


def broker_depth(plant):
    """Ready messages by the broker's own count, at once (management lags)."""
    connection = connect(plant.rabbitmq)
    try:
        channel = connection.channel()
        return {q: channel.queue_declare(q, passive=True).method.message_count for q in plant.truth()["queues"]}
    finally:
        connection.close()


def management(plant, *keys):
    """For each queue what the management API says under these keys; 0 for what it leaves out."""
    _, queues = plant.rabbitmq.management("GET", "/api/queues/%2F?disable_stats=false")

    def value(queue, key):
        return queue.get(key, queue.get("message_stats", {}).get(key, 0))

    return {q["name"]: tuple(value(q, key) for key in keys) for q in queues}


def settled(plant, *keys):
    """The same of a plant at rest, once the broker's statistics have caught up."""
    while True:
        first = management(plant, *keys)
        time.sleep(2 * STATISTICS)
        if first == management(plant, *keys):
            return first


def true_queues(plant, *keys):
    return {name: tuple(q[key] for key in keys) for name, q in plant.truth()["queues"].items()}


def assert_depths_agree(plant):
    eventually(lambda: broker_depth(plant), lambda: {k: v[0] for k, v in true_queues(plant, "ready").items()})
    eventually(lambda: management(plant, "messages_ready", "messages_unacknowledged", "messages", "consumers"),
               lambda: true_queues(plant, "ready", "unacked", "depth", "consumers"))


def redis_lookups(plant):
    info = plant.redis.info("stats")
    return int(info["keyspace_hits"]), int(info["keyspace_misses"])


def true_lookups(plant, cache="redis"):
    counts = plant.truth()["caches"].get(cache, {"hits": 0, "misses": 0})
    return counts["hits"], counts["misses"]


def reasons(plant, prefix="price"):
    return collections.Counter(plant.truth()["caches"]["redis"]["by_prefix"].get(prefix, {}).get("miss_reasons", {}))


def calculated(plant, algorithm):
    a = plant.truth()["calculations"].get(algorithm, {"ok": 0, "error": 0})
    return a["ok"] + a["error"]


def statuses(plant):
    return dict(plant.postgres.sql("select status, count(*)::int from orders group by 1"))


def gateway_truth(plant, part, *keys):
    return {tuple(e[k] for k in keys): e["count"] for e in plant.truth()["gateway"][part]}


def gateway_log(plant, *keys):
    return dict(collections.Counter(tuple(e[k].lower() if k.endswith("_status") else e[k] for k in keys)
                                    for e in lines(plant.gateway.access_log)))


def some_orders(plant):
    """A plant at rest that has had some."""
    plant.resume_load()
    wait_until(lambda: plant.truth()["orders"]["transitions"].get("new", 0) > 3, 20, "orders")
    plant.rest()


# -- nothing special --------------------------------------------------------------------------------------------------------------


def test_on_a_normal_day_the_truth_is_what_every_server_says(plant):
    time.sleep(6)
    decided = {name: list(requests) for name, requests in plant.load.decided().items()}
    plant.rest()
    truth = plant.truth()
    assert truth["queues"]["mes.orders"]["acked"] > 5 and truth["queues"]["mes.price"]["acked"] > 5

    assert_depths_agree(plant)
    eventually(lambda: management(plant, "publish", "deliver", "ack", "redeliver"),
               lambda: true_queues(plant, "published", "delivered", "acked", "redelivered"))
    assert redis_lookups(plant) == true_lookups(plant)
    assert min(true_lookups(plant)) > 0
    stats = plant.memcached.stats()
    assert (int(stats["get_hits"]), int(stats["get_misses"])) == true_lookups(plant, "memcached")
    eventually(lambda: statuses(plant), lambda: plant.truth()["orders"]["by_status"])
    eventually(lambda: plant.replica.sql("select count(*) from order_history"), lambda: plant.postgres.sql("select count(*) from order_history"))
    assert plant.redis_replica.info("replication")["master_link_status"] == "up"

    assert gateway_log(plant, "route", "partner", "method", "status") == gateway_truth(plant, "requests", "route", "partner", "method", "status")
    limited = gateway_log(plant, "route", "partner", "limit_req_status")
    assert {k: v for k, v in limited.items() if k[2]} == gateway_truth(plant, "limited", "route", "partner", "outcome")
    cached = gateway_log(plant, "route", "upstream_cache_status")
    assert {k: v for k, v in cached.items() if k[1]} == gateway_truth(plant, "cache", "route", "status")
    keys = set(decisions.API_KEYS.values())
    assert not any(key in plant.gateway.access_log.read_text(encoding="utf-8") for key in keys)

    for name, requests in decided.items():  # and it did what the seed says
        if SCENARIOS["normal_day"].noisy_partner or name != "noisy_partner":
            expected = list(itertools.islice(decisions.ACTORS[name](5, "normal_day", SCENARIOS["normal_day"]), len(requests)))
            assert requests == expected and requests


def test_logs_say_what_the_truth_says(plant):
    some_orders(plant)
    for service, levels in plant.truth()["log_lines"].items():
        eventually(lambda s=service: dict(collections.Counter(e["level"] for e in lines(plant.logs / s / f"{s}.log"))),
                   lambda s=service: plant.truth()["log_lines"][s])
        assert sum(levels.values()) > 0
    mes = lines(plant.logs / "mes" / "mes.log")
    calculations = [e for e in mes if e.get("event") == "price_calculation"]
    truth = plant.truth()["calculations"]["v2"]
    assert collections.Counter(e["result"] for e in calculations) == collections.Counter(ok=truth["ok"], error=truth["error"])
    assert sum(e["duration_s"] for e in calculations) == pytest.approx(truth["seconds_sum"])
    lookups = [e for e in mes if e.get("event") == "price_cache_lookup"]
    price = plant.truth()["caches"]["redis"]["by_prefix"]["price"]
    assert sum(e["result"] == "hit" for e in lookups) == price["hits"]
    assert collections.Counter(e["reason"] for e in lookups if e["result"] == "miss") == price["miss_reasons"]
    served = collections.Counter()
    for service in ("shop", "crm", "mes", "partner-api"):
        for e in lines(plant.logs / service / f"{service}.log"):
            if e["msg"] == "request":
                served[service, e["route"], e["method"], str(e["status"])] += 1
    expected = collections.Counter()
    for r in plant.truth()["requests"]:
        expected[r["service"], r["route"], r["method"], r["status"]] += r["count"]
    assert served == expected


def test_the_mes_tells_its_state(plant):
    some_orders(plant)
    connection = http.client.HTTPConnection("127.0.0.1", plant.mes.port, timeout=5)
    connection.request("GET", "/stats")
    stats = json.loads(connection.getresponse().read())
    connection.close()
    truth = plant.truth()
    assert stats["workers"] == {"total": 4, "busy": 0} == {"total": truth["mes"]["workers"], "busy": truth["mes"]["workers_busy"]}
    assert stats["orders"]["new"] == truth["orders"]["transitions"]["new"] > 0


def test_only_looking_is_allowed_to_the_user_of_sidelight(plant):
    status, _ = plant.rabbitmq.management("GET", "/api/queues/%2F", user="sidelight")
    assert status == 200
    status, _ = plant.rabbitmq.management("DELETE", "/api/queues/%2F/mes.orders", user="sidelight")
    assert status in (401, 403)
    client = redis.Redis("127.0.0.1", plant.redis.port, username="sidelight", password=plant.passwords["sidelight"])
    assert client.ping() and client.info("stats")["keyspace_hits"] >= 0
    with pytest.raises(redis.exceptions.NoPermissionError):
        client.set("x", "y")


# -- scenarios --------------------------------------------------------------------------------------------------------------------


def test_evening_peak_brings_several_times_the_requests_and_loses_none(plant):
    def orders_and_pages():
        t = plant.truth()
        return t["queues"]["mes.orders"]["published"], sum(r["count"] for r in t["requests"] if r["service"] == "shop")

    plant.switch("evening_peak")
    time.sleep(SCENARIOS["evening_peak"].ramp / SPEED)
    before = orders_and_pages()
    time.sleep(3)
    after = orders_and_pages()
    usual = SCENARIOS["normal_day"]
    assert after[0] - before[0] > 2 * usual.sales * SPEED * 3
    assert after[1] - before[1] > 3 * usual.shoppers * SPEED * 3
    plant.rest()
    assert_depths_agree(plant)


def test_overload_grows_the_queue_faster_than_it_drains(plant):
    plant.switch("overload_2x")
    time.sleep(2)
    first = plant.truth()["queues"]["mes.orders"]
    time.sleep(4)
    second = plant.truth()["queues"]["mes.orders"]
    published, acked = second["published"] - first["published"], second["acked"] - first["acked"]
    assert published > 1.6 * acked > 0
    assert second["depth"] > first["depth"] + 20
    plant.pause_load()
    seen = broker_depth(plant)["mes.orders"]
    assert abs(seen - plant.truth()["queues"]["mes.orders"]["ready"]) < 20  # it drains meanwhile
    assert second["head_age_seconds"] > 1
    assert plant.truth()["mes"]["workers_busy"] == 4


def test_a_dead_consumer_leaves_the_queue_to_grow(plant):
    plant.switch("dead_consumer")
    time.sleep(4)
    plant.pause_load()
    truth = plant.truth()["queues"]["mes.orders"]
    assert truth["consumers"] == 0 and truth["unacked"] == 0 and truth["ready"] > 3
    assert plant.truth()["mes"]["workers"] == 0
    assert_depths_agree(plant)
    head = plant.rabbitmq.queue("mes.orders")["head_message_timestamp"]
    assert abs(time.time() - head - plant.truth()["queues"]["mes.orders"]["head_age_seconds"]) < 1.5


def test_messages_may_go_without_a_timestamp(plant):
    plant.set_timestamps(False)
    try:
        plant.switch("dead_consumer")
        wait_until(lambda: plant.truth()["queues"]["mes.orders"]["ready"] > 3, 15, "orders that wait")
        plant.pause_load()
        connection = connect(plant.rabbitmq)
        _, properties, _ = connection.channel().basic_get("mes.orders")
        connection.close()  # the message goes back
        assert properties.timestamp is None and properties.message_id
    finally:
        plant.set_timestamps(True)


def test_poison_messages_are_tried_three_times_and_dead_lettered(plant):
    before = plant.truth()["queues"]
    redelivered = settled(plant, "redeliver")["mes.orders"][0]
    plant.switch("poison_message")
    time.sleep(5)
    plant.rest()
    after = plant.truth()["queues"]
    dead = after["mes.dead"]["depth"] - before["mes.dead"]["depth"]
    assert dead >= 3
    assert after["mes.orders"]["redelivered"] - before["mes.orders"]["redelivered"] == 2 * dead
    assert_depths_agree(plant)
    eventually(lambda: management(plant, "redeliver")["mes.orders"][0] - redelivered, lambda: 2 * dead)
    errors = [e for e in lines(plant.logs / "mes" / "mes.log") if e["msg"] == "message cannot be read"]
    assert len(errors) == 3 * after["mes.dead"]["depth"]
    assert all("Traceback" in e["stack_trace"] and "\n" in e["stack_trace"] for e in errors)


def test_a_flushed_cache_misses_what_it_had(plant):
    plant.resume_load()
    time.sleep(4)
    flushes = plant.redis.info("commandstats").get("cmdstat_flushall", "calls=0,")
    before, lookups, truth = reasons(plant), redis_lookups(plant), true_lookups(plant)
    plant.switch("cache_flush")
    time.sleep(4)
    plant.rest()
    assert reasons(plant)["flushed"] - before["flushed"] >= 3
    assert plant.redis.info("commandstats")["cmdstat_flushall"].split(",")[0] != flushes.split(",")[0]
    seen, true = redis_lookups(plant), true_lookups(plant)
    assert (seen[0] - lookups[0], seen[1] - lookups[1]) == pytest.approx((true[0] - truth[0], true[1] - truth[1]), abs=3)
    assert seen == true  # from the beginning and at rest: exact


def test_a_new_price_algorithm_finds_nothing_under_its_keys(plant):
    plant.resume_load()
    time.sleep(3)
    before = reasons(plant)["algorithm"]
    old = calculated(plant, "v2")
    plant.switch("new_price_algorithm")
    time.sleep(6)
    plant.rest()
    assert reasons(plant)["algorithm"] - before >= 3
    assert calculated(plant, "v3") >= 5
    assert calculated(plant, "v2") - old <= 4  # those that had begun
    v2, v3 = (plant.truth()["calculations"][a] for a in ("v2", "v3"))
    assert v3["seconds_sum"] / calculated(plant, "v3") > 1.4 * v2["seconds_sum"] / calculated(plant, "v2")
    assert plant.redis.command("--scan", "--pattern", "price:v3:*")
    assert redis_lookups(plant) == true_lookups(plant)


def test_a_slow_database_makes_the_mes_wait_for_locks(plant):
    plant.switch("slow_database")
    waiting, longest = 0, 0.0
    end = time.monotonic() + 6
    while time.monotonic() < end:
        waiting = max(waiting, plant.postgres.sql("select count(*) from pg_stat_activity where application_name = 'mes' "
                                                  "and wait_event_type = 'Lock'")[0][0])
        longest = max(longest, plant.postgres.sql("select coalesce(max(extract(epoch from now() - query_start)), 0)::float from "
                                                  "pg_stat_activity where application_name = 'report' and state = 'active'")[0][0])
        time.sleep(0.1)
    assert waiting >= 2
    assert longest > 4
    assert plant.truth()["queues"]["mes.orders"]["depth"] > 10
    plant.switch("normal_day")
    plant.rest()
    assert plant.postgres.sql("select count(*) from pg_stat_activity where application_name = 'report'")[0][0] == 0
    eventually(lambda: statuses(plant), lambda: plant.truth()["orders"]["by_status"])


def test_a_noisy_partner_is_limited_and_the_others_are_not(plant):
    def rejected(source):
        return collections.Counter({k[0]: v for k, v in source.items() if k[1] == "rejected"})

    before = rejected(gateway_truth(plant, "limited", "partner", "outcome"))
    plant.switch("noisy_partner")
    time.sleep(4)
    plant.rest()
    per_partner = collections.Counter()
    for entry in plant.truth()["gateway"]["limited"]:
        if entry["outcome"] == "rejected":
            per_partner[entry["partner"]] += entry["count"]
    assert per_partner["noisy"] > 100
    assert per_partner - before == {"noisy": per_partner["noisy"]}
    assert per_partner == rejected(gateway_log(plant, "partner", "limit_req_status"))
    assert "limiting requests" in plant.gateway.error_log.read_text(encoding="utf-8")


def test_a_broker_restart_loses_nothing(plant):
    before = plant.truth()["queues"]["mes.orders"]
    node = plant.rabbitmq.process.pid
    plant.switch("broker_restart")
    assert plant.rabbitmq.process.pid != node
    wait_until(lambda: plant.truth()["queues"]["mes.orders"]["consumers"] == 1, 10, "the MES to consume again")
    time.sleep(2)
    plant.rest()
    after = plant.truth()["queues"]["mes.orders"]
    assert after["published"] > before["published"]
    assert after["acked"] + after["rejected"] == after["published"]
    assert after["settlements_lost"] == before["settlements_lost"]
    assert_depths_agree(plant)
    assert management(plant, "publish")["mes.orders"][0] < after["published"]  # the broker's own count began anew
    eventually(lambda: statuses(plant), lambda: plant.truth()["orders"]["by_status"])


def test_servers_end_with_a_plant_that_was_killed(tmp_path):
    with subprocess.Popen([sys.executable, "-m", "tests.plant", "--directory", str(tmp_path), "--parts", "redis,mes,gateway"], cwd=ROOT,
                          stdout=subprocess.PIPE, text=True) as process:
        try:
            told = dict((line[:22].strip(), line[22:].strip()) for line in itertools.takewhile(lambda line: not line.startswith("logs"), process.stdout))
            ports = [int(told[name].rsplit(":", 1)[1]) for name in ("redis", "gateway")]
            assert all(accepts(port) for port in ports)
        finally:
            process.kill()
    wait_until(lambda: not any(accepts(port) for port in ports), 10, "the servers to end")


# -- single parts -----------------------------------------------------------------------------------------------------------------


def test_a_killed_broker_and_mes_come_back_to_their_work(plant):
    plant.switch("overload_2x")
    time.sleep(1)
    plant.kill("mes")
    assert plant.truth()["queues"]["mes.orders"]["consumers"] == 0
    plant.kill("rabbitmq")
    plant.start("rabbitmq")
    plant.start("mes")
    plant.switch("normal_day")
    plant.rest()
    eventually(lambda: broker_depth(plant)["mes.orders"], lambda: 0)
    eventually(lambda: statuses(plant), lambda: plant.truth()["orders"]["by_status"])
    twice = plant.postgres.sql("select order_id from order_history where status = 'priced' and order_id like 'o-%' "
                               "group by 1 having count(*) > 1")
    assert not twice


def test_the_gateway_tries_the_other_instance_when_one_is_away(plant):
    plant.stop("partner-api-b")
    try:
        before = len(lines(plant.gateway.access_log))
        plant.resume_load()
        wait_until(lambda: any(e["upstream_status"].startswith("502, 2") for e in lines(plant.gateway.access_log)[before:]), 15,
                   "a request that was tried twice")
        plant.pause_load()
        assert not [e for e in lines(plant.gateway.access_log)[before:] if e["status"].startswith("5")]
    finally:
        plant.start("partner-api-b")


def test_a_paused_replica_falls_behind(plant):
    plant.pause_replica()
    try:
        plant.resume_load()
        time.sleep(2)
        lag = "select coalesce(max(pg_wal_lsn_diff(sent_lsn, replay_lsn)), 0)::bigint from pg_stat_replication"
        wait_until(lambda: plant.postgres.sql(lag)[0][0] > 0, 10, "replication lag")
        plant.resume_replica()
        plant.rest()
        wait_until(lambda: plant.postgres.sql(lag)[0][0] == 0, 10, "the replica to catch up")
    finally:
        plant.resume_replica()


def test_a_plant_of_a_few_parts(tmp_path):
    with Plant(tmp_path, speed=20, parts={"redis", "mes", "shop"}, cache_memory="0") as small:
        wait_until(lambda: calculated(small, "v2") > 3, 15, "prices without a broker")
        wait_until(lambda: reasons(small, "model")["expired"] > 3, 15, "pages that expired")
        assert not reasons(small, "model")["evicted"] and small.redis.info("stats")["evicted_keys"] == "0"
        small.redis.command("config", "set", "maxmemory", "1mb")
        wait_until(lambda: reasons(small, "model")["evicted"] > 3, 15, "pages that were evicted")
        assert int(small.redis.info("stats")["evicted_keys"]) > 3
        small.rest()
        assert redis_lookups(small) == true_lookups(small)
        assert small.rabbitmq is None and small.truth()["queues"] == {}
        config = json.loads(small.write_config(sections={"redis", "http_json"}).read_text(encoding="utf-8"))
        assert set(config["collectors"]) == {"redis", "http_json"} and "logs" not in config
    with pytest.raises(ValueError, match="replica' needs part 'postgres"):
        Plant(tmp_path, parts={"replica"})
    with pytest.raises(ValueError, match="there is no scenario 'doom'"), Plant(tmp_path, scenario="doom", parts={"mes"}):
        pass

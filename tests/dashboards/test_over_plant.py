"""The dashboards over the real program beside the real servers of tests/plant: what the program exports, panels show. Every expression is
asked. Beside the plant there are an OpenSearch, to which the sidecar ships and which it watches, a stream with a slow reader, a sidecar
whose output and targets are down, one in a pod at its limits, kube-state-metrics, and a week that led to today; pages and tickets fire.
Logstash is a stand-in (logstash_stand_in.py), since no package registry has it."""

import contextlib
import json
import math
import pathlib
import re
import signal
import socket
import sys
import time

import pytest

import checks
from components import kube_state_metrics, missing, opensearch, require, wait
from known import DASHBOARDS, TOP, all_metrics, behind, names_in, recorded
from kubernetes import pod, replica_set
from logstash_stand_in import LogstashStandIn
from machine import Machine
from prometheus import Prometheus, filled
from stream_client import StreamConsumer
from tcp_proxy import TcpProxy

sys.path.insert(0, str(TOP / "tests"))
from plant import Plant  # noqa: E402
from plant.messaging import EVENTS, connect  # noqa: E402
from plant.sidelight_config import SECTIONS  # noqa: E402
from plant.watched import Watcher  # noqa: E402

FILES = sorted(DASHBOARDS.glob("*.json"))
SPEED = 4
DAY = 86400
# All there are, so that each panel has its limit; some so strict that their alerts fire.
OBJECTIVES = {"gateway_availability_ratio": 0.999, "gateway_request_duration_seconds": 0.5, "log_lag_seconds": 120, "log_store_disk_used_ratio": 0.9,
              "mes_cache_hit_ratio": 0.3, "mes_db_replication_lag_seconds": 10, "mes_db_size_bytes": 40_000_000,
              "mes_db_status_index_selectivity_ratio": 0.3, "mes_price_calculation_duration_seconds": 10, "mes_queue_drain_seconds": 5,
              "mes_queue_head_age_seconds": 900}
# What rules and panels look back at for days: the value so many days ago, of the value now. A straight line, or a better week.
PAST = {"mes:cache_hit_ratio:rate30m": lambda now, days: 0.9,
        "mes:queue_depth:max": lambda now, days: now,
        "mes:db_size_bytes:max": lambda now, days: now * (1 - 0.1 * days),
        "mes:db_table_size_bytes:max": lambda now, days: now * (1 - 0.1 * days),
        "mes:cache_memory_bytes:max": lambda now, days: now * max(0, 1 - 2 * days),
        "mes:broker_disk_free_bytes:min": lambda now, days: now * (1 + 2 * days),
        "log_store:disk_used_ratio:max": lambda now, days: now * (1 - 0.1 * days)}


@pytest.fixture(scope="module")
def beside(program, tmp_path_factory):
    """A plant with all that dashboards show, and the Prometheus that scrapes it."""
    require("opensearch", "kube_state_metrics")
    folder = tmp_path_factory.mktemp("plant")
    with contextlib.ExitStack() as stack:
        engine, kubernetes, relay = (stack.enter_context(made) for made in (opensearch(), kube_state_metrics(), LogstashStandIn()))
        disk = "cluster.routing.allocation.disk."
        marks = {disk + "threshold_enabled": True, **{disk + f"watermark.{k}": f"{n}gb" for k, n in (("low", 3), ("high", 2), ("flood_stage", 1))}}
        assert engine.request("PUT", "/_cluster/settings", {"persistent": marks})[0] == 200
        plant = stack.enter_context(Plant(folder, seed=3, speed=SPEED, stream=True))
        watcher = stack.enter_context(Watcher(program, plant, interval="1s", sections=set(SECTIONS) - {"output", "objectives"}, more={
            "output": {"elasticsearch": {"hosts": [engine.url], "data_stream": "logs-shop-default"}}, "objectives": OBJECTIVES,
            "collectors": {"elasticsearch": {"name": "logs", "url": engine.url, "interval": "1s"},
                           "logstash": {"name": "relay", "url": f"http://127.0.0.1:{relay.port}", "interval": "1s"}}}))
        way = stack.enter_context(contextlib.ExitStack())
        proxy = way.enter_context(TcpProxy(engine.port))
        nowhere = stack.enter_context(_refusing())
        cut_off = stack.enter_context(Watcher(program, plant, path=folder / "cut-off.yaml", sections={"logs"}, more={
            "output": {"elasticsearch": {"hosts": [f"http://127.0.0.1:{proxy.port}"], "data_stream": "logs-cut-default", "backoff_max": "1s"}},
            "collectors": {"redis": {"name": "lost-cache", "url": f"redis://{nowhere}", "interval": "1s"},
                           "postgres": {"name": "lost-db", "url": f"postgresql://{nowhere}/mes", "username": "sidelight", "interval": "1s"},
                           "nginx": {"name": "lost-gateway", "url": f"http://{nowhere}/stub_status", "interval": "1s"},
                           "logstash": {"name": "old-relay", "url": f"http://{nowhere}", "interval": "1s"}},
            "state_dir": str(folder / "cut-off"), "shutdown_deadline": "1s"}))
        # The host may have no control groups that tell of memory and limits.
        limited = {} if missing("machine") else {"report-1": stack.enter_context(Machine(program))}
        pods = {"shop-1": watcher, "shop-2": cut_off, **limited}

        def scraped(job, interval, *names):
            targets = [{"targets": [f"127.0.0.1:{pods[name].port}"], "labels": {"namespace": "shop", "pod": name}} for name in names]
            return {"job_name": job, "scrape_interval": interval, "scrape_timeout": interval, "static_configs": targets}
        kubernetes.api.put(replica_set("shop", "shop-7d9"))
        for name in pods:
            kubernetes.api.put(pod("shop", name, ["shop"], sidecars=["sidelight"], owner="shop-7d9"))
        prometheus = Prometheus(folder / "prometheus", [
            scraped("sidelight", "1s", "shop-1", "shop-2"), scraped("sidelight-limited", "5s", *limited),
            {"job_name": "kube-state-metrics", "honor_labels": True, "static_configs": [{"targets": [f"127.0.0.1:{kubernetes.port}"]}],
             # The dashboards read one of its metrics and the rules three; the others are no business of these tests.
             "metric_relabel_configs": [{"source_labels": ["__name__"], "action": "keep",
                                         "regex": "kube_replicaset_created|kube_pod_(init_)?container_info|kube_pod_status_phase"}]}],
            scrape_interval="1s", alerts=True)
        stack.callback(prometheus.close)
        # What each leaves behind stays in the rates of five minutes; the last leaves messages waiting, which have an age.
        for scenario in ("poison_message", "noisy_partner", "overload_2x"):
            plant.switch(scenario)
            time.sleep(10)
            if scenario == "poison_message":
                # A reader that took one chunk and stopped; and what autovacuum does in its own time.
                stack.callback(StreamConsumer(plant.rabbitmq.stream_port, "plant", plant.passwords["plant"], EVENTS, credit=1).close)
                plant.postgres.sql("analyze orders")
                _delay_work(plant.rabbitmq)
                _unwatch(cut_off, "logstash")
                way.close()  # the second sidecar has shipped a little; from now on nobody listens
        prometheus.wait(lambda: set(PAST) <= prometheus.series_names(), 30, "what is to have a past")
        prometheus.backfill(_past(prometheus))
        begin = time.time()
        prometheus.wait(lambda: prometheus.oldest_evaluation() > begin + 3, 60, "every rule to be evaluated")
        prometheus.plant, prometheus.engine, prometheus.instance = plant, engine, f"127.0.0.1:{watcher.port}"
        yield prometheus


@contextlib.contextmanager
def _refusing():
    """An address that refuses connections and that nobody else takes."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        yield f"127.0.0.1:{bound.getsockname()[1]}"


def _delay_work(rabbitmq):
    """A queue in which nobody reads: a message waits there until it expires, and goes on."""
    connection = connect(rabbitmq)
    channel = connection.channel()
    channel.queue_declare("mes.later", arguments={"x-message-ttl": 3_600_000, "x-dead-letter-exchange": "",
                                                  "x-dead-letter-routing-key": "mes.orders"})
    channel.basic_publish("", "mes.later", b"{}")
    connection.close()


def _unwatch(watcher, collector):
    """Takes a collector out of a running configuration: nobody watches its target any more. It ships again afterwards."""
    settings = json.loads(watcher.config.read_text())
    del settings["collectors"][collector]
    watcher.config.write_text(json.dumps(settings))
    watcher.process.send_signal(signal.SIGHUP)
    wait(lambda: f'collector="{collector}"' not in watcher.page(), 20, f"the end of the collector {collector}", watcher.process)
    # Collectors come after the pipeline: what is shipped from here on is its.
    shipped = watcher.metrics().value("sidelight_shipped_events_total")
    wait(lambda: watcher.metrics().value("sidelight_shipped_events_total") > shipped, 30, "documents behind the reload", watcher.process)


def _past(prometheus):
    """Lines of OpenMetrics: each series of PAST for eight days, up to what it is now."""
    now, lines = int(time.time()), []
    for name, value in PAST.items():
        lines.append(f"# TYPE {name} gauge")
        for result in prometheus.instant(name):
            labels = ",".join(f'{k}="{v}"' for k, v in result["metric"].items() if k != "__name__")
            lines += [f"{name}{{{labels}}} {value(float(result['value'][1]), (now - t) / DAY):.10g} {t}" for t in range(now - 8 * DAY, now - 300, 120)]
    return lines


def _expressions():
    return [(path.stem, where, expression) for path in FILES for where, expression in checks.expressions(json.loads(path.read_text()))]


def _no_pressure():
    """The kernel keeps no account of pressure, or there are no control groups to read it from (a plain chroot)."""
    return not pathlib.Path("/proc/pressure/cpu").exists() or " - cgroup2 " not in pathlib.Path("/proc/self/mountinfo").read_text(encoding="ascii")


# What the machine decides: expressions that cannot be answered here, and the metrics that are missing then.
REMAINING = ({"sidecar panel 'Pod: pressure' A"}, {"pod_pressure_seconds_total"}) if _no_pressure() else (set(), set())
# Without a machine of our own these are answered only if the host has control groups with limits.
UNLIMITED = (({"capacity panel 'Memory of pods' A", "sidecar panel 'Pod: CPU' B", "sidecar panel 'Pod: memory' A", "sidecar panel 'Pod: memory' B",
               "sidecar panel 'Pod: memory' C", "sidecar panel 'Pod: throttled' A", "sidecar panel 'Pod: throttled' B",
               "sidecar panel 'Processes, killed' A", "sidecar panel 'Processes, killed' B"},
              {"pod_cpu_limit_cores", "pod_cpu_periods_total", "pod_cpu_throttled_periods_total", "pod_cpu_throttled_seconds_total", "pod_memory_bytes",
               "pod_memory_limit_bytes", "pod_memory_oom_kills_total", "pod_memory_working_set_bytes", "pod_processes"})
             if missing("machine") else (set(), set()))


def test_every_expression_answers(beside):
    """All are asked; silent are exactly those that are named above."""
    expressions = _expressions()

    def is_silent(expression):
        answer = beside.instant(filled(expression.removesuffix(" or vector(0)")))  # else it would always answer
        return not answer or all(math.isnan(float(result["value"][1])) for result in answer)

    def unanswered(among):
        return [(dashboard, where, expression) for dashboard, where, expression in among if is_silent(expression)]
    left, until = unanswered(expressions), time.time() + 60
    while len(left) > len(REMAINING[0] | UNLIMITED[0]) and time.time() < until:  # an alert that is still pending, say
        time.sleep(1)
        left = unanswered(left)
    silent = {f"{dashboard} {where}" for dashboard, where, _ in left}
    print(f"{len(expressions) - len(silent)} of {len(expressions)} expressions answered; not {sorted(silent)}")
    assert REMAINING[0] <= silent <= REMAINING[0] | UNLIMITED[0]


def test_what_the_program_exports_and_rules_record_is_there(beside):
    there = beside.series_names()
    read = {name for _, _, expression in _expressions() for name in names_in(expression)}
    absent = (behind(read) | set(recorded())) - there
    assert REMAINING[1] <= absent <= REMAINING[1] | UNLIMITED[1]


def test_nothing_is_beside_its_axis(beside):
    """A line under a hard beginning of the axis, or over its end, is not drawn."""
    beyond = []
    for path in FILES:
        for panel in checks.panels(json.loads(path.read_text())):
            defaults = panel["fieldConfig"]["defaults"]
            for target in panel["targets"]:
                values = [float(result["value"][1]) for result in beside.instant(filled(target["expr"]))]
                if any(value < defaults.get("min", -math.inf) or value > defaults.get("max", math.inf) for value in values):
                    beyond.append(f"{path.stem} {panel['title']!r} {target['refId']}: {values}")
    assert not beyond, "\n".join(beyond)


def test_a_week_leads_to_its_forecast(beside):
    """The fixture's lines, as panels show where they end."""
    def only(expression):
        [result] = beside.instant(expression)
        return float(result["value"][1])
    size = only('mes:db_size_bytes:max{target="mes-db",database="mes"}')
    assert only('mes:db_size_bytes:forecast30d{target="mes-db",database="mes"}') == pytest.approx(4 * size, rel=0.05)
    until = only('mes:db_size_bytes:seconds_until_objective{target="mes-db",database="mes"}') / DAY
    assert until == pytest.approx((OBJECTIVES["mes_db_size_bytes"] / size - 1) / 0.1, rel=0.05)
    # Free disk falls by twice what is left of it each day: gone in half a day, and not shown as less than nothing.
    assert only('mes:broker_disk_free_bytes:seconds_until_limit') / DAY == pytest.approx(0.5, rel=0.1)
    assert only('mes:broker_disk_free_bytes:forecast1d') < 0
    assert only('mes:cache_hit_ratio:avg7d{target="price-cache"}') == pytest.approx(0.9, abs=0.15)


def test_alerts_of_each_area_fire(beside):
    """Else the marks in time and the list of alerts would have nothing to show."""
    firing = {(result["metric"]["area"], result["metric"]["alertname"]) for result in beside.instant('ALERTS{alertstate="firing"}')}
    assert {("queue", "MesDeadLettersArriving"), ("queue", "MesQueueDrainTooLong"), ("gateway", "GatewayPartnerThrottled"), ("gateway", "GatewayDown"),
            ("cache", "MesCacheHitRateUnderItsWeek"), ("cache", "MesCacheDown"), ("database", "MesDbDown"), ("capacity", "CapacityDbSize"),
            ("capacity", "CapacityBrokerDisk"), ("logs", "LogOutputDown"), ("sidecar", "TargetUnwatched")} <= firing
    # Every pod is scraped.
    assert ("sidecar", "SidelightMissing") not in firing


def test_series_of_a_panel_have_names_of_their_own(beside):
    """With a primary and its replica, two caches and many routes, as the plant has them."""
    alike = []
    for path in FILES:
        for panel in checks.panels(json.loads(path.read_text())):
            if panel["type"] not in ("timeseries", "bargauge", "state-timeline"):
                continue
            legends = []
            for target in panel["targets"]:
                for result in beside.instant(filled(target["expr"], {"instance": beside.instance} if path.stem == "sidecar" else {})):
                    legends.append(re.sub(r"\{\{(\w+)\}\}", lambda m, r=result: r["metric"].get(m[1], ""), target.get("legendFormat", "")))
            if len(set(legends)) != len(legends):
                alike.append(f"{path.stem} {panel['title']!r}: {sorted({name for name in legends if legends.count(name) > 1})}")
    assert not alike, "\n".join(alike)


def test_metrics_of_the_program_are_those_of_the_reference(beside):
    """What a dashboard may name is what is really exported."""
    known = {series for metric in all_metrics().values() for series in metric.series} | set(recorded())
    foreign = re.compile(r"^(up|ALERTS|ALERTS_FOR_STATE|scrape_\w+|kube_\w+)$")
    assert sorted(name for name in beside.series_names() if name not in known and not foreign.match(name)) == []


def test_panels_show_what_was_brought_about(beside):
    """The last, since the plant comes to rest."""
    def shown(expression):
        return [(result["metric"], float(result["value"][1])) for result in beside.instant(expression)]
    [(advice, one)] = shown("mes:db_advice:max")
    assert (advice["table"], advice["action"], advice["reason"], one) == ("orders", "partial_index", "full_index_holds_cold_rows", 1)
    assert {labels["cause"] for labels, value in shown("sidelight_output_down_cause") if value == 1} == {"connect"}
    for panel in ('sidelight:output_requests:rate5m{code="none"}', 'sidelight:retried_events:rate5m{reason="connection"}'):
        assert sum(value for _, value in shown(panel)) > 0, panel
    beside.plant.rest()
    messages = beside.plant.truth()["streams"][EVENTS]["messages"]
    beside.wait(lambda: [value for _, value in shown("mes:stream_messages:max")] == [messages], 30, f"{messages} messages in the stream")
    beside.wait(lambda: 0 < shown("mes:stream_consumer_lag:max")[0][1] < messages, 30, "a reader that has read a part")

    beside.plant.stop("mes")  # production would go on and log
    lines = sum(len(path.read_bytes().splitlines()) for path in beside.plant.directory.glob("logs/*/*.log*"))
    beside.wait(lambda: beside.engine.count("logs-shop-default") == lines, 30, f"{lines} lines in the log store")

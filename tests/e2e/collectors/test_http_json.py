"""The http_json collector against a service of this file: values, labels, what is missing, hostile labels, and configurations that are wrong."""

import json
import subprocess

import pytest

from ports import free_port
from rig import wait_for
from watching import BadServer, Service, Watcher

METRICS = [
    {"name": "mes_workers_busy", "pointer": "/workers/busy", "help": "Workers that calculate."},
    {"name": "mes_orders_total", "pointer": "/orders/*", "type": "counter", "help": "Orders.", "labels_from": {"status": "key"}},
    {"name": "mes_ready", "pointer": "/ready", "help": "Whether it takes orders."},
    {"name": "mes_memory_bytes", "pointer": "/memory", "help": "A number in a string."},
]


def watch(program, folder, url, metrics=None, **options):
    return Watcher(program, folder, {"http_json": {"name": "mes", "url": url, "interval": "1s", "timeout": "900ms",
                                                   "metrics": metrics or METRICS, **options}})


def test_values_and_what_is_missing(program, tmp_path):
    token = tmp_path / "token"
    token.write_text("s3cret\n", encoding="ascii")
    token.chmod(0o600)
    with Service({"workers": {"busy": 3}, "orders": {"new": 5, "priced": 7}, "ready": True, "memory": "1048576"}) as service, \
            watch(program, tmp_path, service.url, token_file=str(token), headers={"X-Scope": "plant-1"}) as sidelight:
        sidelight.wait_up("http_json", "mes")
        assert sidelight.samples("mes_workers_busy") == [({"target": "mes"}, 3)]
        assert sidelight.samples("mes_orders_total") == [({"target": "mes", "status": "new"}, 5), ({"target": "mes", "status": "priced"}, 7)]
        assert sidelight.metric("mes_ready") == 1 and sidelight.metric("mes_memory_bytes") == 1048576
        assert service.headers["Authorization"] == "Bearer s3cret" and service.headers["X-Scope"] == "plant-1"
        _, page = sidelight.get("/metrics")
        assert "# TYPE mes_orders_total counter\n" in page and "# HELP mes_workers_busy Workers that calculate.\n" in page
        # What is missing is absent, with a warning; the others stay.
        service.answer = {"workers": {}, "orders": {"new": 6}, "ready": None, "memory": "plenty"}
        wait_for(lambda: sidelight.metric("mes_orders_total", status="new") == 6, 10, "new values")
        assert sidelight.up("http_json", "mes") == 1
        for name in ("mes_workers_busy", "mes_ready", "mes_memory_bytes"):
            assert sidelight.samples(name) == [], name
        sidelight.wait_log("mes_workers_busy (/workers/busy): nothing is at its pointer")
        service.status, service.answer = 401, b"who are you?"
        sidelight.wait_up("http_json", "mes", 0)
        sidelight.wait_log("answered 401 (wrong or missing credentials)")
        assert "s3cret" not in sidelight.log_text()


@pytest.mark.parametrize("answer, says", [(b"<html>", "is no JSON"), (b"[" * 900_000, "nested deeper"), (b'"' + b"x" * 2_000_000 + b'"', "")],
                         ids=["html", "deep", "large"])
def test_garbage_is_a_failure(program, tmp_path, answer, says):
    with Service(answer) as service, watch(program, tmp_path, service.url) as sidelight:
        sidelight.wait_up("http_json", "mes", 0)
        sidelight.wait_log(says)
        assert sidelight.rss_mib() < 80


def test_a_target_that_hangs_or_is_away(program, tmp_path):
    with BadServer("hang") as hung:
        targets = [{"name": name, "url": f"http://127.0.0.1:{port}", "metrics": METRICS, "interval": "1s", "timeout": "900ms"}
                   for name, port in (("hung", hung.port), ("away", free_port()))]
        with Watcher(program, tmp_path, {"http_json": targets}) as sidelight:
            sidelight.wait_up("http_json", "hung", 0)
            sidelight.wait_up("http_json", "away", 0)


def test_hostile_labels_are_capped_and_memory_stays_flat(program, tmp_path):
    metrics = [{"name": "load", "pointer": "/*", "help": "x", "labels_from": {"who": "key"}, "max_series": 50},
               {"name": "seen_total", "type": "counter", "pointer": "/*", "help": "x", "labels_from": {"who": "key"}, "max_series": 50}]
    with Service({}) as service, watch(program, tmp_path, service.url, metrics=metrics) as sidelight:
        sidelight.wait_up("http_json", "mes")
        level = None
        for n in range(10):  # 20,000 names each time, other ones each time: 200,000
            service.answer = json.dumps({f'{n}-{i}-"\\\n\u044f': 1 for i in range(20_000)}).encode()
            sidelight.wait_run("http_json", "mes")
            assert len(sidelight.samples("load")) <= 50
            counters = sidelight.samples("seen_total")
            assert len(counters) <= 51 and sum(v for _, v in counters) == 20_000
            if n == 3:
                level = sidelight.rss_mib()
        assert sidelight.metric("sidelight_collector_series_dropped_total", target="mes") > 300_000
        assert sidelight.rss_mib() < level + 10, (level, sidelight.rss_mib())


@pytest.mark.parametrize("change, says", [
    ({"name": "1x"}, "a metric's name has letters, digits and _ only"),
    ({"name": "mes_cache_hits_total", "type": "counter"}, "names that begin with mes_cache_ are the program's own"),
    ({"type": "counter"}, "the name of a counter ends in _total"),
    ({"name": "x_total"}, "the ending _total is for counters"),
    ({"pointer": "workers"}, "a JSON pointer begins with /"),
    ({"pointer": "/a/*"}, "labels_from must tell them apart"),
    ({"labels": {"pod": "x"}}, "belongs to the scrape"),
    ({"pointer": "/*", "labels_from": {"a": "key2"}}, "names no * of the metric's pointer"),
    ({"name": "mes_ready", "help": "other"}, "has another help"),
    ({"help": None}, "help"),
])
def test_wrong_metrics_are_told_at_once(program, tmp_path, change, says):
    metric = {**METRICS[0], "name": "x", **change}
    metric = {k: v for k, v in metric.items() if v is not None}
    sidelight = watch(program, tmp_path, "http://127.0.0.1:9/", metrics=[METRICS[2], metric])
    done = subprocess.run([program, "check", "--config", str(sidelight.config)], capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 2 and says in done.stdout + done.stderr, done.stderr
    assert "collectors.http_json.metrics[1]" in done.stderr

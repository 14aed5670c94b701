"""Metrics from logs while everything around them goes wrong."""

import datetime
import json
import os
import signal
import subprocess
import time

import pytest
from ports import free_port
from rig import Sidelight, wait_for

NOWHERE = "http://127.0.0.1:9"
RULES = {"presets": ["app", "mes"], "rules": [
    {"name": "lines_total", "help": "All lines."},
    {"name": "by_user_total", "help": "Lines by user.", "labels": {"user": "user"}},
    {"name": "amount", "help": "An amount.", "type": "histogram", "value": "amount", "buckets": ["10", "100"]}]}


def stamp(seconds_ago=0):
    at = datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(seconds=seconds_ago)
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def lines(numbers, seconds_ago=0, **more):
    return "".join(json.dumps({"time": stamp(seconds_ago), "level": "info", "msg": f"n {n}", "n": n, **more}) + "\n" for n in numbers)


@pytest.fixture(name="sidelight")
def _sidelight(program, tmp_path):
    with Sidelight(program, tmp_path, NOWHERE, log={"name": "app"}, extra={"log_metrics": RULES, "shutdown_deadline": "1s"}) as s:
        s.log = s.logs / "app.log"
        yield s


def append(sidelight, text):
    with sidelight.log.open("a", encoding="utf-8") as f:
        f.write(text)


def wait_metric(sidelight, value, name, **labels):
    wait_for(lambda: sidelight.metric(name, **labels) == value, 20, f"{name}{labels} to be {value}; it is {sidelight.metric(name, **labels)}")


def test_they_go_on_while_the_destination_is_away(sidelight):
    for batch in range(4):
        append(sidelight, lines(range(5000), level="error" if batch == 3 else "info", service="shop"))
        wait_metric(sidelight, 5000 * (batch + 1), "lines_total")
    assert sidelight.metric("app_log_events_total", service_name="shop", level="error") == 5000
    assert sidelight.metric("sidelight_output_up") == 0
    assert sidelight.metric("sidelight_shipped_events_total") == 0
    wait_metric(sidelight, 0, "sidelight_log_metrics_lag_bytes", input="app")  # told once a checkpoint interval
    wait_for(lambda: sidelight.metric("sidelight_input_lag_bytes") > 1_000_000, 10, "shipping to wait")


def test_old_events_count_only_as_late(sidelight):
    append(sidelight, lines(range(700), seconds_ago=310) + lines(range(300), seconds_ago=200) + "no time at all\n")
    wait_metric(sidelight, 301, "lines_total")
    wait_metric(sidelight, 700, "sidelight_log_metrics_late_events_total", input="app")


def test_an_orderly_restart_counts_nothing_twice(sidelight):
    append(sidelight, lines(range(1000)))
    wait_metric(sidelight, 1000, "lines_total")
    sidelight.stop()
    append(sidelight, lines(range(50)))
    sidelight.start()
    wait_metric(sidelight, 50, "lines_total")


def test_after_a_crash_at_most_the_last_checkpoint_interval_is_counted_again(sidelight):
    append(sidelight, lines(range(1000)))
    wait_metric(sidelight, 1000, "lines_total")
    # More than a checkpoint interval later all of that is settled.
    begun = sidelight.metric("sidelight_log_metrics_events_total")
    wait_for(lambda: os.path.exists(sidelight.state / "log-metrics"), 5, "a state of its own")
    wait_for(lambda: sidelight.metric("sidelight_checkpoint_age_seconds") is not None, 5, "a checkpoint")
    time.sleep(2.5)
    sidelight.kill()
    append(sidelight, lines(range(70)))
    sidelight.start()
    wait_metric(sidelight, 70, "lines_total")
    assert begun == 1000


def test_rotation_loses_and_doubles_no_count(sidelight):
    total = 0
    for turn in range(5):
        append(sidelight, lines(range(2000)))
        total += 2000
        if turn < 4:
            os.rename(sidelight.log, sidelight.log.with_suffix(f".log.{turn}"))
    wait_metric(sidelight, total, "lines_total")


def test_labels_are_capped_and_every_event_is_counted(sidelight):
    before = None
    for step in range(10):
        append(sidelight, "".join(lines([n], user=f"user-{step * 10000 + n}") for n in range(10_000)))
        wait_metric(sidelight, 10_000 * (step + 1), "by_user_total")
        if step == 3:
            before = sidelight.rss_mib()
    assert sidelight.metric("by_user_total", user="overflow") == 99_000
    assert sidelight.metric("sidelight_log_metrics_series_dropped_total") == 99_000
    assert sidelight.rss_mib() - before < 8, (before, sidelight.rss_mib())


def test_a_reload_keeps_counts_of_rules_that_did_not_change(sidelight):
    append(sidelight, lines(range(100), amount=20))
    wait_metric(sidelight, 100, "lines_total")
    wait_metric(sidelight, 100, "amount_bucket", le="100")
    sidelight.settings["objectives"] = {"log_lag_seconds": 60}
    sidelight.write_config()
    sidelight.process.send_signal(signal.SIGHUP)
    wait_metric(sidelight, 60, "log_lag_seconds_objective")
    append(sidelight, lines(range(10), amount=20))
    wait_metric(sidelight, 110, "lines_total")
    sidelight.settings["log_metrics"] = {**RULES, "rules": [*RULES["rules"], {"name": "more_total", "help": "More."}]}
    sidelight.write_config()
    sidelight.process.send_signal(signal.SIGHUP)
    wait_metric(sidelight, 3, "sidelight_config_reloads_total", result="success")
    wait_metric(sidelight, 110, "lines_total")  # gone for a moment, while the new rules take over
    append(sidelight, lines(range(10), amount=20))
    wait_metric(sidelight, 10, "more_total")
    wait_metric(sidelight, 120, "lines_total")
    wait_metric(sidelight, 120, "amount_bucket", le="100")
    assert sidelight.metric("sidelight_log_metrics_events_total", input="app") == 120


def test_a_reload_that_redacts_shows_nothing_of_before(sidelight):
    append(sidelight, lines(range(10), user="ann@example.org"))
    wait_metric(sidelight, 10, "by_user_total", user="ann@example.org")
    sidelight.settings["processors"] = [{"redact": {}}]
    sidelight.write_config()
    sidelight.process.send_signal(signal.SIGHUP)
    wait_for(lambda: "ann@example.org" not in sidelight.get("/metrics")[1], 20, "the labels to be redacted")
    append(sidelight, lines(range(5), user="ann@example.org"))
    wait_metric(sidelight, 5, "lines_total")
    assert "ann@example.org" not in sidelight.get("/metrics")[1]


def test_what_is_dropped_on_the_way_counts_and_what_is_redacted_stays_redacted(program, tmp_path):
    out = tmp_path / "out" / "events.ndjson"
    with Sidelight(program, tmp_path, NOWHERE, output={"file": {"path": str(out)}, "flush_interval": "200ms"}, log={"name": "app"}, extra={
            "log_metrics": RULES, "processors": [{"redact": {"kinds": ["email"]}}, {"drop": {}, "when": {"level": "debug"}}]}) as s:
        s.log = s.logs / "app.log"
        append(s, lines(range(30), level="debug", user="ann@example.org") + lines(range(10), user="bob@example.org"))
        wait_metric(s, 40, "lines_total")
        wait_for(lambda: out.exists() and len(out.read_text().splitlines()) == 10, 10, "ten documents")
        page = s.get("/metrics")[1]
        assert "by_user_total{" in page
        assert "example.org" not in page


def test_a_bad_rule_is_told_with_its_place(program, tmp_path):
    config = tmp_path / "c.yaml"
    config.write_text(json.dumps({"logs": [{"paths": ["/x"]}], "output": {"stdout": {}}, "state_dir": "/tmp/x", "http": {"listen": f"127.0.0.1:{free_port()}"},
                                  "log_metrics": {"rules": [{"name": "orders"}]}}))
    done = subprocess.run([program, "check", "--config", str(config)], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "log_metrics.rules[0]: log metric orders: the name of a counter ends in _total" in done.stderr

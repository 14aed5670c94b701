"""What /metrics costs, and that hostile labels do not grow the program."""

import json
import sys

import pytest
from rig import Sidelight, wait_for

SERIES = 5000
SCRAPES = 100
LEAST_MS = 10


@pytest.fixture(name="sidelight")
def _sidelight(program, tmp_path):
    rules = {"rules": [{"name": "by_user_total", "help": "Lines by user.", "labels": {"user": "user"}}], "max_series": SERIES}
    with Sidelight(program, tmp_path, "", output={"file": {"path": str(tmp_path / "out" / "o.ndjson")}}, log={"name": "app"},
                   extra={"log_metrics": rules}) as s:
        yield s


def write(sidelight, begin, end):
    with (sidelight.logs / "app.log").open("a", encoding="utf-8") as f:
        f.writelines(json.dumps({"level": "info", "msg": "m", "user": f"user-{n}"}) + "\n" for n in range(begin, end))
    wait_for(lambda: sidelight.metric("by_user_total") == end, 120, f"{end} events")


def test_a_scrape_of_5000_series_costs_less_than_10_ms(sidelight):
    write(sidelight, 0, SERIES)
    wait_for(lambda: sidelight.metric("sidelight_shipped_events_total") == SERIES, 20, "rest")
    before = sidelight.cpu_seconds()
    size = 0
    for _ in range(SCRAPES):
        size = len(sidelight.get("/metrics")[1].splitlines())
    cost = (sidelight.cpu_seconds() - before) / SCRAPES * 1000
    sys.stdout.write(f"{size} lines, {cost:.2f} ms of CPU a scrape\n")
    assert size > SERIES
    assert cost < LEAST_MS


def test_memory_stays_flat_under_hostile_labels(sidelight):
    sizes = []
    for step in range(20):
        write(sidelight, step * 100_000, (step + 1) * 100_000)
        sizes.append(sidelight.rss_mib())
    sys.stdout.write("MiB after each 100,000 label values: " + " ".join(f"{s:.1f}" for s in sizes) + "\n")
    # Bursts of shipping take and give back memory; the first ten show how much.
    assert max(sizes[10:]) < max(sizes[:10]) + 4
    assert max(sizes) < 64
    assert sidelight.metric("sidelight_log_metrics_series") == SERIES

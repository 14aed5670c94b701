"""The dashboards over the real program beside the real servers of tests/plant: what the program exports, panels show."""

import json
import math
import re
import subprocess
import sys
import time

import pytest

import checks
from known import DASHBOARDS, TOP, all_metrics, behind, names_in, recorded
from prometheus import Prometheus, filled

sys.path.insert(0, str(TOP / "tests"))
FILES = sorted(DASHBOARDS.glob("*.json"))
SPEED = 4
# Recorded only when there is history of hours or days: test_answers.py has it.
NEEDS_HISTORY = re.compile(r":avg7d$|:forecast\w+$|:seconds_until_\w+$")
# Panels that answer when something is wrong, and what an output to a file (the plant's) has not got: requests.
QUIET = ("annotation 'Alerts (tickets)'", "annotation 'Alerts (pages)'", "panel 'Firing alerts' A", "panel 'Runs' B", "panel 'Duration of requests' A",
         "panel 'Duration of requests' B", "panel 'Pod: throttled' A")
# What the plant has not got, or what only a fault brings: no stream, no log store or Logstash, no Kubernetes, no planned size. What there is of a pod hangs on the
# control group of the machine.
NOT_IN_THE_PLANT = re.compile(
    r"^(mes_stream_|log_store_|log_relay_|kube_|ALERTS|mes_db_size_bytes_objective|sidelight_output_down_cause|mes_db_advice|pod_)")
SECTION_OF = (("mes_queue_|mes_broker_|mes_dead_", "rabbitmq"), ("mes_cache_", "redis"), ("mes_db_", "postgres"),
              ("gateway_(connections|server)", "nginx"), ("mes_(workers|calculations|orders)", "http_json"), ("pod_", "process"),
              ("app_|gateway_|mes_price_|sidelight_log_metrics_", "log_metrics"))


def _known_sections(program):
    """Of the plant's configuration, those that this program has."""
    from plant.sidelight_config import SECTIONS
    schema = subprocess.run([program, "schema", "--json-schema"], stdout=subprocess.PIPE, text=True, check=True, timeout=30).stdout
    return {section for section in SECTIONS if f'"{section}"' in schema}


@pytest.fixture(scope="module")
def plant_prometheus(program, tmp_path_factory):
    from plant import Plant
    from plant.watched import Watcher
    sections = _known_sections(program)
    folder = tmp_path_factory.mktemp("plant")
    with Plant(folder, seed=3, speed=SPEED) as plant, Watcher(program, plant, interval="1s", sections=sections) as watcher:
        job = {"job_name": "sidelight",
               "static_configs": [{"targets": [f"127.0.0.1:{watcher.port}"], "labels": {"namespace": "shop", "pod": "shop-1"}}]}
        prometheus = Prometheus(folder / "prometheus", [job], scrape_interval="1s")
        try:
            # What each leaves behind stays in the rates of five minutes; the last leaves messages waiting, which have an age.
            for scenario in ("poison_message", "noisy_partner", "overload_2x"):
                plant.switch(scenario)
                time.sleep(10)
            begin = time.time()
            prometheus.wait(lambda: prometheus.oldest_evaluation() > begin + 1, 60, "every rule to be evaluated")
            prometheus.sections = sections
            yield prometheus
        finally:
            prometheus.close()


def _expressions():
    return [(path.stem, where, expression) for path in FILES for where, expression in checks.expressions(json.loads(path.read_text()))]


def _absent_for_a_reason(series, sections):
    """Whether the plant, or the program at hand, cannot have this series."""
    raw = series.removesuffix("_bucket").removesuffix("_sum").removesuffix("_count")
    needed = next((section for pattern, section in SECTION_OF if re.match(pattern, raw)), None)
    # Objectives are exported only where they are set; the plant sets four.
    return bool(NOT_IN_THE_PLANT.match(raw)) or raw.endswith("_objective") or (needed is not None and needed not in sections)


def test_the_program_exports_what_dashboards_read(plant_prometheus):
    there = plant_prometheus.series_names()
    missing = sorted(name for name in behind({n for _, _, expression in _expressions() for n in names_in(expression)})
                     if name not in there and not _absent_for_a_reason(name, plant_prometheus.sections))
    assert not missing, "\n".join(missing)


def test_what_is_recorded_is_recorded_over_the_program(plant_prometheus):
    there = plant_prometheus.series_names()
    missing = sorted(name for name in recorded() if name not in there and not NEEDS_HISTORY.search(name)
                     and not any(_absent_for_a_reason(raw, plant_prometheus.sections) or raw not in there for raw in behind({name})))
    assert not missing, "\n".join(missing)


def test_every_panel_answers_over_the_program(plant_prometheus):
    there = plant_prometheus.series_names()
    silent, asked = [], 0
    for dashboard, where, expression in _expressions():
        if not names_in(expression) <= there or where in QUIET or "offset 1d" in expression:
            continue
        asked += 1
        answer = plant_prometheus.instant(filled(expression))
        if not answer or all(math.isnan(float(result["value"][1])) for result in answer):
            silent.append(f"{dashboard} {where}: {expression}")
    print(f"{asked} of {len(_expressions())} expressions asked")
    assert not silent, "\n".join(silent)
    assert asked > 100


def test_series_of_a_panel_have_names_of_their_own(plant_prometheus):
    """With a primary and its replica, two caches and many routes, as the plant has them."""
    alike = []
    for path in FILES:
        for panel in checks.panels(json.loads(path.read_text())):
            if panel["type"] not in ("timeseries", "bargauge", "state-timeline"):
                continue
            legends = []
            for target in panel["targets"]:
                for result in plant_prometheus.instant(filled(target["expr"])):
                    legends.append(re.sub(r"\{\{(\w+)\}\}", lambda m, r=result: r["metric"].get(m[1], ""), target.get("legendFormat", "")))
            if len(set(legends)) != len(legends):
                alike.append(f"{path.stem} {panel['title']!r}: {sorted({name for name in legends if legends.count(name) > 1})}")
    assert not alike, "\n".join(alike)


def test_metrics_of_the_program_are_those_of_the_reference(plant_prometheus):
    """What a dashboard may name is what is really exported."""
    known = {series for metric in all_metrics().values() for series in metric.series} | set(recorded())
    foreign = re.compile(r"^(up|ALERTS|ALERTS_FOR_STATE|scrape_\w+)$")
    assert sorted(name for name in plant_prometheus.series_names() if name not in known and not foreign.match(name)) == []

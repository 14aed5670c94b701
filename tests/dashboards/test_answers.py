"""Every expression of every dashboard, asked of a real Prometheus with our rules: it is valid and answers, and a second instance that
watches the same targets changes no answer. What is scraped are pages made of the reference (pages.py); test_over_plant.py has the program's own."""

import json
import math
import re
import subprocess
import time

import pytest
import yaml

import checks
import pages
from known import DASHBOARDS, recorded
from prometheus import Pages, Prometheus, filled

FILES = sorted(DASHBOARDS.glob("*.json"))
WATCHER = {"namespace": "monitoring", "pod": "watch-1"}
SECOND = {"namespace": "monitoring", "pod": "watch-2"}
SHOP = {"namespace": "shop", "pod": "shop-1"}


def dashboards():
    return {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in FILES}


def _job(name, address, path, labels):
    return {"job_name": name, "metrics_path": path, "static_configs": [{"targets": [address], "labels": labels}],
            "metric_relabel_configs": [], "relabel_configs": [
                {"target_label": "job", "replacement": "sidelight"},
                {"target_label": "instance", "replacement": f"{labels.get('pod', name)}:9464"}]}


@pytest.fixture(scope="module")
def served():
    targets, pod = pages.Page("targets"), pages.Page("pod")
    server = Pages({"/targets": targets.text, "/pod": pod.text, "/foreign": pages.foreign_text})
    yield server.address, targets, pod
    server.close()


def _start(folder, served, watchers):
    address, targets, pod = served
    now = int(time.time())
    backfill = pages.long_history(now - 8 * 86400, now - 300)
    identity = {"job": "sidelight"}
    for page, labels in ((pod, SHOP), *((targets, labels) for labels in watchers)):
        backfill += pages.history(page, {**identity, "instance": f"{labels['pod']}:9464", **labels}, now - 600, now - 3, 5)
    jobs = [_job("pod", address, "/pod", SHOP), _job("foreign", address, "/foreign", {})]
    jobs += [_job(labels["pod"], address, "/targets", labels) for labels in watchers]
    return Prometheus(folder, jobs, _merged(backfill))


def _merged(lines):
    """OpenMetrics wants what belongs to one metric together."""
    families, current = {}, None
    for line in lines:
        if line.startswith("# TYPE "):
            current = families.setdefault(line, [])
        else:
            current.append(line)
    return [line for head, body in families.items() for line in (head, *body)]


def _settled(prometheus):
    """Rules that read what rules recorded need a few turns."""
    wanted = set(recorded())
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        missing = wanted - prometheus.series_names()
        if not missing:
            break
        time.sleep(1)
    # Then each group once more, with what the others recorded and with scrapes behind the gap that backfilling left.
    for _ in range(2):
        begin = time.time()
        prometheus.wait(lambda begin=begin: prometheus.oldest_evaluation() > begin + 1, 60, "every rule to be evaluated")
    return missing


@pytest.fixture(scope="module")
def one(served, tmp_path_factory):
    prometheus = _start(tmp_path_factory.mktemp("one"), served, [WATCHER])
    yield prometheus
    prometheus.close()


@pytest.fixture(scope="module")
def settled(one):
    return _settled(one)


def test_every_recorded_series_is_there(settled):
    """Else a panel could not answer, and the reason would be the rules' or the reference's."""
    assert settled == set()


@pytest.mark.parametrize("name", dashboards())
def test_every_expression_answers(one, settled, name):
    silent = []
    for where, expression in checks.expressions(dashboards()[name]):
        answer = one.instant(filled(expression))
        if not answer or all(math.isnan(float(result["value"][1])) for result in answer):
            silent.append(f"{where}: {expression}")
    assert silent == []


def test_marks_in_time_are_ones_or_times(one, settled):
    """Grafana draws only values of 1 and more; a comparison without `bool` that keeps a 0 would never be seen."""
    for name, dashboard in dashboards().items():
        for annotation in dashboard["annotations"]["list"]:
            if "expr" not in annotation:
                continue
            values = [float(result["value"][1]) for result in one.instant(filled(annotation["expr"]))]
            if annotation["useValueForTime"]:
                assert values and all(abs(value / 1000 - time.time()) < 86400 for value in values), f"{name} {annotation['name']}"
            elif annotation["name"] == "Configuration refused":
                assert set(values) == {0}
                assert {float(r["value"][1]) for r in one.instant(filled(annotation["expr"].replace("bool 0", "bool 1")))} == {1}
            else:
                assert values and set(values) == {1}, f"{name} {annotation['name']}"


@pytest.mark.parametrize("name", dashboards())
def test_every_variable_has_values(one, settled, name):
    for variable in dashboards()[name]["templating"]["list"]:
        if variable["type"] != "query":
            continue
        series, label = re.fullmatch(r"label_values\((.*), (\w+)\)", variable["definition"]).groups()
        values = one.label_values(filled(series), label)
        if label in ("cluster", "output"):
            assert values == []  # dashboards work without these labels: everything above was asked without them
        else:
            assert values, f"{variable['name']}: {variable['definition']}"


@pytest.mark.parametrize("name", dashboards())
def test_a_choice_of_every_variable_still_answers(one, settled, name):
    """Each variable set to a value of its own: what is filtered by it must have that label."""
    dashboard = dashboards()[name]
    narrowed = {"target": None, "vhost": "/", "queue": "mes.price", "route": "/models/{id}", "partner": "acme"}
    for variable, value in narrowed.items():
        if value is None or not any(v["name"] == variable for v in dashboard["templating"]["list"]):
            continue
        for where, expression in checks.expressions(dashboard):
            if f"${variable}" in expression:
                answer = one.instant(filled(expression, {variable: value.replace("{", r"\\{").replace("}", r"\\}")}))
                assert answer, f"{where} with {variable}={value}: {expression}"


def test_lines_of_a_table_join(one, settled):
    """Every query of a table keeps the labels that the table shows and no other: else lines would stand apart."""
    for name, dashboard in dashboards().items():
        for panel in checks.panels(dashboard):
            if panel["type"] != "table":
                continue
            headings = next(t for t in panel["transformations"] if t["id"] == "organize")["options"]["renameByName"]
            labels = {label for label in headings if not label.startswith("Value")}
            for target in panel["targets"]:
                for result in one.instant(filled(target["expr"])):
                    assert set(result["metric"]) <= labels, f"{name} {panel['title']} {target['refId']}"


def test_series_of_a_panel_have_names_of_their_own(one, settled):
    """There are two targets of each kind; a legend of a label that is not there would be blank."""
    optional = {"cluster", "output"}
    wrong = []
    for name, dashboard in dashboards().items():
        for panel in checks.panels(dashboard):
            if panel["type"] not in ("timeseries", "bargauge", "state-timeline"):
                continue
            legends = []
            for target in panel["targets"]:
                legend = target["legendFormat"]
                named = set(re.findall(r"\{\{(\w+)\}\}", legend)) - optional
                for result in one.instant(filled(target["expr"], {"instance": "watch-1:9464"} if name == "sidecar" else {})):
                    legends.append(re.sub(r"\{\{(\w+)\}\}", lambda m, r=result: r["metric"].get(m[1], ""), legend))
                    if not named <= set(result["metric"]):
                        wrong.append(f"{name} {panel['title']!r} {target['refId']}: no label {named - set(result['metric'])}")
            twice = {legend for legend in legends if legends.count(legend) > 1}
            if twice:
                wrong.append(f"{name} {panel['title']!r}: several are called {sorted(twice)}")
    assert not wrong, "\n".join(sorted(set(wrong)))


def test_a_single_value_is_a_single_series(one, settled):
    """A stat that shows no names would show numbers of which nobody knows whose they are."""
    for name, dashboard in dashboards().items():
        for panel in checks.panels(dashboard):
            if panel["type"] == "stat" and panel["options"]["textMode"] == "value":
                answers = [result for target in panel["targets"]
                           for result in one.instant(filled(target["expr"], {"instance": "watch-1:9464"} if name == "sidecar" else {}))]
                assert len(answers) <= 1, f"{name} {panel['title']!r}"


@pytest.fixture(scope="module")
def two(served, tmp_path_factory):
    """As `one`, with a second instance that watches the same targets."""
    prometheus = _start(tmp_path_factory.mktemp("two"), served, [WATCHER, SECOND])
    _settled(prometheus)
    yield prometheus
    prometheus.close()


def _answer(prometheus, expression, at):
    return {tuple(sorted(result["metric"].items())): float(result["value"][1]) for result in prometheus.instant(expression, at)}


# Two Prometheus scrape at different moments, and averages over what rules recorded begin with the first evaluation.
TOLERANCE = 0.2


def _same(before, after):
    return set(before) == set(after) and all(math.isclose(before[key], after[key], rel_tol=TOLERANCE, abs_tol=1e-9) for key in before)


def test_a_second_instance_on_the_same_targets_changes_no_panel(one, two, settled):
    at = time.time() - 2
    different = []
    for name, dashboard in dashboards().items():
        for panel in checks.panels(dashboard):
            for target in panel["targets"]:
                expression = filled(target["expr"], {"instance": "watch-1:9464"} if name == "sidecar" else {})
                before, after = _answer(one, expression, at), _answer(two, expression, at)
                if not _same(before, after):
                    different.append(f"{name}: {panel['title']!r} {target['refId']}: {before} and {after}"[:300])
    assert not different, "\n".join(different)


def test_a_panel_that_adds_instances_up_would_be_found(one, two, settled):
    """The comparison above sees what it is for."""
    at = time.time() - 2
    for careless in ("sum(mes_queue_depth)", "mes_queue_depth", "count(sidelight_collector_up)", "sum by (queue) (rate(mes_queue_acked_total[5m]))"):
        assert not _same(_answer(one, careless, at), _answer(two, careless, at)), careless


def test_promtool_takes_every_expression(tmp_path):
    """The other parser of the same language, as the rules' tests use it."""
    rules = [{"record": "checked", "expr": filled(expression)} for dashboard in dashboards().values() for _,
             expression in checks.expressions(dashboard)]
    for i, rule in enumerate(rules):
        rule["record"] = f"checked_{i}"
    path = tmp_path / "expressions.yaml"
    path.write_text(yaml.safe_dump({"groups": [{"name": "dashboards", "rules": rules}]}))
    done = subprocess.run(["promtool", "check", "rules", "--lint=none", str(path)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          timeout=60)
    assert done.returncode == 0 and f"{len(rules)} rules found" in done.stdout, done.stdout[-2000:]

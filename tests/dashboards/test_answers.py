"""Every expression of every dashboard, asked of a real Prometheus with our rules: it is valid and answers, and a second instance that
watches the same targets changes no answer. What is scraped are pages made of the reference (pages.py); test_over_plant.py has the program's own."""

import itertools
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
OUTSIDE = "machine-1:9464"  # of an instance outside of Kubernetes, which has neither namespace nor pod
CLUSTERS = ("east", "west")
# Of the dashboard of one instance both are asked: one reads and ships logs, the other watches targets.
CHOICES = {"sidecar": ({"instance": "watch-1:9464"}, {"instance": "shop-1:9464"})}


def dashboards():
    return {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in FILES}


def _job(name, address, path, labels):
    return {"job_name": name, "metrics_path": path, "static_configs": [{"targets": [address], "labels": labels}],
            "metric_relabel_configs": [], "relabel_configs": [
                {"target_label": "job", "replacement": "sidelight"},
                {"target_label": "instance", "replacement": f"{labels.get('pod', 'machine-1')}:9464"}]}


@pytest.fixture(scope="module")
def served():
    targets, pod = pages.Page("targets"), pages.Page("pod")
    server = Pages({"/targets": targets.text, "/pod": pod.text, "/foreign": pages.foreign_text, "/outside": pages.outside_kubernetes(pod)})
    yield server.address, targets, pod
    server.close()


def _start(folder, served, watchers, clusters=("",)):
    """In each of `clusters` the same: equal targets, pods and addresses."""
    address, targets, pod = served
    now = int(time.time())
    backfill, jobs = [], [_job("foreign", address, "/foreign", {})]
    for cluster in clusters:
        backfill += pages.long_history(now - 8 * 86400, now - 300, cluster=cluster)
        for path, page, labels in (("/pod", pod, SHOP), *(("/targets", targets, labels) for labels in watchers)):
            labels = {**labels, **({"cluster": cluster} if cluster else {})}
            backfill += pages.history(page, {"job": "sidelight", "instance": f"{labels['pod']}:9464", **labels}, now - 600, now - 3, 5)
            jobs.append(_job(f"{labels['pod']} {cluster}", address, path, labels))
    if clusters != ("",):
        jobs.append(_job("outside", address, "/outside", {"cluster": clusters[0]}))
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
        # With a number in place of nothing it would always answer.
        answer = one.instant(filled(expression.removesuffix(" or vector(0)")))
        if not answer or all(math.isnan(float(result["value"][1])) for result in answer):
            silent.append(f"{where}: {expression}")
    assert silent == []


def test_alerts_that_fire_are_counted(one, settled):
    """Also where nothing is chosen by cluster; and none is a 0, not a gap."""
    text = pages.foreign_text(time.time())
    shown = {panel["title"]: panel["targets"] for panel in checks.panels(dashboards()["overview"])}
    for title, severity in (("Pages", "page"), ("Tickets", "ticket")):
        firing = len([line for line in text.splitlines() if re.match(r"ALERTS\{", line) and f'severity="{severity}"' in line and 'alertstate="firing"' in line])
        assert firing > 2
        [target] = shown[title]
        assert [float(result["value"][1]) for result in one.instant(filled(target["expr"]))] == [firing]
        assert [float(result["value"][1]) for result in one.instant(filled(target["expr"], {"cluster": "nowhere"}))] == [0]


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


@pytest.fixture(scope="module")
def clusters(served, tmp_path_factory):
    """As `one`, twice: two clusters in which everything is called alike; and an instance outside of Kubernetes."""
    prometheus = _start(tmp_path_factory.mktemp("clusters"), served, [WATCHER], CLUSTERS)
    _settled(prometheus)
    yield prometheus
    prometheus.close()


def _legend(target, metric):
    return re.sub(r"\{\{(\w+)\}\}", lambda m: metric.get(m[1], ""), target.get("legendFormat", ""))


def test_curves_of_two_clusters_have_names_of_their_own(clusters):
    """All that is chosen is shown at once. A curve that is of one cluster says of which."""
    wrong, of_one = [], {}
    for name, dashboard in dashboards().items():
        for panel, choice in itertools.product(filter(checks.shows_names, checks.panels(dashboard)), CHOICES.get(name, ({},))):
            legends = []
            for target in panel["targets"]:
                for result in clusters.instant(filled(target["expr"], choice)):
                    legends.append(_legend(target, result["metric"]))
                    cluster = result["metric"].get("cluster")
                    of_one.setdefault(cluster, set()).add((name, panel["title"], target["refId"]))
                    if (cluster is not None) != ("{{cluster}}" in target["legendFormat"]) or cluster and cluster not in legends[-1]:
                        wrong.append(f"{name} {panel['title']!r} {target['refId']}: {legends[-1]!r} of {cluster}")
            if len(set(legends)) != len(legends):
                wrong.append(f"{name} {panel['title']!r}: several are called {sorted({each for each in legends if legends.count(each) > 1})}")
    assert not wrong, "\n".join(sorted(set(wrong)))
    # Both clusters are in every panel of the one.
    assert of_one["east"] == of_one["west"] and len(of_one["east"]) > 150, len(of_one["east"])


def test_colours_and_axes_do_not_depend_on_clusters(clusters):
    """What is drawn apart by its name is so with the name of a cluster behind it, and with nothing there."""
    wrong, found = [], 0
    for name, dashboard in dashboards().items():
        for panel, choice in itertools.product(filter(checks.shows_names, checks.panels(dashboard)), CHOICES.get(name, ({},))):
            patterns = [o["matcher"]["options"].strip("/") for o in panel["fieldConfig"]["overrides"] if o["matcher"]["id"] == "byRegexp"]
            for pattern, target in itertools.product(patterns, panel["targets"]):
                for result in clusters.instant(filled(target["expr"], choice)):
                    plain = _legend({"legendFormat": target["legendFormat"].removesuffix(" {{cluster}}")}, result["metric"])
                    behind = [f"{plain} ", _legend(target, result["metric"])] if plain != _legend(target, result["metric"]) else []
                    matches = {bool(re.search(pattern, legend)) for legend in (plain, *behind)}
                    found += True in matches
                    if len(matches) > 1:
                        wrong.append(f"{name} {panel['title']!r}: {pattern} and {plain!r}")
    assert not wrong and found > 50, "\n".join(wrong)


def test_single_values_and_lines_of_tables_are_of_clusters(clusters):
    """One number is of all clusters that are chosen; a line of a table is of one."""
    for name, dashboard in dashboards().items():
        for panel, choice in itertools.product(checks.panels(dashboard), CHOICES.get(name, ({},))):
            answers = [clusters.instant(filled(target["expr"], choice)) for target in panel["targets"]]
            if panel["type"] == "stat" and panel["options"]["textMode"] == "value":
                assert len(sum(answers, [])) <= 1, f"{name} {panel['title']!r}"
            if panel["type"] == "table" and panel["title"] != "Firing alerts":
                for answer in answers:
                    assert {result["metric"].get("cluster") for result in answer} <= set(CLUSTERS), f"{name} {panel['title']!r}"


def test_an_instance_outside_of_kubernetes_can_be_chosen(clusters):
    """With its address alone, as links hand it on; and with labels that it does not have left empty, as an alert's template may."""
    sidecar = dashboards()["sidecar"]
    instance = next(v for v in sidecar["templating"]["list"] if v["name"] == "instance")
    series, label = re.fullmatch(r"label_values\((.*), (\w+)\)", instance["definition"]).groups()
    for choice in ({}, {"namespace": "", "pod": ""}):
        assert OUTSIDE in clusters.label_values(filled(series, choice), label)
        for title in ("Output", "Configuration", "Late by", "Memory budget", "Up since"):
            [target] = next(p["targets"] for p in checks.panels(sidecar) if p["title"] == title)
            assert len(clusters.instant(filled(target["expr"], {"instance": OUTSIDE, **choice}))) == 1, title


def test_links_hand_on_labels_that_are_there(clusters):
    """Grafana hands on the placeholder itself for a label that a series does not have, which no series matches."""
    wrong, checked = [], 0
    for name, dashboard in dashboards().items():
        for panel in checks.panels(dashboard):
            links = panel["fieldConfig"]["defaults"].get("links", []) + [
                link for o in panel["fieldConfig"]["overrides"] for p in o["properties"] if p["id"] == "links" for link in p["value"]]
            labels = {label for link in links for label in re.findall(r"\$\{__(?:field\.labels|data\.fields)\.(\w+)", link["url"])}
            for target in panel["targets"] if labels else ():
                for result in clusters.instant(filled(target["expr"])):
                    checked += 1
                    # A line to compare with has no labels at all, and nothing behind it.
                    if result["metric"] and not labels <= set(result["metric"]):
                        wrong.append(f"{name} {panel['title']!r}: {sorted(labels - set(result['metric']))} of {result['metric']}")
    assert not wrong and checked > 20, "\n".join(wrong)


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

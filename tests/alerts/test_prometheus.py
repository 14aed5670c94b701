"""The rules in a real Prometheus: what annotations become, weeks and forecasts on backfilled blocks, queries of the runbooks."""

import re
import shutil
import subprocess
import time
import urllib.parse

import pytest
import rulebook
import servers
import yaml

CONFIG = """
global: {evaluation_interval: 1s}
rule_files: [rules/*.yaml]
"""


def _write(folder, books):
    (folder / "rules").mkdir(parents=True, exist_ok=True)
    for path, book in books.items():
        (folder / "rules" / path.name).write_text(yaml.safe_dump(book, sort_keys=False, allow_unicode=True))


# ---- annotations

def _labels_when_firing(alert, window):
    """A set of labels with which the tests saw it fire."""
    for test in rulebook.test_files().values():
        for group in test["tests"]:
            for check in group["promql_expr_test"]:
                for sample in check["exp_samples"]:
                    labels = dict(re.findall(r'(\w+)="([^"]*)"', sample["labels"]))
                    if labels.get("alertname") == alert and labels.get("window") == window:
                        return {k: v for k, v in labels.items() if k not in ("alertname", "alertstate", "severity", "team", "area", "window")}
    raise AssertionError(f"{alert} never fires")


def _vector(labels, value="0.4242"):
    out = f"vector({value})"
    for name, text in labels.items():
        out = f'label_replace({out}, "{name}", "{text}", "", "")'
    return out


# What may well be a fraction of one, as 0.4242 is.
PEOPLE_READ = {"MesCacheEvictions": "42.42% of the misses", "LogStoreRejections": "0.424/s"}


def test_annotations_become_text_and_links(tmp_path):
    books = rulebook.load()
    expected = {}
    for _, rule in rulebook.alerts(books):
        labels = _labels_when_firing(rule["alert"], rule["labels"].get("window"))
        # What a link must survive.
        labels = {k: {"queue": "mes orders & co", "vhost": "/"}.get(k, v) for k, v in labels.items()}
        rule["expr"] = _vector(labels)
        rule.pop("for", None)
        rule.pop("keep_firing_for", None)
        expected[(rule["alert"], rule["labels"].get("window"))] = labels
    for book in books.values():
        book["groups"] = [{"name": g["name"], "rules": [r for r in g["rules"] if "alert" in r]} for g in book["groups"]]
        book["groups"] = [g for g in book["groups"] if g["rules"]]
    _write(tmp_path, books)
    with servers.Prometheus(tmp_path, CONFIG) as prometheus:
        def firing():
            found = [a for a in prometheus.get("alerts")["alerts"] if a["state"] == "firing"]
            return found if len(found) == len(expected) else None
        found = servers.wait_for(firing, f"{len(expected)} alerts")
    for alert in found:
        name, notes = alert["labels"]["alertname"], alert["annotations"]
        labels = expected[(name, alert["labels"].get("window"))]
        for key, text in notes.items():
            assert not re.search(r"\{\{|no value|<|  |\$|error expanding| [.,:;]|^\s|\s$", text), f"{name}: {key}: {text!r}"
        # Thousandths ("424.2m") are for machines; what counts whole things has none.
        if name in PEOPLE_READ:
            assert notes["value"] == PEOPLE_READ[name], f"{name}: {notes['value']}"
        parsed = urllib.parse.urlparse(notes["dashboard_url"])
        variables = dict(urllib.parse.parse_qsl(parsed.query, strict_parsing=True))
        assert variables.pop("orgId") == "1" and parsed.path.removeprefix("/d/") in rulebook.DASHBOARDS
        for variable, value in variables.items():
            assert labels[variable.removeprefix("var-")] == value, f"{name}: {notes['dashboard_url']}"
        if "target" in labels and "target=" not in notes["dashboard_url"]:
            assert name in ("GatewayDown", "CollectorDown", "CollectorStale", "TargetUnwatched"), f"{name} has no target in its link"
        # Who reads only the first line knows where it is.
        for label in ("target", "queue", "pod", "node", "partner", "upstream", "database", "index", "service_name"):
            if label in labels and label not in ("node",):
                assert labels[label] in notes["summary"] or label in ("database", "node"), f"{name}: {label} is not in {notes['summary']!r}"
                assert labels[label] in notes["summary_ru"] or label in ("database", "node"), f"{name}: {label}: {notes['summary_ru']!r}"


def test_links_move_with_the_recipe_of_the_manual(tmp_path):
    """Its commands, run twice as when a newer version is imported, and its prometheus.yml: what is installed is read, and leads nowhere else."""
    manual = (rulebook.TOP / "docs" / "alerting.md").read_text()
    section = manual[manual.index("\n## Import\n"):manual.index("\n## What comes with it\n")]
    recipe = "".join(re.findall(r"^```sh\n(.*?)^```", section, re.M | re.S)).replace("/etc/prometheus", str(tmp_path / "prometheus"))
    shutil.copytree(rulebook.ALERTS, tmp_path / "source" / "alerts")
    for _ in range(2):
        subprocess.run(["bash", "-euc", recipe], cwd=tmp_path / "source", check=True)
    installed = sorted((tmp_path / "prometheus" / "sidelight").glob("*"))
    assert [path.name for path in installed] == [path.name for path in rulebook.rule_files()]
    text = "".join(path.read_text() for path in installed)
    assert ".example" not in text and text.count("runbook_url: https://") == text.count("- alert:")
    assert all((tmp_path / "source" / "alerts" / path.name).read_text() == path.read_text() for path in rulebook.rule_files())
    (tmp_path / "prometheus" / "prometheus.yml").write_text(re.search(r"^```yaml\n(# prometheus\.yml\n.*?)^```", section, re.M | re.S).group(1))
    status, said = rulebook.promtool("check", "config", tmp_path / "prometheus" / "prometheus.yml")
    assert status == 0 and said.count("rules found") == len(installed), said


# ---- queries of the runbooks

# Words in capitals stand for what an alert says: here they are what there is. Of others, what queries ask for.
PLACEHOLDERS = {"namespace": ["shop"], "pod": ["POD"], "queue": ["QUEUE"], "target": ["TARGET"], "node": ["NODE"], "partner": ["PARTNER"],
                "upstream": ["UPSTREAM"], "service_name": ["mes"], "index": ["INDEX"], "pipeline": ["PIPELINE"], "le": ["0.5", "+Inf"],
                "level": ["info", "error"], "status_class": ["2xx", "5xx"], "result": ["ok", "error", "miss", "success"], "status": ["hit", "miss"],
                "collector": ["rabbitmq", "redis", "postgres", "nginx", "elasticsearch"], "phase": ["Running"], "container": ["sidelight", "shop"],
                "outcome": ["passed", "rejected"]}
# What asks for days that are not there, and for what is not as it should be.
SILENT = re.compile(r"offset (7d|1w)|forecast|seconds_until|avg7d|:usual|unless|== 0|flood_stage|exported_")


def _everything(begin, end):
    """Every metric of docs/metrics.md, in two clusters, of two instances, with several values of each label; and what else rules read."""
    kinds = {name: (kind, labels) for name, kind, labels in
             re.findall(r"^\| `(\w+)` \| (\w+) \| [^|]* \| ([^|]*) \|", (rulebook.TOP / "docs" / "metrics.md").read_text(), re.M)}
    documented = {**rulebook.labels_documented(), **{name: set() for name in rulebook.FOREIGN if not name.startswith(("kube_", "ALERTS"))}}
    documented |= {"kube_pod_init_container_info": {"container"}, "kube_pod_container_info": {"container"}, "kube_pod_status_phase": {"phase"}}
    told = set()
    for name, labels in sorted(documented.items()):
        kind, listed = kinds.get(name, ("counter" if name.endswith(("_total", "_bucket", "_sum", "_count")) else "gauge", ""))
        if kind == "histogram":
            continue
        choices = {label: [x.strip() for x in values.split(",")] for label, values in re.findall(r"(\w+): ([^;]+)", listed)}
        choices = {label: choices.get(label) or PLACEHOLDERS.get(label) or ["x", "y"] for label in labels}
        for i in range(max([2, *map(len, choices.values())])):
            for cluster, instance in (("one", "a"), ("one", "b"), ("two", "a")):
                given = {label: values[i % len(values)] for label, values in choices.items()}
                given |= {"cluster": cluster, "namespace": "shop", "pod": "POD", "instance": instance, "job": "sidelight"}
                text = f"{name}{{{','.join(f'{k}={chr(34)}{v}{chr(34)}' for k, v in sorted(given.items()))}}}"
                if text in told:
                    continue
                told.add(text)
                for t in range(begin, end + 1, 30):
                    value = (t - begin) * (i + 1) if kind == "counter" else 0 if name == "mes_db_replica" else 1
                    yield f"{text} {value} {t}"


def test_queries_of_the_runbooks_are_valid(tmp_path):
    """In a Prometheus that has something of everything, so that what two clusters or instances make ambiguous is an error."""
    queries = []
    for path in sorted(rulebook.RUNBOOKS.glob("*.md")):
        for block in re.findall(r"^```promql\n(.*?)^```", path.read_text(), re.M | re.S):
            queries += [(path.name, line) for line in block.strip().split("\n")]
    assert len(queries) > 150
    now = int(time.time())
    (tmp_path / "all.om").write_text("\n".join(_everything(now - 3600, now)) + "\n# EOF\n")
    status, said = rulebook.promtool("tsdb", "create-blocks-from", "openmetrics", tmp_path / "all.om", tmp_path / "data", timeout=300)
    assert status == 0, said
    _write(tmp_path, rulebook.load())
    silent = set()
    with servers.Prometheus(tmp_path, CONFIG) as prometheus:
        servers.wait_for(lambda: prometheus.query("mes:queue_depth:max") and prometheus.query("sidelight:collector_up:max"), "recorded series")
        time.sleep(5)
        for name, query in queries:
            try:
                if not prometheus.query(query):
                    silent.add((name, query))
            except OSError as e:
                pytest.fail(f"{name}: {query}: {e}")
    assert sorted(entry for entry in silent if not SILENT.search(entry[1])) == [], "nothing is found by these"
    assert len(silent) < 25, silent


# ---- weeks and forecasts

DAY = 86400
# One block of weeks, not a hundred of two hours each: servers open them in no time.
BLOCKS = ("tsdb", "create-blocks-from", "--max-block-duration=500h")


def _backfill(folder, series, times, begin):
    """`series`: {text: function of the seconds since `begin`, or None where there is nothing}."""
    lines = []
    for text, value in series.items():
        for t in times:
            v = value(t - begin)
            if v is not None:
                lines.append(f"{text} {v:.10g} {t}")
    path = folder / "history.om"
    path.write_text("\n".join(lines) + "\n# EOF\n")
    status, said = rulebook.promtool(*BLOCKS, "openmetrics", path, folder / "data", timeout=300)
    assert status == 0, said


def _levels(books, wanted):
    """Recording rules that `wanted` are made of, in the order in which one needs the other: [[rule, ...], ...]"""
    rules = {rule["record"]: rule for _, rule in rulebook.records(books)}
    level = {}

    def depth(name):
        if name not in level:
            level[name] = 1 + max((depth(n) for n in rulebook.names_in(rules[name]["expr"]) if n in rules), default=-1)
        return level[name]
    for name in wanted:
        depth(name)
    return [[rules[name] for name in level if level[name] == i] for i in range(max(level.values()) + 1)]


# What rules look back at for days.
LOOKED_BACK_AT = ("mes:cache_hit_ratio:rate30m", "mes:db_size_bytes:max", "mes:broker_disk_free_bytes:min", "log_store:disk_used_ratio:max",
                  "gateway:slo_errors:rate5m", "gateway:slo_requests:rate5m")


def test_weeks_and_forecasts_on_backfilled_blocks(tmp_path):
    now = int(time.time())
    begin, length = now - 8 * DAY, 8 * DAY
    late = length - 3600                                # the last hour

    def line(start, per_day, since=0):
        return lambda t: start + per_day * (t - since) / DAY if t >= since else None

    def counter(rate, last_rate=None, since=0):
        """So many a second, from `since` on; in the last hour `last_rate`."""
        def value(t):
            if t < since:
                return None
            return rate * (min(t, late) - since) + (rate if last_rate is None else last_rate) * max(0, t - max(late, since))
        return value

    def one(_):
        return 1

    series = {}
    for target, hits, misses, since in (("worse", (9, 4), (1, 6), 0), ("same", (9, None), (1, None), 0), ("young", (3, None), (7, None), 6 * DAY)):
        labels = f'target="{target}",node="n1",instance="a",job="sidelight"'
        series[f"mes_cache_hits_total{{{labels}}}"] = counter(*hits, since=since)
        series[f"mes_cache_misses_total{{{labels}}}"] = counter(*misses, since=since)
        series[f'sidelight_collector_up{{collector="redis",target="{target}",instance="a",job="sidelight"}}'] = one
    gib = 2.0 ** 30
    series['mes_db_size_bytes_objective{instance="a",job="sidelight"}'] = lambda t: 100 * gib
    for collector, target in (("postgres", "db"), ("rabbitmq", "mq"), ("elasticsearch", "es")):
        series[f'sidelight_collector_up{{collector="{collector}",target="{target}",instance="a",job="sidelight"}}'] = one
    for database, value in (("grows", line(50 * gib, 1.0 * gib * 1.5)), ("slow", line(50 * gib, gib / 10)), ("young", line(50 * gib, 9 * gib, 6 * DAY))):
        series[f'mes_db_size_bytes{{target="db",database="{database}",instance="a",job="sidelight"}}'] = value
    for node, per_day in (("falls", -10 * gib), ("steady", 0)):
        series[f'mes_broker_disk_free_bytes{{target="mq",node="{node}",instance="a",job="sidelight"}}'] = line(88 * gib, per_day)
        series[f'mes_broker_disk_limit_bytes{{target="mq",node="{node}",instance="a",job="sidelight"}}'] = lambda t: 2 * gib
    for node, per_day in (("fills", -6 * gib), ("steady", 0)):
        series[f'log_store_disk_free_bytes{{target="es",node="{node}",instance="a",job="sidelight"}}'] = line(70 * gib, per_day)
        series[f'log_store_disk_total_bytes{{target="es",node="{node}",instance="a",job="sidelight"}}'] = lambda t: 100 * gib
        series[f'log_store_disk_watermark_ratio{{target="es",node="{node}",level="high",instance="a",job="sidelight"}}'] = lambda t: 0.9
    for status, rate in (("2xx", 9.8), ("5xx", 0.2)):
        series[f'gateway_requests_total{{namespace="gw",route="/",partner="p",method="GET",status_class="{status}",instance="g",job="s"}}'] = \
            counter(rate)

    books = rulebook.load()
    _backfill(tmp_path, series, range(begin, now, 120), begin)
    for level in _levels(books, LOOKED_BACK_AT):
        rules = tmp_path / "level.yaml"
        rules.write_text(yaml.safe_dump({"groups": [{"name": "level", "rules": level}]}))
        with servers.Prometheus(tmp_path / "server", "{}", tmp_path / "data") as prometheus:
            status, said = rulebook.promtool(*BLOCKS, "rules", f"--start={begin}", f"--end={now}", "--eval-interval=5m",
                                             f"--output-dir={tmp_path / 'data'}", f"--url={prometheus.url}", rules, timeout=300)
            assert status == 0, said
    # Minutes may have passed on a busy machine, and five minutes after its last sample a series is gone.
    _backfill(tmp_path, series, range(now, int(time.time()) + 1, 10), begin)

    # Now the rules as they are, but that nothing waits: the history is there, time is not.
    for book in books.values():
        for group in book["groups"]:
            group.pop("interval", None)
            for rule in group["rules"]:
                rule.pop("for", None)
    _write(tmp_path / "server", books)
    with servers.Prometheus(tmp_path / "server", CONFIG, tmp_path / "data") as prometheus:
        def firing():
            return {(a["labels"]["alertname"], a["labels"].get("target") or a["labels"].get("window", ""),
                     a["labels"].get("database") or a["labels"].get("node", "")) for a in prometheus.get("alerts")["alerts"]}
        # The history of two days and more that some look back at, of each rule that they are made of.
        for record in {rule["record"] for level in _levels(books, LOOKED_BACK_AT) for rule in level}:
            longest = max((value for _, value in prometheus.query(f"count_over_time({record}[8d])")), default=0)
            assert longest > 7.9 * DAY / 300, f"{record} has {longest} samples"
        expected = {("Watchdog", "", ""), ("MesCacheHitRateUnderItsWeek", "worse", ""), ("MesCacheHitRateUnderFloor", "young", ""),
                    ("CapacityDbSize", "db", "grows"), ("CapacityBrokerDisk", "mq", "falls"), ("CapacityLogStoreDisk", "es", "fills"),
                    ("GatewayErrorBudgetBurn", "1d", ""), ("GatewayErrorBudgetBurn", "3d", "")}
        try:
            servers.wait_for(lambda: firing() == expected, "the expected alerts", 120)
        except pytest.fail.Exception:
            assert firing() == expected
            raise
        time.sleep(3)
        assert firing() == expected

        def only(expression):
            found = prometheus.query(expression)
            assert len(found) == 1, (expression, found)
            return found[0][1]
        # Seven days at 90 %, of which the last hour at 40 %.
        assert only('mes:cache_hit_ratio:avg7d{target="worse"}') == pytest.approx(0.9, abs=0.01)
        assert prometheus.query('mes:cache_hit_ratio:avg7d{target="young"}') == []
        assert only('mes:db_size_bytes:forecast30d{database="grows"}') == pytest.approx((50 + 38 * 1.5) * gib, rel=0.001)
        assert only('mes:db_size_bytes:seconds_until_objective{database="grows"}') / DAY == pytest.approx((50 - 12) / 1.5, rel=0.01)
        assert prometheus.query('mes:db_size_bytes:forecast30d{database="young"}') == []
        assert only('mes:broker_disk_free_bytes:seconds_until_limit{node="falls"}') / DAY == pytest.approx(0.6, rel=0.02)
        assert only('log_store:disk_used_ratio:forecast3d{node="fills"}') == pytest.approx(0.96, abs=0.005)
        assert only('gateway:slo_error_ratio:rate3d') == pytest.approx(0.02, rel=0.01)

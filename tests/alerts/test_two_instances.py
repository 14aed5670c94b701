"""Two instances of Sidelight that watch one target change no recorded series and no alert."""

import copy
import re

import pytest
import rulebook

# What is about a target, which two instances may watch. What is about a pod, one instance knows alone.
ABOUT_TARGET = re.compile(r'[{,]target="')


def _watched_twice(group):
    """The group with a second instance that sees the same, next to the one at a:9464."""
    group = copy.deepcopy(group)
    for series in list(group["input_series"]):
        name = series["series"]
        if 'instance="a:9464"' in name and (ABOUT_TARGET.search(name) or "_objective{" in name):
            group["input_series"].append(dict(series, series=name.replace('instance="a:9464"', 'instance="b2:9464"')))
    return group


def _files_about_targets():
    return [path for path, test in rulebook.test_files().items() if [_watched_twice(g) for g in test["tests"]] != test["tests"]]


@pytest.mark.parametrize("path", _files_about_targets(), ids=lambda p: p.name.removesuffix(".test.yaml"))
def test_alerts_stay_as_they_are(tmp_path, path):
    test = rulebook.test_files()[path]
    groups = [_watched_twice(g) for g in test["tests"]]
    passed, said = rulebook.run_tests(tmp_path, rulebook.books_of(test), groups, rulebook.header_of(test))
    assert passed, said


MADE_OF = re.compile(r"(?:max|min|sum) by \(([^)]*)\) \((?:rate\()?([a-z]\w*)(\{[^}]*\})?(?:\[\w+\]\))?\)")


def _raw_series():
    """{metric: its labels}, read off the rules that make one value of several instances' ones."""
    found = {}
    for _, rule in rulebook.records():
        if ":objective" in rule["record"]:
            continue
        for labels, metric, _ in MADE_OF.findall(rule["expr"]):
            labels = [x.strip() for x in labels.split(",")]
            if "target" in labels:
                found.setdefault(metric, set()).update(set(labels) - {"cluster"})
    return found


COLLECTORS = ("rabbitmq", "redis", "postgres", "nginx", "elasticsearch")
# Made of more than what there is at one moment: the scenarios of cache-week and capacity are run with two instances above.
NEED_HISTORY = re.compile(r"avg7d|forecast|seconds_until|max4h|:usual")


def test_recorded_series_stay_as_they_are(tmp_path):
    series = []

    def both(name, labels, values):
        for cluster, instances in (("one", "a"), ("two", "ab")):
            for instance in instances:
                text = ",".join(f'{k}="{v}"' for k, v in {**labels, "cluster": cluster, "job": "sidelight",
                                                         "instance": f"{instance}-{cluster}"}.items())
                series.append({"series": f"{name}{{{text}}}", "values": values})

    raw = _raw_series()
    for i, (metric, labels) in enumerate(sorted(raw.items())):
        if metric.startswith("sidelight_collector_"):
            continue
        given = {label: "x" for label in labels}
        if "state" in labels and metric == "log_store_shards":
            given["state"] = "active"
        # Some are counted on a primary only.
        level = 0 if metric == "mes_db_replica" else i + 1
        both(metric, given, f"{i}+{60 * (i + 1)}x60" if metric.endswith("_total") else f"{level}x60")
    for collector in COLLECTORS:
        about = {"collector": collector, "target": "x"}
        both("sidelight_collector_up", about, "1x60")
        for metric in ("stale", "last_success_timestamp_seconds", "duration_seconds"):
            both(f"sidelight_collector_{metric}", about, "1x60")
        both("sidelight_collector_runs_total", dict(about, result="success"), "0+6x60")
    both("log_store_disk_watermark_ratio", {"target": "x", "node": "x", "level": "high"}, "0.9x60")
    both("mes_db_size_bytes_objective", {}, "1000x60")
    both("mes_queue_drain_seconds_objective", {}, "100x60")

    recorded = sorted({rule["record"] for _, rule in rulebook.records()
                       if not NEED_HISTORY.search(rule["record"]) and _about_target(rule["record"])})
    assert len(recorded) > 90
    checks = []
    for name in recorded:
        checks += [{"expr": f'count({name}{{cluster="one"}}) > bool 0', "eval_time": "50m", "exp_samples": [{"labels": "{}", "value": 1}]},
                   {"expr": f'count({name}{{cluster="two"}}) - count({name}{{cluster="one"}})', "eval_time": "50m",
                    "exp_samples": [{"labels": "{}", "value": 0}]},
                   {"expr": f'{name}{{cluster="two"}} != ignoring (cluster) {name}{{cluster="one"}}', "eval_time": "50m",
                    "exp_samples": []}]
    group = {"name": "one instance here, two there", "interval": "1m", "input_series": series, "promql_expr_test": checks}
    passed, said = rulebook.run_tests(tmp_path, rulebook.load(), [group], {"evaluation_interval": "1m"})
    assert passed, said

    # And the check sees a rule that adds instances up.
    books = rulebook.load()
    rule = next(rule for _, rule in rulebook.records(books) if rule["record"] == "mes:queue_acked:rate5m")
    rule["expr"] = rule["expr"].replace("max by", "sum by")
    passed, said = rulebook.run_tests(tmp_path, books, [group], {"evaluation_interval": "1m"})
    assert not passed and "mes:queue_acked:rate5m" in said


def _about_target(name, seen=()):
    """Whether a recorded series is about a target, itself or by what it is made of."""
    rule = next((rule for _, rule in rulebook.records() if rule["record"] == name), None)
    if rule is None or name in seen:
        return False
    if re.search(r"by \([^)]*\btarget\b", rule["expr"]):
        return True
    return any(_about_target(n, (*seen, name)) for n in rulebook.names_in(rule["expr"]) if ":" in n)

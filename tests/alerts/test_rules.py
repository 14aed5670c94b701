"""alerts/*.rules.yaml: promtool accepts them, each alert has what on-call needs, and a test that fires and one that stays quiet."""

import json
import re
import subprocess

import pytest
import rulebook

# What a family of metrics always has: once docs/metrics.md names it, the family is there, and a name that is not is wrong.
FAMILY_MARKS = {"mes_queue_": "mes_queue_depth", "mes_broker_": "mes_queue_depth", "mes_dead_letter_": "mes_queue_depth",
                "mes_stream_": "mes_queue_depth", "mes_cache_": "mes_cache_hits_total", "mes_db_": "mes_db_info",
                "mes_price_": "mes_price_calculations_total", "gateway_connections": "gateway_connections",
                "gateway_server_": "gateway_connections", "gateway_": "gateway_requests_total", "app_": "app_requests_total",
                "log_store_": "log_store_status", "log_relay_": "log_relay_events_total", "sidelight_collector_": "sidelight_collector_up",
                "pod_": "pod_memory_bytes"}
FAMILY = re.compile("|".join(sorted(FAMILY_MARKS, key=len, reverse=True)))

ALL = sorted({rule["alert"] for _, rule in rulebook.alerts()})


def test_promtool_accepts_them():
    status, said = rulebook.promtool("check", "rules", *rulebook.rule_files())
    assert status == 0, said


def test_each_has_what_on_call_needs():
    assert rulebook.complaints(rulebook.load()) == []


def test_names_are_given_once():
    records = [rule["record"] for _, rule in rulebook.records()]
    assert sorted(records) == sorted(set(records))
    # One alert may have several rules only where a label tells them apart.
    alerts = [(rule["alert"], rule["labels"].get("window")) for _, rule in rulebook.alerts()]
    assert sorted(alerts, key=str) == sorted(set(alerts), key=str)


@pytest.mark.parametrize("path", sorted(rulebook.TESTS.glob("*.test.yaml")), ids=lambda p: p.name.removesuffix(".test.yaml"))
def test_scenarios(path):
    status, said = rulebook.promtool("test", "rules", path.name, cwd=path.parent)
    assert status == 0, said


def _checks(alert):
    for test in rulebook.test_files().values():
        for group in test["tests"]:
            for check in group["promql_expr_test"]:
                m = re.match(r'ALERTS\{alertname="(\w+)"', check["expr"])
                if m and m.group(1) == alert:
                    yield check


@pytest.mark.parametrize("alert", ALL)
def test_each_alert_is_tested_both_ways(alert):
    checks = list(_checks(alert))
    fires = [c for c in checks if c["exp_samples"]]
    quiet = [c for c in checks if not c["exp_samples"]]
    assert fires, f"no test in which {alert} fires"
    assert quiet or alert == "Watchdog", f"no test in which {alert} stays quiet"


@pytest.mark.parametrize("alert", ALL)
def test_each_alert_has_a_runbook(alert):
    path = rulebook.RUNBOOKS / f"{alert}.md"
    assert path.exists(), f"{path} is missing"
    text = path.read_text()
    assert text.startswith(f"# {alert}\n")
    sections = re.findall(r"^## (.+)$", text, re.M)
    assert sections == ["Meaning", "Impact", "Diagnosis", "Mitigation", "Prevention"], sections
    for section in re.split(r"^## .+$", text, flags=re.M)[1:]:
        assert len(section.strip()) > 40, f"a section of {path.name} says nothing"
    assert "```" in text or alert == "Watchdog", "diagnosis has no command or query"


def test_there_is_no_runbook_of_no_alert():
    assert sorted(p.stem for p in rulebook.RUNBOOKS.glob("*.md") if p.stem != "README") == ALL


def test_runbooks_name_only_series_that_exist():
    known = _known()
    recorded = {rule["record"] for _, rule in rulebook.records()}
    missing = []
    for path in sorted(rulebook.RUNBOOKS.glob("*.md")):
        for query in re.findall(r"^```promql\n(.*?)^```", path.read_text(), re.M | re.S):
            for name in rulebook.names_in(re.sub(r"#.*", "", query)):
                if name not in (recorded if ":" in name else known | {"ALERTS"}):
                    missing.append(f"{path.name}: {name}")
    _judge(missing)


def test_rules_read_only_metrics_that_exist():
    known = _known()
    missing = [f"{rule.get('alert') or rule['record']}: {name}" for _, _, rule in rulebook.rules()
               for name in rulebook.names_in(rule["expr"]) if ":" not in name and name not in known]
    _judge(missing)


def test_test_series_are_metrics_that_exist():
    known = _known()
    used = {re.match(r"[\w:]+", series["series"]).group(0) for test in rulebook.test_files().values() for group in test["tests"]
            for series in group["input_series"]}
    _judge(sorted(used - known))


def test_rules_keep_only_labels_that_their_metrics_have():
    documented = rulebook.labels_documented()
    kept = re.compile(r"\b(?:sum|max|min) by \(([^)]*)\) \(\s*(?:(?:rate|increase)\()?([a-z]\w*)[\[{)]")
    seen, wrong = 0, []
    for _, _, rule in rulebook.rules():
        for labels, metric in kept.findall(rule["expr"]):
            if metric in documented:
                seen += 1
                more = {label.strip() for label in labels.split(",")} - documented[metric] - rulebook.SCRAPED
                wrong += [f"{rule.get('alert') or rule['record']}: {metric} has no {sorted(more)}"] if more else []
    assert wrong == []
    assert seen > 100


def test_test_series_have_only_labels_that_their_metrics_have():
    documented = rulebook.labels_documented()
    wrong = set()
    for test in rulebook.test_files().values():
        for group in test["tests"]:
            for series in group["input_series"]:
                metric = re.match(r"[\w:]+", series["series"]).group(0)
                labels = set(re.findall(r'(\w+)="', series["series"]))
                if metric == "sidelight_collector_up" and 'collector="process"' in series["series"]:
                    labels.add("target")       # the process beside which it runs is no target
                if metric in documented and labels != (labels & rulebook.SCRAPED) | documented[metric]:
                    wrong.add(f"{metric}: {sorted(labels - rulebook.SCRAPED)}, not {sorted(documented[metric])}")
    assert sorted(wrong) == []


def _known():
    return rulebook.metrics_documented() | rulebook.FOREIGN


def _judge(missing):
    """Fails for a name that docs/metrics.md lacks; skips while a whole family of collectors is not in it yet."""
    documented = rulebook.metrics_documented()
    wrong, pending = [], set()
    for entry in missing:
        family = FAMILY.match(entry.split(": ")[-1])
        if not family or any(FAMILY_MARKS[family.group(0)] == name for name in documented):
            wrong.append(entry)
        else:
            pending.add(family.group(0) + "*")
    assert wrong == []
    if pending:
        pytest.skip("not in docs/metrics.md yet: " + ", ".join(sorted(pending)))


def test_the_manual_lists_each_alert():
    text = (rulebook.TOP / "docs" / "alerting.md").read_text()
    rows = re.findall(r"^\| \[(\w+)\]\(runbooks/(\w+)\.md\) \| ([\w, ]+) \| (\w+) \|", text, re.M)
    assert all(name == page for name, page, _, _ in rows)
    listed = {(name, severity, team) for name, _, severities, team in rows for severity in severities.split(", ")}
    assert listed == {(rule["alert"], rule["labels"]["severity"], rule["labels"]["team"]) for _, rule in rulebook.alerts()}


def test_the_manual_has_the_defaults_of_the_objectives():
    text = (rulebook.TOP / "docs" / "alerting.md").read_text()
    for name, default in re.findall(r"^\| `(\w+)` \| ([\d.]+|none)", text, re.M):
        expressions = [rule["expr"] for _, rule in rulebook.records()
                       if rule["record"].endswith(":objective") and f"{name}_objective" in rulebook.names_in(rule["expr"])]
        assert len(expressions) == 1, name
        there = re.findall(r"\* ([\d.]+)$", expressions[0].strip())
        assert there == ([] if default == "none" else [default]), name
    assert len(re.findall(r"^\| `\w+` \| ([\d.]+|none)", text, re.M)) == 11


def test_yaml_is_clean():
    done = subprocess.run(["yamllint", "--strict", "-c", str(rulebook.TOP / ".yamllint"), str(rulebook.ALERTS)], stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True)
    assert done.returncode == 0, done.stdout


def test_dashboards_that_alerts_link_to_are_there():
    there = {json.loads(path.read_text())["uid"] for path in (rulebook.TOP / "dashboards").glob("*.json")}
    assert rulebook.DASHBOARDS <= there

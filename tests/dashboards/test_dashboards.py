"""Each dashboard by its JSON alone: import, variables, layout, descriptions, units, names, links; and that it is what its source says."""

import json
import os
import re
import subprocess
import sys

import pytest

import checks
from known import DASHBOARDS, all_metrics, behind, names_in, recorded, rules

FILES = sorted(DASHBOARDS.glob("*.json"))
sys.path.insert(0, str(DASHBOARDS))


def load(path):
    return json.loads(path.read_text(encoding="utf-8"))


@pytest.mark.parametrize("path", FILES, ids=lambda p: p.stem)
def test_has_no_problem(path):
    assert checks.problems(load(path)) == []


def test_are_what_their_source_says(tmp_path):
    """Who edits JSON by hand is told where to edit; who edits the source is told what to run."""
    subprocess.run([sys.executable, str(DASHBOARDS / "generate.py"), "--output", str(tmp_path)], check=True,
                   stdout=subprocess.DEVNULL, timeout=60)
    made = {p.relative_to(tmp_path) for p in tmp_path.rglob("*") if p.is_file()}
    kept = {p.relative_to(DASHBOARDS) for p in (*DASHBOARDS.glob("*.json"), *DASHBOARDS.glob("kibana/*.ndjson"))}
    assert made == kept, "run dashboards/generate.py"
    for path in made:
        assert (tmp_path / path).read_text() == (DASHBOARDS / path).read_text(), f"run dashboards/generate.py: {path} is not its source"


def test_addresses_of_kibana_and_runbooks_are_given_in_one_place(tmp_path):
    subprocess.run([sys.executable, str(DASHBOARDS / "generate.py"), "--output", str(tmp_path), "--kibana", "https://logs.test/",
                    "--runbooks", "https://wiki.test/runbooks"], check=True, stdout=subprocess.DEVNULL, timeout=60)
    for path in tmp_path.glob("*.json"):
        variables = {v["name"]: v for v in load(path)["templating"]["list"]}
        assert variables["kibana"]["current"]["value"] == variables["kibana"]["query"] == "https://logs.test"
        assert variables["runbooks"]["current"]["value"] == "https://wiki.test/runbooks"
        assert ".example" not in path.read_text()


# As much of kubectl as the manual uses. `apply` keeps the object, and refuses what an API server would: an object over 1 MiB, and
# without --server-side one that does not fit in the annotation.
KUBECTL = """#!{python}
import json, os, sys
verb, *words = sys.argv[1:]
if verb == "create":
    kind, name, source = words[:3]
    path = source.removeprefix("--from-file=")
    assert kind == "configmap" and os.path.isfile(path) and "--dry-run=client" in words, words
    json.dump({{"metadata": {{"name": name}}, "data": {{os.path.basename(path): open(path).read()}}}}, sys.stdout)
elif verb == "label":
    object = json.load(sys.stdin)
    assert "--local" in words
    object["metadata"]["labels"] = dict([next(w for w in words if w.startswith("grafana")).split("=")])
    json.dump(object, sys.stdout)
elif verb == "apply":
    text = sys.stdin.read()
    assert len(text) < 1048576 and ("--server-side" in words or len(text) < 262144), len(text)
    name = json.loads(text)["metadata"]["name"]
    open(os.path.join({folder!r}, name), "x").write(text)
"""


def test_the_manual_puts_each_dashboard_into_a_configmap(tmp_path):
    manual = (DASHBOARDS.parent / "docs" / "dashboards.md").read_text()
    command = next(c for c in re.findall(r"^```sh\n(.*?)^```", manual, re.M | re.S) if "kubectl" in c)
    bin, applied = tmp_path / "bin", tmp_path / "applied"
    bin.mkdir()
    applied.mkdir()
    (bin / "kubectl").write_text(KUBECTL.format(python=sys.executable, folder=str(applied)))
    (bin / "kubectl").chmod(0o755)
    done = subprocess.run(["bash", "-e", "-o", "pipefail", "-c", command], cwd=DASHBOARDS.parent, env={**os.environ, "PATH": f"{bin}:{os.environ['PATH']}"},
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=60)
    assert done.returncode == 0, done.stdout
    maps = {p.name: load(p) for p in applied.iterdir()}
    assert set(maps) == {f"sidelight-{p.stem}" for p in FILES}
    assert all(m["metadata"]["labels"] == {"grafana_dashboard": "1"} for m in maps.values())
    assert {name: text for m in maps.values() for name, text in m["data"].items()} == {p.name: p.read_text() for p in FILES}


def test_uids_and_titles_are_unique():
    dashboards = [load(path) for path in FILES]
    assert len({d["uid"] for d in dashboards}) == len({d["title"] for d in dashboards}) == len(FILES)


def test_links_between_dashboards_lead_to_one_that_has_the_variable():
    variables = {d["uid"]: {v["name"] for v in d["templating"]["list"]} for d in map(load, FILES)}
    for path in FILES:
        for uid, query in re.findall(r"/d/([\w-]+)\?([^\"]*)", path.read_text()):
            assert uid in variables, f"{path.name} links to {uid}"
            passed = re.findall(r"var-(\w+)=", query) + re.findall(r"\$\{(\w+):queryparam\}", query)
            assert set(passed) <= variables[uid], f"{path.name} gives {uid} {passed}"


def test_links_to_the_sidecar_name_the_instance():
    """Where a panel is of instances. What only some instances have, as namespace and pod, is not handed on: it would filter others away."""
    named = 0
    for path in FILES:
        for panel in checks.panels(load(path)):
            urls = re.findall(r'"(/d/sidelight-sidecar\?[^"]*)', json.dumps(panel))
            if any("instance" in target["expr"] for target in panel["targets"]) or path.stem == "log-pipeline":
                named += len(urls)
                assert all(re.search(r"&var-instance=\$\{__(field\.labels|data\.fields)\.instance\}", url) for url in urls), f"{path.stem} {panel['title']!r}"
            assert not any(re.search(r"var-(namespace|pod)=", url) for url in urls), f"{path.stem} {panel['title']!r}"
    assert named >= 6, named


def test_dashboard_links_of_alerts_lead_to_one_that_has_the_variable():
    variables = {d["uid"]: {v["name"] for v in d["templating"]["list"]} for d in map(load, FILES)}
    for rule in rules():
        url = rule.get("annotations", {}).get("dashboard_url", "")
        for uid in re.findall(r"/d/([\w-]+)", url):
            assert uid in variables, f"{rule['alert']} links to {uid}"
            missing = set(re.findall(r"&var-(\w+)=", url)) - variables[uid]
            assert not missing, f"{rule['alert']} gives {uid} {missing}, which it does not have"


def test_every_metric_is_shown_somewhere():
    shown = behind({name for path in FILES for _, expression in checks.expressions(load(path)) for name in names_in(expression)})
    missing = {metric.name for metric in all_metrics().values() if not metric.series & shown}
    # Objectives are shown through the recorded series that join them with their defaults.
    assert not missing, f"no dashboard shows {sorted(missing)}"


def test_thresholds_are_those_of_the_alerts():
    """limits.py, from which thresholds are made, holds the defaults of recorded objectives and the constants of alerts."""
    from source import limits

    by_alert = {}
    for rule in rules():
        by_alert.setdefault(rule.get("alert"), []).append(rule["expr"])
    records = recorded()
    found = [limit for limit in vars(limits).values() if isinstance(limit, limits.Limit)]
    assert len(found) > 15
    for limit in found:
        assert limit.alert in by_alert, f"{limit.alert} is no alert"
        expressions = " ".join(by_alert[limit.alert])
        if limit.record:
            assert limit.record in expressions, f"{limit.alert} does not compare with {limit.record}"
            default = re.search(r"\* ([\d.]+)\s*$", records[limit.record])
            assert default and float(default[1]) == limit.value, f"{limit.record} defaults to {default and default[1]}, not {limit.value}"
        else:
            constants = [float(c) for c in re.findall(r"[<>]=?(?: on \([^)]*\))?\s*([\d.]+)", expressions)]
            assert limit.value in constants, f"{limit.alert} compares with {constants}, not {limit.value}"
            assert (f"< {limit.value:g}" in expressions) == limit.below


def test_red_begins_at_the_threshold_of_the_alert_that_a_panel_links_to():
    """Through the JSON: a panel with a link to the runbook of an alert, shown in the alert's unit, turns red where the alert fires."""
    from source import limits

    red = {}
    for limit in vars(limits).values():
        if isinstance(limit, limits.Limit):
            red.setdefault(limit.alert, set()).add(limit.value or 1)
    # A rate of burning, as a share of failed requests.
    allowed = 1 - limits.GATEWAY_AVAILABILITY.value
    red["GatewayErrorBudgetBurn"] |= {round(factor * allowed, 6) for factor in red["GatewayErrorBudgetBurn"] - {allowed}}
    compared = 0
    for path in FILES:
        for panel in checks.panels(load(path)):
            linked = [a for a in re.findall(r"/(\w+)\.md", json.dumps([panel.get("links", []), panel["fieldConfig"]["defaults"].get("links", [])])) if a in red]
            steps = panel["fieldConfig"]["defaults"]["thresholds"]["steps"]
            if not linked or not any(step["color"] == "red" for step in steps):
                continue
            # Where a small value is bad, red is first and ends at the next step.
            values = {step["value"] for step in steps if step["color"] == "red"} - {None}
            values |= {steps[1]["value"]} if steps[0]["color"] == "red" else set()
            assert any(values & red[alert] for alert in linked), f"{path.name}: {panel['title']!r} is red at {values}, not where {linked} fire"
            compared += 1
    assert compared >= 25, compared

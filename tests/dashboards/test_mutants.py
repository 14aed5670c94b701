"""That the checks see what they are for: each mutant of a good dashboard has one fault, and the check that is meant finds it."""

import copy
import json

import pytest

import checks
from known import DASHBOARDS

GOOD = json.loads((DASHBOARDS / "mes-queue.json").read_text(encoding="utf-8"))


def _panel(d, kind="timeseries"):
    return next(p for p in d["panels"] if p["type"] == kind)


def _titled(d, title):
    return next(p for p in d["panels"] if p.get("title") == title)


def _variable(d, name):
    return next(v for v in d["templating"]["list"] if v["name"] == name)


def _organize(d):
    return next(t["options"] for t in _panel(d, "table")["transformations"] if t["id"] == "organize")


def _override(d, heading):
    return next(o for o in _panel(d, "table")["fieldConfig"]["overrides"] if o["matcher"]["options"] == heading)


def _of_column(d, heading):
    return {p["id"]: p["value"] for p in _override(d, heading)["properties"]}


def _property(d, heading, name, value):
    properties = _override(d, heading)["properties"]
    properties[:] = [p for p in properties if p["id"] != name] + [{"id": name, "value": value}]


MUTANTS = {
    "title that does not fit": (lambda d: _titled(d, "No consumer").update(title="Queues without any consumer"), "is cut: about"),
    "empty panel without a word": (lambda d: _panel(d)["fieldConfig"]["defaults"].pop("noValue"), "does not say why it is empty"),
    "nothing, in green": (lambda d: _titled(d, "Oldest message")["fieldConfig"]["defaults"].update(mappings=[]), "has the colour of a threshold"),
    "nothing, in tiny letters": (lambda d: _titled(d, "Oldest message")["fieldConfig"]["defaults"].update(noValue="No message waits in any queue that was chosen"),
                                 "too small to be read"),
    "table as Prometheus answers": (lambda d: _panel(d, "table").update(transformations=[]), "shows internal columns"),
    "time of a table": (lambda d: _organize(d)["excludeByName"].pop("Time"), "shows the internal column 'Time'"),
    "value without a heading": (lambda d: _organize(d)["renameByName"].pop("Value #A"), "shows the internal column 'Value #A'"),
    "columns behind the edge": (lambda d: [o["properties"].clear() for o in _panel(d, "table")["fieldConfig"]["overrides"]], "columns need"),
    "heading that is cut": (lambda d: _property(d, "Consumers", "custom.minWidth", 50), "the heading 'Consumers' has 38 pixels"),
    "sentence in an empty cell": (lambda d: _property(d, "Oldest", "mappings", []), "an empty cell of 'Oldest' says 'No such queue'"),
    "texts that vanish": (lambda d: _property(d, "Broker", "mappings", _of_column(d, "Oldest")["mappings"]), "every text of 'Broker' is shown as nothing"),
    "curve of an unknown cluster": (lambda d: _panel(d)["targets"][0].update(legendFormat="{{queue}} ({{target}} {{vhost}})"),
                                    "does not fit the clusters that it shows"),
    "cluster of a total": (lambda d: _titled(d, "In and out")["targets"][0].update(legendFormat="published {{cluster}}"), "does not fit the clusters that it shows"),
    "state of an unknown cluster": (lambda d: _titled(d, "Nodes")["targets"][0].update(legendFormat="{{node}} ({{target}})"), "does not fit the clusters that it shows"),
    "one queue of two clusters": (lambda d: _panel(d)["targets"][0].update(expr="sum by (target, queue) (mes:queue_depth:max)"), "one queue/target of all clusters"),
    "joined with another cluster's": (lambda d: _panel(d)["targets"][0].update(expr="mes:queue_depth:max and on (target) mes:queue_ready:max"),
                                      "one target of all clusters"),
    "table without clusters": (lambda d: _organize(d)["renameByName"].pop("cluster"), "does not show the cluster of its lines"),
    "table that hides clusters": (lambda d: _organize(d)["excludeByName"].update(cluster=True), "does not show the cluster of its lines"),
    "unknown metric": (lambda d: _panel(d)["targets"][0].update(expr="mes:queue_length:max"), "nothing exports mes:queue_length:max"),
    "unknown metric in an annotation": (lambda d: d["annotations"]["list"][-1].update(expr="ALARMS"), "nothing exports ALARMS"),
    "unknown metric in a variable": (lambda d: _variable(d, "vhost").update(
        definition="label_values(mes_queues, vhost)", query={"query": "label_values(mes_queues, vhost)"}), "nothing exports mes_queues"),
    "unknown unit": (lambda d: _panel(d)["fieldConfig"]["defaults"].update(unit="messages"), "unknown unit 'messages'"),
    "wrong unit": (lambda d: _titled(d, "Time to drain")["fieldConfig"]["defaults"].update(unit="percentunit"),
                   "mes:queue_drain_seconds:max in 'percentunit'"),
    "unit of something else": (lambda d: _titled(d, "Backlog and flow") and _titled(d, "Consumers")["fieldConfig"]["defaults"].update(unit="bytes"),
                               "mes:queue_consumers:max is not in 'bytes'"),
    "no unit": (lambda d: _panel(d)["fieldConfig"]["defaults"].pop("unit"), "unknown unit None"),
    "overlap": (lambda d: _panel(d)["gridPos"].update(y=_panel(d)["gridPos"]["y"] - 1), "overlap"),
    "off the grid": (lambda d: _panel(d)["gridPos"].update(x=20), "off the grid"),
    "hole": (lambda d: d["panels"].remove(_panel(d)), "are empty"),
    "duplicate id": (lambda d: _panel(d).update(id=_panel(d, "stat")["id"]), "two panels have one id"),
    "duplicate title": (lambda d: _panel(d).update(title="Consumers"), "two panels are called 'Consumers'"),
    "missing title": (lambda d: _panel(d).pop("title"), "has no title"),
    "missing description": (lambda d: _panel(d).pop("description"), "has no description"),
    "empty description": (lambda d: _panel(d).update(description=" "), "has no description"),
    "unknown calculation": (lambda d: _panel(d, "stat")["options"]["reduceOptions"].update(calcs=["newest"]), "unknown calculation 'newest'"),
    "unknown panel type": (lambda d: _panel(d).update(type="graph"), "is of type 'graph'"),
    "no query": (lambda d: _panel(d).update(targets=[]), "asks nothing"),
    "no legend": (lambda d: _panel(d)["targets"][0].pop("legendFormat"), "has no legend"),
    "data source of a panel": (lambda d: _panel(d).update(datasource={"type": "prometheus", "uid": "P1809F7CD0C75ACF3"}), "data source of its own"),
    "data source of a query": (lambda d: _panel(d)["targets"][0].update(datasource={"uid": "prometheus"}), "data source of its own"),
    "inputs": (lambda d: d.update(__inputs=[{"name": "DS_PROMETHEUS"}]), "would ask questions"),
    "id of another installation": (lambda d: d.update(id=7), "id is not null"),
    "no uid": (lambda d: d.update(uid=None), "uid None"),
    "schema of a newer Grafana": (lambda d: d.update(schemaVersion=41), "is not that of Grafana 9.3"),
    "undeclared variable": (lambda d: _panel(d)["targets"][0].update(expr='mes:queue_depth:max{broker=~"$broker"}'),
                            "broker is used and not declared"),
    "idle variable": (lambda d: d["templating"]["list"].append({"name": "idle", "type": "textbox"}), "idle changes nothing"),
    "needs a cluster label": (lambda d: _variable(d, "cluster").update(allValue=".+"), "does not match where the label is missing"),
    "no data source variable": (lambda d: d["templating"]["list"].pop(0), "data source is not a variable"),
    "runbook of no alert": (lambda d: _panel(d)["links"][0].update(url="${runbooks}/QueueBad.md"), "QueueBad, which is no alert"),
    "link to a fixed host": (lambda d: _panel(d)["links"][0].update(url="http://grafana:3000/d/x"), "links to 'http://grafana:3000"),
    "no siblings": (lambda d: d["links"].pop(0), "other dashboards are not linked"),
    "thresholds in disorder": (lambda d: _titled(d, "Worst drain")["fieldConfig"]["defaults"]["thresholds"]["steps"].reverse(),
                               "thresholds do not rise"),
    "no deploys": (lambda d: d["annotations"].update(list=d["annotations"]["list"][-1:]), "no annotation shows deploys"),
}


def test_the_good_one_is_good():
    assert checks.problems(GOOD) == []


@pytest.mark.parametrize("name", MUTANTS)
def test_a_fault_is_found(name):
    change, expected = MUTANTS[name]
    mutant = copy.deepcopy(GOOD)
    change(mutant)
    found = checks.problems(mutant)
    assert any(expected in problem for problem in found), found

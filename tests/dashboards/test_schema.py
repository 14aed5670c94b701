"""Dashboards against the types of Grafana 9.3 and of today's Grafana, and that these find faults."""

import copy
import json

import checks
import grafana_types
from known import DASHBOARDS

FILES = sorted(DASHBOARDS.glob("*.json"))


def test_dashboards_are_of_grafanas_types():
    assert {path.name: found for path, found in grafana_types.validate(FILES).items() if found} == {}


def test_ids_of_units_calculations_and_transformations_are_grafanas():
    lists = grafana_types.lists()
    assert len(lists["units"]) > 200 and len(lists["reducers"]) > 15
    # "count:things/s" is a unit of the dashboard's own, which Grafana takes too.
    assert {unit for unit in checks.UNITS if not unit.startswith("count:")} <= set(lists["units"])
    assert checks.REDUCERS <= set(lists["reducers"])
    for path in FILES:
        for panel in checks.panels(json.loads(path.read_text())):
            for transformation in panel.get("transformations", []):
                assert transformation["id"] in lists["transformations"]
            units = [p["value"] for o in panel["fieldConfig"]["overrides"] for p in o["properties"] if p["id"] == "unit"]
            assert set(units) <= set(lists["units"]) | checks.UNITS


def _first(d, kind):
    return next(p for p in d["panels"] if p["type"] == kind)


MUTANTS = {
    "misspelt option": lambda d: _first(d, "stat")["options"].update(graphmode="area"),
    "unknown value of an option": lambda d: _first(d, "stat")["options"].update(colorMode="rainbow"),
    "misspelt field configuration": lambda d: _first(d, "timeseries")["fieldConfig"]["defaults"]["custom"].update(lineWith=2),
    "line style that there is not": lambda d: _first(d, "timeseries")["fieldConfig"]["defaults"]["custom"].update(drawStyle="curve"),
    "legend elsewhere": lambda d: _first(d, "timeseries")["options"]["legend"].update(placement="left"),
    "text for a number": lambda d: _first(d, "timeseries")["gridPos"].update(w="12"),
    "option of another panel": lambda d: _first(d, "table")["options"].update(graphMode="area"),
    "misspelt query": lambda d: _first(d, "timeseries")["targets"][0].update(expression="up"),
    "unknown format of a query": lambda d: _first(d, "timeseries")["targets"][0].update(format="series"),
    "mode of thresholds": lambda d: _first(d, "stat")["fieldConfig"]["defaults"]["thresholds"].update(mode="relative"),
    "misspelt head": lambda d: d.update(refreshInterval="30s"),
    "state that there is not": lambda d: _first(d, "state-timeline")["options"].update(showValue="sometimes"),
}


def test_a_fault_is_found(tmp_path):
    grafana_types.need()
    good = json.loads((DASHBOARDS / "mes-queue.json").read_text())
    for name, change in MUTANTS.items():
        mutant = copy.deepcopy(good)
        change(mutant)
        (tmp_path / f"{name}.json").write_text(json.dumps(mutant))
    missed = [path.stem for path, found in grafana_types.validate(sorted(tmp_path.iterdir())).items() if not found]
    assert missed == []

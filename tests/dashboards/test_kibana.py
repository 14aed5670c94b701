"""Kibana's saved objects by structure: no Kibana is in any package registry, so none has imported them here.

What is checked: one JSON object a line, references that lead to objects of the file, JSON in strings that parses, a grid without overlap,
fields that the index template maps (read from the program's sources), and that dashboards of Grafana link to searches that exist, with
queries that ask what their titles say.
"""

import copy
import json
import re
import urllib.parse

import pytest

from known import DASHBOARDS, TOP

FILE = DASHBOARDS / "kibana" / "sidelight.ndjson"
TYPES = {"index-pattern", "search", "visualization", "dashboard"}
STRINGS_OF_JSON = ("panelsJSON", "optionsJSON", "visState", "uiStateJSON", "fieldFormatMap", "runtimeFieldMap", "fieldAttrs", "typeMeta", "fields",
                   "sourceFilters")
COLUMNS = 48
# What the program writes beside the table of ECS fields (agent/send/elasticsearch/index_template.cc).
OWN_FIELDS = {"@timestamp", "message", "log.level", "log.file.path", "log.offset", "event.id", "labels"}


def objects():
    return [json.loads(line) for line in FILE.read_text(encoding="utf-8").splitlines()]


def mapped_fields():
    table = (TOP / "agent" / "base" / "ecs_fields.cc").read_text()
    fields = set(re.findall(r'\{"([a-z_.0-9]+)", (?:keyword|text|long_int|real|date|ip|boolean)\}', table))
    assert len(fields) > 100
    return fields | OWN_FIELDS


def text_fields():
    table = (TOP / "agent" / "base" / "ecs_fields.cc").read_text()
    return set(re.findall(r'\{"([a-z_.0-9]+)", text\}', table)) | {"message"}


def fields_in(kuery):
    return re.findall(r"([\w@][\w.@]*)\s*(?::|>=|<=|<|>)", re.sub(r'"[^"]*"', '""', kuery))


def fields_of(thing):
    """[(field, whether it is aggregated)] that an object names."""
    attributes = thing["attributes"]
    out = [(name, False) for name in attributes.get("columns", [])] + [(name, True) for name, _ in attributes.get("sort", [])]
    out += [(name, False) for name in json.loads(attributes.get("fieldFormatMap", "{}"))]
    if "timeFieldName" in attributes:
        out.append((attributes["timeFieldName"], True))
    source = json.loads(attributes.get("kibanaSavedObjectMeta", {}).get("searchSourceJSON", "{}"))
    out += [(name, False) for name in fields_in(source.get("query", {}).get("query", ""))]
    for aggregation in json.loads(attributes.get("visState", "{}")).get("aggs", []):
        if "field" in aggregation["params"]:
            out.append((aggregation["params"]["field"], True))
    return out


def problems(things):
    found = []
    known = {(t["type"], t["id"]) for t in things}
    if len(known) != len(things):
        found.append("two objects have one id")
    runtime = {name for t in things for name in json.loads(t["attributes"].get("runtimeFieldMap", "{}"))}
    mapped, texts = mapped_fields() | runtime, text_fields()
    for thing in things:
        name = f"{thing['type']} {thing['id']}"
        attributes = thing["attributes"]
        if thing["type"] not in TYPES:
            found.append(f"{name} is of an unknown type")
        if not thing["id"].startswith("sidelight-") or not attributes.get("title"):
            found.append(f"{name} is not ours, or has no title")
        for key in STRINGS_OF_JSON:
            if key in attributes:
                try:
                    json.loads(attributes[key])
                except (TypeError, ValueError):
                    found.append(f"{name}: {key} is no JSON in a string")
                    return found
        for reference in thing["references"]:
            if (reference["type"], reference["id"]) not in known:
                found.append(f"{name} refers to {reference['type']} {reference['id']}, which is not in the file")
        names = {r["name"] for r in thing["references"]}
        source = json.loads(attributes.get("kibanaSavedObjectMeta", {}).get("searchSourceJSON", "{}"))
        if thing["type"] in ("search", "visualization") and source.get("indexRefName") not in names:
            found.append(f"{name} has no data view")
        if source and source["query"]["language"] != "kuery":
            found.append(f"{name}: its query is no KQL")
        for field, aggregated in fields_of(thing):
            if field not in mapped and not field.startswith("labels."):
                found.append(f"{name}: the index template does not map {field}")
            if aggregated and (field in texts or field.startswith("labels")):
                found.append(f"{name}: {field} cannot be sorted or aggregated by")
        if thing["type"] == "dashboard":
            found += _panel_problems(name, attributes, names)
    return found


def _panel_problems(name, attributes, names):
    found, taken = [], {}
    for panel in json.loads(attributes["panelsJSON"]):
        grid = panel["gridData"]
        if grid["x"] < 0 or grid["x"] + grid["w"] > COLUMNS:
            found.append(f"{name}: panel {panel['panelIndex']} is off the grid")
        if f"{panel['panelIndex']}:{panel['panelRefName']}" not in names:
            found.append(f"{name}: panel {panel['panelIndex']} refers to nothing")
        cells = {(x, y) for x in range(grid["x"], grid["x"] + grid["w"]) for y in range(grid["y"], grid["y"] + grid["h"])}
        if cells & set(taken):
            found.append(f"{name}: panel {panel['panelIndex']} overlaps")
        taken.update(dict.fromkeys(cells))
    return found


def test_saved_objects_have_no_problem():
    assert problems(objects()) == []


def test_there_is_what_was_promised():
    titles = {(t["type"], t["attributes"]["title"]) for t in objects()}
    assert {("search", "Errors by service"), ("search", "One trace"), ("search", "Logs of a pod"), ("search", "Slow price calculations")} <= titles
    assert [t for t, _ in titles].count("dashboard") == 1 and [t for t, _ in titles].count("index-pattern") == 1


def test_links_from_grafana_lead_to_searches_that_exist():
    searches = {t["id"] for t in objects() if t["type"] == "search"}
    linked = {name for path in DASHBOARDS.glob("*.json") for name in re.findall(r"discover#/view/([\w-]+)", path.read_text())}
    assert linked == searches


def dashboards():
    return {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in sorted(DASHBOARDS.glob("*.json"))}


def links_of(dashboard):
    """Those to Kibana."""
    every = list(dashboard["links"])
    for panel in dashboard["panels"]:
        every += panel.get("links", []) + panel.get("fieldConfig", {}).get("defaults", {}).get("links", [])
    return [link for link in every if link["url"].startswith("${kibana}")]


def link_problems(dashboard, things):
    """A query in the address takes the place of the search's own query: it must hold that too, else it shows more than the search does."""
    found = []
    own = {t["id"]: json.loads(t["attributes"]["kibanaSavedObjectMeta"]["searchSourceJSON"])["query"]["query"] for t in things if t["type"] == "search"}
    variables = {v["name"]: v for v in dashboard["templating"]["list"]}
    for link in links_of(dashboard):
        name = link["title"]
        search, state = re.fullmatch(r"\$\{kibana\}/app/discover#/view/([\w-]+)\?_g=\(time:\([^)]*\)\)(.*)", link["url"]).groups()
        if not state:
            continue
        query = re.fullmatch(r"&_a=\(query:\(language:kuery,query:'([^' \"]*)'\)\)", state)
        if not query:
            found.append(f"{name}: {state!r} is no query")
            continue
        query = urllib.parse.unquote(query[1])
        any_value = re.fullmatch(r"(\S+) : \*", own[search])
        if not query.startswith(f'{any_value[1]} : "' if any_value else f"{own[search]} and "):
            found.append(f"{name}: {query} is not narrower than {search}: {own[search]}")
        found += [f"{name}: the index template does not map {field}" for field in fields_in(query) if field not in mapped_fields()]
        for variable in re.findall(r"\$\{?(?!__)(\w+)", query):
            if variables[variable].get("multi") or variables[variable].get("includeAll"):
                found.append(f"{name}: {variable} may be All or several, which is no KQL")
    return found


def test_links_from_grafana_ask_what_they_say():
    narrowed = [link["title"] for d in dashboards().values() for link in links_of(d) if "&_a=" in link["url"]]
    assert {"Its errors in Kibana", "Errors of the service in Kibana", "Logs of the pod", "Logs: one trace"} <= set(narrowed)
    assert {name: found for name, d in dashboards().items() if (found := link_problems(d, objects()))} == {}


def test_errors_of_a_service_are_errors():
    links = {link["title"]: urllib.parse.unquote(link["url"]) for link in links_of(dashboards()["overview"])}
    for title in ("Its errors in Kibana", "Errors of the service in Kibana"):
        assert 'log.level : (error or critical or alert or emergency) and service.name : "${__field.labels.service_name}"' in links[title]


def test_the_pod_whose_logs_are_shown_is_that_of_the_instance():
    """Whatever is chosen as `pod`: one, several or All."""
    sidecar = dashboards()["sidecar"]
    link = next(link for link in links_of(sidecar) if link["title"] == "Logs of the pod")
    assert 'kubernetes.pod.name : "${pod_of_instance}"' in urllib.parse.unquote(link["url"])
    variable = next(v for v in sidecar["templating"]["list"] if v["name"] == "pod_of_instance")
    assert re.fullmatch(r'label_values\(sidelight_build_info\{.*instance=~"\$instance".*\}, pod\)', variable["definition"])
    # Not in the address, where it would stay that of an earlier instance.
    assert (variable["hide"], variable["skipUrlSync"]) == (2, True)


def _ask(dashboard, title, query):
    link = next(link for link in links_of(dashboard) if link["title"] == title)
    link["url"] = re.sub(r"query:'[^']*'", lambda _: f"query:'{urllib.parse.quote(query, safe='${}')}'", link["url"])


LINK_MUTANTS = {
    "all logs of a service": ("overview", lambda d: _ask(d, "Its errors in Kibana", 'service.name : "${__field.labels.service_name}"'), "is not narrower than"),
    "all logs of a pod as its errors": ("sidecar", lambda d: next(link for link in links_of(d) if link["title"] == "Logs of the pod").update(
        url=next(link for link in links_of(d) if link["title"] == "Logs of the pod")["url"].replace("sidelight-pod", "sidelight-errors")), "is not narrower than"),
    "pod that may be All": ("sidecar", lambda d: _ask(d, "Logs of the pod", 'kubernetes.pod.name : "${pod}"'), "pod may be All or several"),
    "field that there is not": ("sidecar", lambda d: _ask(d, "Logs of the pod", 'kubernetes.pod.name : "a" and pod : "a"'), "does not map pod"),
    "query that breaks the address": ("overview", lambda d: next(link for link in links_of(d) if link["title"] == "Logs: one trace").update(
        url="${kibana}/app/discover#/view/sidelight-trace?_g=(time:(from:'a',to:'b'))&_a=(query:(language:kuery,query:'trace.id : \"x\"'))"), "is no query"),
}


@pytest.mark.parametrize("name", LINK_MUTANTS)
def test_a_fault_of_a_link_is_found(name):
    stem, change, expected = LINK_MUTANTS[name]
    dashboard = dashboards()[stem]
    change(dashboard)
    found = link_problems(dashboard, objects())
    assert any(expected in problem for problem in found), found


def test_slow_is_what_the_alert_calls_slow():
    price_cache = json.loads((DASHBOARDS / "price-cache.json").read_text())
    panel = next(p for p in price_cache["panels"] if p.get("title") == "Time of a calculation")
    red = next(step["value"] for step in panel["fieldConfig"]["defaults"]["thresholds"]["steps"] if step["color"] == "red")
    slow = next(t for t in objects() if t["id"] == "sidelight-slow-prices")
    assert f"duration_seconds >= {red}" in slow["attributes"]["kibanaSavedObjectMeta"]["searchSourceJSON"]


def _of(things, kind):
    return next(t for t in things if t["type"] == kind)


MUTANTS = {
    "unknown field": (lambda o: _of(o, "search")["attributes"]["columns"].append("service.nom"), "does not map service.nom"),
    "unknown field in a query": (lambda o: _of(o, "search")["attributes"]["kibanaSavedObjectMeta"].update(
        searchSourceJSON=json.dumps({"query": {"language": "kuery", "query": "loglevel : error"}, "indexRefName": "x"})), "does not map loglevel"),
    "sorted by a text": (lambda o: _of(o, "search")["attributes"].update(sort=[["message", "asc"]]), "message cannot be sorted"),
    "reference to nothing": (lambda o: _of(o, "dashboard")["references"][0].update(id="sidelight-gone"), "which is not in the file"),
    "no data view": (lambda o: _of(o, "visualization").update(references=[]), "has no data view"),
    "broken string": (lambda o: _of(o, "dashboard")["attributes"].update(panelsJSON="[{"), "is no JSON in a string"),
    "overlap": (lambda o: _of(o,
                              "dashboard")["attributes"].update(panelsJSON=_of(o, "dashboard")["attributes"]["panelsJSON"].replace('"x": 24',
                                  '"x": 20')), "overlaps"),
    "duplicate": (lambda o: o.append(copy.deepcopy(o[0])), "two objects have one id"),
    "Lucene": (lambda o: _of(o, "search")["attributes"]["kibanaSavedObjectMeta"].update(
        searchSourceJSON=_of(o, "search")["attributes"]["kibanaSavedObjectMeta"]["searchSourceJSON"].replace("kuery", "lucene")), "is no KQL"),
}


@pytest.mark.parametrize("name", MUTANTS)
def test_a_fault_is_found(name):
    change, expected = MUTANTS[name]
    things = objects()
    change(things)
    assert any(expected in problem for problem in problems(things)), problems(things)

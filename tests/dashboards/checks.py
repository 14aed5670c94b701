"""What is wrong with a dashboard, as far as its JSON alone tells: each check gives a list of sentences, empty when all is well."""

import re

from known import FOREIGN, alerts, all_metrics, names_in, recorded

COLUMNS = 24
UNITS = {"s", "bytes", "Bps", "percentunit", "short", "ops", "reqps", "dateTimeFromNow", "dateTimeAsIso",
         "count:events/s", "count:msg/s", "count:orders/s", "count:series/s", "count:conn/s"}
REDUCERS = {"lastNotNull", "max", "mean", "min", "sum"}
PANELS = {"timeseries", "stat", "table", "bargauge", "state-timeline"}
# Recorded and raw series whose unit follows from their name.
_DIMENSIONS = ((re.compile(r"(_seconds(:(min|max|p\d+|avg\w+|objective)|_by_\w+:p\d+)?|:seconds_until_\w+)$"), {"s"}),
               (re.compile(r"_ratio(:|$)|_ratio_objective$"), {"percentunit"}),
               (re.compile(r"_bytes(_total)?:rate"), {"Bps"}),
               (re.compile(r"_bytes(:(min|max|sum|forecast\w+|objective))?$"), {"bytes"}))


def problems(dashboard):
    """Of one dashboard, as parsed JSON."""
    found = []
    for check in (_head, _variables, _layout, _panels, _widths, _nothing_there, _tables, _clusters, _units, _names, _links, _annotations):
        found += check(dashboard)
    return found


def panels(dashboard):
    return [panel for panel in dashboard["panels"] if panel["type"] != "row"]


def expressions(dashboard):
    """[(where, expression)] of panels and annotations."""
    out = [(f"panel {panel.get('title', panel['id'])!r} {target['refId']}", target["expr"])
           for panel in panels(dashboard) for target in panel["targets"]]
    return out + [(f"annotation {a['name']!r}", a["expr"]) for a in dashboard["annotations"]["list"] if "expr" in a]


def _head(d):
    found = []
    if d.get("id", 0) is not None:
        found.append("id is not null: an import would overwrite another dashboard")
    if not re.fullmatch(r"sidelight-[a-z-]+", d.get("uid") or ""):
        found.append(f"uid {d.get('uid')!r} is not ours")
    if not d.get("title") or not d.get("description"):
        found.append("title or description is missing")
    if "__inputs" in d or "__requires" in d:
        found.append("__inputs would ask questions at the import")
    if d.get("schemaVersion") != 37:
        found.append(f"schemaVersion {d.get('schemaVersion')} is not that of Grafana 9.3")
    if "sidelight" not in d.get("tags", []):
        found.append("without the tag the other dashboards do not link here")
    return found


def _variables(d):
    found = []
    variables = {v["name"]: v for v in d["templating"]["list"]}
    if len(variables) != len(d["templating"]["list"]):
        found.append("two variables have one name")
    if variables.get("datasource", {}).get("type") != "datasource":
        found.append("the data source is not a variable")
    for name, variable in variables.items():
        if variable["type"] != "query":
            continue
        if variable["datasource"].get("uid") != "${datasource}":
            found.append(f"variable {name} has a data source of its own")
        if variable["includeAll"] and variable.get("allValue") != ".*":
            found.append(f"variable {name}: All does not match where the label is missing")
        if variable["definition"] != variable["query"]["query"]:
            found.append(f"variable {name}: definition and query differ")
        if not re.fullmatch(r"label_values\(([\w:]+(\{.*\})?), \w+\)", variable["definition"]):
            found.append(f"variable {name}: {variable['definition']!r} is no label_values(series, label)")
        for series in names_in(re.sub(r"^label_values\((.*), \w+\)$", r"\1", variable["definition"])):
            if not _is_known(series):
                found.append(f"variable {name}: nothing exports {series}")
    for needed in ("datasource", "cluster", "kibana", "runbooks"):
        if needed not in variables:
            found.append(f"variable {needed} is missing")
    text = str(d["panels"]) + str(d["annotations"]) + str(d["links"]) + str(list(variables.values()))
    for used in set(re.findall(r"\$\{?([a-z]\w*)", text)) - set(variables):
        found.append(f"variable {used} is used and not declared")
    for name in variables:
        if not re.search(rf"\$\{{?{name}\b", text):
            found.append(f"variable {name} changes nothing")
    return found


def _layout(d):
    found = []
    taken = {}
    identities = [panel["id"] for panel in d["panels"]]
    if len(set(identities)) != len(identities):
        found.append("two panels have one id")
    for panel in d["panels"]:
        where = panel["gridPos"]
        if where["x"] < 0 or where["y"] < 0 or where["w"] < 1 or where["h"] < 1 or where["x"] + where["w"] > COLUMNS:
            found.append(f"panel {panel.get('title')!r} is off the grid")
        for x in range(where["x"], where["x"] + where["w"]):
            for y in range(where["y"], where["y"] + where["h"]):
                if (x, y) in taken:
                    found.append(f"panels {taken[x, y]!r} and {panel.get('title')!r} overlap")
                    break
                taken[x, y] = panel.get("title")
            else:
                continue
            break
    height = 1 + max(y for _, y in taken)
    holes = COLUMNS * height - len({cell for cell in taken if cell[0] < COLUMNS})
    if holes > 0:
        found.append(f"{holes} cells of the grid are empty")
    return found


def _panels(d):
    found = []
    titles = [panel.get("title") for panel in panels(d)]
    found += [f"two panels are called {title!r}" for title in {t for t in titles if titles.count(t) > 1}]
    for panel in panels(d):
        name = f"panel {panel.get('title', panel['id'])!r}"
        if panel["type"] not in PANELS:
            found.append(f"{name} is of type {panel['type']!r}")
        if not panel.get("title"):
            found.append(f"{name} has no title")
        if len(panel.get("description", "")) < 15:
            found.append(f"{name} has no description")
        if not panel.get("targets"):
            found.append(f"{name} asks nothing")
        if panel.get("datasource", {}).get("uid") != "${datasource}":
            found.append(f"{name} has a data source of its own")
        for target in panel.get("targets", []):
            if target["datasource"].get("uid") != "${datasource}":
                found.append(f"{name} {target['refId']} has a data source of its own")
            if panel["type"] in ("timeseries", "state-timeline") and not target.get("legendFormat"):
                found.append(f"{name} {target['refId']} has no legend")
        references = [target["refId"] for target in panel.get("targets", [])]
        if len(set(references)) != len(references):
            found.append(f"{name}: two queries have one refId")
        calculations = panel["options"].get("reduceOptions", {}).get("calcs", []) + panel["options"].get("legend", {}).get("calcs", [])
        found += [f"{name}: unknown calculation {c!r}" for c in calculations if c not in REDUCERS]
        steps = panel["fieldConfig"]["defaults"].get("thresholds", {}).get("steps", [])
        values = [step["value"] for step in steps]
        if not values or values[0] is not None or any(a >= b for a, b in zip(values[1:], values[2:])):
            found.append(f"{name}: thresholds do not rise")
    return found


# What a panel has in a browser window of 1366 pixels, the smallest that many people have, less Grafana's menu and margins.
_GRID = 1366 - 57 - 32
_GAP = 8


def _pixels(panel):
    column = (_GRID - (COLUMNS - 1) * _GAP) / COLUMNS
    return panel["gridPos"]["w"] * (column + _GAP) - _GAP


def _text_pixels(text):
    """About, of a title or heading: Inter, medium, 14 pixels."""
    return sum(4.6 if c in " ijlftrI.,:;'|()" else 12.4 if c in "mwMW" else 9.8 if c.isupper() else 8.4 for c in text)


def _widths(d):
    """Titles are cut where they do not fit beside the icons for the description and for links."""
    found = []
    for panel in panels(d):
        room = _pixels(panel) - 17 - 32 - (32 if panel.get("links") else 0)
        needed = _text_pixels(panel.get("title", ""))
        if needed > room:
            found.append(f"the title of panel {panel['title']!r} is cut: about {needed:.0f} pixels in {room:.0f}")
    return found


def _says_nothing(mappings, match):
    return any(m["type"] == "special" and m["options"]["match"] == match and m["options"]["result"]["color"] in ("text", "panel-bg") for m in mappings)


def _nothing_there(d):
    """A missing value is said in words, legible, and in no colour that means good or bad."""
    found = []
    for panel in panels(d):
        defaults = panel["fieldConfig"]["defaults"]
        name = f"panel {panel.get('title')!r}"
        absent = defaults.get("noValue")
        fallback = all(re.search(r"or vector\(0\)$", target["expr"]) for target in panel.get("targets", []))
        if not absent and not fallback:
            found.append(f"{name} does not say why it is empty")
        if panel["type"] not in ("stat", "bargauge") or not absent:
            continue
        if not _says_nothing(defaults["mappings"], "null+nan"):
            found.append(f"{name}: {absent!r} has the colour of a threshold")
        if panel["type"] == "stat" and len(absent) > 8 * panel["gridPos"]["w"]:
            found.append(f"{name}: {absent!r} is written too small to be read")
    return found


def _tables(d):
    """No internal column, no column behind the right edge, no sentence in an empty cell."""
    found = []
    for panel in panels(d):
        if panel["type"] != "table":
            continue
        name = f"panel {panel.get('title')!r}"
        organize = next((t["options"] for t in panel.get("transformations", []) if t["id"] == "organize"), None)
        if organize is None:
            found.append(f"{name} shows internal columns")
            continue
        excluded = {column for column, out in organize["excludeByName"].items() if out}
        values = ["Value"] if len(panel["targets"]) == 1 else [f"Value #{target['refId']}" for target in panel["targets"]]
        renamed = organize["renameByName"]
        found += [f"{name} shows the internal column {column!r}" for column in ("Time", *values) if column not in excluded and column not in renamed]
        shown = [renamed[column] for column in organize["indexByName"] if column not in excluded and column in renamed]
        properties = {}
        for override in panel["fieldConfig"]["overrides"]:
            properties.setdefault(override["matcher"]["options"], {}).update({p["id"]: p["value"] for p in override["properties"]})
        # A column has 150 pixels at least where nothing is said. Whoever has a label `cluster` sees one column more.
        needed = sum(properties.get(heading, {}).get("custom.minWidth", 150) for heading in shown if heading not in ("Cluster", "Partner"))
        if needed > _pixels(panel) - 18:
            found.append(f"{name}: columns need {needed} pixels, and there are {_pixels(panel) - 18:.0f}")
        sorted_by = {sort["displayName"] for sort in panel["options"]["sortBy"]}
        for heading in shown:
            room = properties.get(heading, {}).get("custom.minWidth", 150) - 12 - (18 if heading in sorted_by else 0)
            if _text_pixels(heading) > room:
                found.append(f"{name}: the heading {heading!r} has {room} pixels")
        defaults = panel["fieldConfig"]["defaults"]
        for heading in shown:
            mappings = properties.get(heading, {}).get("mappings", defaults["mappings"])
            if not (_says_nothing(mappings, "null") or _says_nothing(mappings, "null+nan")):
                found.append(f"{name}: an empty cell of {heading!r} says {defaults.get('noValue')!r}")
            if heading in [renamed[c] for c in renamed if c not in values] and _says_nothing(mappings, "null+nan"):
                found.append(f"{name}: every text of {heading!r} is shown as nothing")
    return found


# What tells one thing from another inside a cluster. Two clusters may have equal ones.
_THINGS = {"collector", "database", "index", "input", "instance", "namespace", "node", "output", "partner", "pipeline", "pod", "process", "queue", "replica",
           "route", "schema", "service_name", "table", "target", "upstream", "vhost"}
_AGGREGATIONS = {"avg", "count", "count_values", "group", "max", "min", "quantile", "stddev", "stdvar", "sum"}
_CALL = re.compile(r"(?<![\w:])([a-z_]+)\s*(?:by\s*\(([^)]*)\)\s*)?\(")


def keeps_cluster(expression):
    """Whether no aggregation takes the label cluster away. test_answers.py holds it against what a Prometheus answers."""
    calls = _CALL.findall(re.sub(r'"[^"]*"', '""', expression))
    return all(re.search(r"\bcluster\b", labels) for name, labels in calls if name in _AGGREGATIONS)


def shows_names(panel):
    """Whether each series is shown with its legend."""
    return panel["type"] in ("timeseries", "bargauge", "state-timeline") or panel["options"].get("textMode") == "value_and_name"


def _clusters(d):
    """Things of one name in two clusters stay two, and say of which cluster they are. Totals and single values are of all that are chosen."""
    found = []
    for where, expression in expressions(d):
        for grouping in re.findall(r"\b(?:by|on)\s*\(([^)]*)\)", expression):
            labels = set(re.findall(r"\w+", grouping))
            if labels & _THINGS and "cluster" not in labels:
                found.append(f"{where}: one {'/'.join(sorted(labels & _THINGS))} of all clusters")
    for panel in panels(d):
        name = f"panel {panel.get('title')!r}"
        for target in panel.get("targets", []):
            if shows_names(panel) and keeps_cluster(target["expr"]) != ("{{cluster}}" in target.get("legendFormat", "")):
                found.append(f"{name} {target['refId']}: its legend does not fit the clusters that it shows")
        if panel["type"] == "table":
            columns = [t["options"] for t in panel.get("transformations", []) if t["id"] == "organize"]
            if not all("cluster" in c["renameByName"] and not c["excludeByName"].get("cluster") for c in columns):
                found.append(f"{name} does not show the cluster of its lines")
    return found


def _unit_of(panel, target):
    """The unit that Grafana shows this query in."""
    unit = panel["fieldConfig"]["defaults"].get("unit")
    for override in panel["fieldConfig"]["overrides"]:
        units = [p["value"] for p in override["properties"] if p["id"] == "unit"]
        matcher = override["matcher"]
        if units and matcher["id"] == "byRegexp" and re.search(matcher["options"].strip("/"), target.get("legendFormat", "")):
            unit = units[0]
        if units and matcher["id"] == "byName" and matcher["options"] == _column(panel, target):
            unit = units[0]
    return unit


def _column(panel, target):
    for transformation in panel.get("transformations", []):
        renamed = transformation["options"].get("renameByName", {})
        for value in (f"Value #{target['refId']}", "Value"):
            if value in renamed:
                return renamed[value]
    return None


def _units(d):
    found = []
    for panel in panels(d):
        for target in panel["targets"]:
            unit = _unit_of(panel, target)
            name = f"panel {panel.get('title')!r} {target['refId']}"
            if unit not in UNITS:
                found.append(f"{name}: unknown unit {unit!r}")
            series = names_in(target["expr"])
            # The unit of a quotient or a product does not follow from a name, nor that of what is counted.
            if len(series) != 1 or re.search(r" [*/] |\b(rate|count|increase|changes|deriv|histogram_quantile)\b", target["expr"]):
                continue
            for pattern, units in _DIMENSIONS:
                if pattern.search(min(series)):
                    if unit not in units:
                        found.append(f"{name}: {min(series)} in {unit!r}, not in {'/'.join(units)}")
                    break
            else:
                if unit in ("s", "bytes", "Bps", "percentunit") and not min(series).endswith(("_timestamp_seconds:max", "_saved_seconds:rate5m")):
                    found.append(f"{name}: {min(series)} is not in {unit!r}")
    return found


_known = {}


def _is_known(series):
    if not _known:
        names = {name for metric in all_metrics().values() for name in metric.series}
        _known["names"] = names | set(recorded()) | FOREIGN
    return series in _known["names"]


def _names(d):
    return [f"{where}: nothing exports {series}" for where, expression in expressions(d)
            for series in sorted(names_in(expression)) if not _is_known(series)]


def _links(d):
    found = []
    known = alerts()
    texts = [(f"panel {p.get('title')!r}", link) for p in panels(d)
             for link in p.get("links", []) + p["fieldConfig"]["defaults"].get("links", [])]
    texts += [("dashboard", link) for link in d["links"] if link["type"] == "link"]
    runbooks = set()
    for where, link in texts:
        url = link["url"]
        for alert in re.findall(r"^\$\{runbooks\}/(\w+)\.md$", url):
            runbooks.add(alert)
            if alert not in known:
                found.append(f"{where} links to the runbook of {alert}, which is no alert")
        if not url.startswith(("${runbooks}/", "${kibana}/", "/d/sidelight-")):
            found.append(f"{where} links to {url!r}")
    if not runbooks:
        found.append("no panel links to a runbook")
    if not any(link["type"] == "dashboards" and link["includeVars"] and link["keepTime"] for link in d["links"]):
        found.append("the other dashboards are not linked")
    if not any("${kibana}" in link["url"] for _, link in texts):
        found.append("logs are not linked")
    return found


def _annotations(d):
    names = [a["name"].lower() for a in d["annotations"]["list"]]
    return [f"no annotation shows {what}" for what in ("deploys", "configuration reloads", "alerts")
            if not any(name.startswith(what) for name in names)]

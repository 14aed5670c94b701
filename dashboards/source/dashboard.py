"""A dashboard: its panels with what all dashboards have in common, variables, annotations and links."""

import dataclasses
import re

from .grafana import DATASOURCE, Row
from .layout import place

SCHEMA_VERSION = 37  # Grafana 9.3
TAG = "sidelight"
GRAFANA_ITSELF = {"type": "grafana", "uid": "-- Grafana --"}


@dataclasses.dataclass(frozen=True)
class Sites:
    """Where links go that leave Grafana. The defaults are those of alerts/*.rules.yaml."""
    kibana: str = "https://kibana.example"
    runbooks: str = "https://sidelight.example/docs/runbooks"


@dataclasses.dataclass(frozen=True)
class Choice:
    """A variable whose values are those of a label. `one` allows a single value only, without "All". A `hidden` one follows from others
    and is not in the address.

    "All" is `.*`, which a missing label matches too: dashboards work where there is no such label.
    """
    name: str
    label: str
    query: str
    one: bool = False
    hidden: bool = False

    def json(self):
        out = {"name": self.name, "label": self.label, "type": "query", "datasource": DATASOURCE,
               "definition": self.query, "query": {"query": self.query, "refId": "StandardVariableQuery"},
               "refresh": 2, "regex": "", "sort": 1, "hide": 2 if self.hidden else 0, "skipUrlSync": self.hidden, "options": [],
               "multi": not self.one, "includeAll": not self.one}
        if self.one:
            return {**out, "current": {}}
        return {**out, "allValue": ".*", "current": {"selected": True, "text": ["All"], "value": ["$__all"]}}


@dataclasses.dataclass(frozen=True)
class Text:
    """A variable that people type in, or (`hidden`) that a link or the address sets."""
    name: str
    label: str
    value: str = ""
    hidden: bool = False

    def json(self):
        value = {"selected": False, "text": self.value, "value": self.value}
        return {"name": self.name, "label": self.label, "type": "textbox", "query": self.value, "current": value,
                "options": [{**value, "selected": True}], "hide": 2 if self.hidden else 0, "skipUrlSync": False}


_DATASOURCE_CHOICE = {"name": "datasource", "label": "Data source", "type": "datasource", "query": "prometheus", "regex": "",
                      "refresh": 1, "hide": 0, "skipUrlSync": False, "options": [], "multi": False, "includeAll": False,
                      "current": {}}


@dataclasses.dataclass(frozen=True)
class Moments:
    """Marks in time from an expression: the times where it is 1 or more (Grafana leaves out what is less), or (`value_is_time`) its
    values as Unix milliseconds."""
    name: str
    expr: str
    color: str
    title: str
    text: str = ""
    value_is_time: bool = False

    def json(self):
        return {"name": self.name, "datasource": DATASOURCE, "enable": True, "hide": False, "iconColor": self.color,
                "expr": self.expr, "step": "60s", "titleFormat": self.title, "textFormat": self.text, "tagKeys": "",
                "useValueForTime": "on" if self.value_is_time else False}


_BUILT_IN = {"name": "Annotations & Alerts", "builtIn": 1, "datasource": GRAFANA_ITSELF, "enable": True, "hide": True,
             "iconColor": "rgba(0, 211, 255, 1)", "type": "dashboard",
             "target": {"limit": 100, "matchAny": False, "tags": [], "type": "dashboard"}}
# What a deployment pipeline tells Grafana itself (docs/dashboards.md shows how).
_TAGGED_DEPLOYS = {"name": "Deploys (tagged)", "datasource": GRAFANA_ITSELF, "enable": True, "hide": False,
                   "iconColor": "purple", "target": {"limit": 100, "matchAny": False, "tags": ["deploy"], "type": "tags"}}


_AGGREGATION = re.compile(r"(?<![\w:])(?:sum|min|max|avg|count|group|stddev|stdvar|quantile|count_values)\s*(?:by\s*\(([^)]*)\)\s*)?\(")


def keeps_cluster(expr):
    """Whether what `expr` answers has the label cluster, where there is one: no aggregation takes it away. (topk and its like take none.)"""
    return all("cluster" in re.findall(r"\w+", labels) for labels in _AGGREGATION.findall(expr))


def _with_clusters_named(panel):
    """Curves, bars and tiles that are of one cluster each say of which, behind their name. Without such a label Grafana writes nothing
    there. What picks curves by the end of their name goes on finding them."""
    if not any(query.legend and keeps_cluster(query.expr) for query in panel.queries):
        return panel
    queries = [dataclasses.replace(q, legend=f"{q.legend} {{{{cluster}}}}") if q.legend and keeps_cluster(q.expr) else q for q in panel.queries]
    overrides = []
    for override in panel.field_config["overrides"]:
        matcher = override["matcher"]
        if matcher["id"] == "byRegexp" and matcher["options"].endswith("$/"):
            matcher = {**matcher, "options": matcher["options"].removesuffix("$/") + "( .*)?$/"}
        overrides.append({**override, "matcher": matcher})
    return dataclasses.replace(panel, queries=queries, field_config={**panel.field_config, "overrides": overrides})


@dataclasses.dataclass
class Dashboard:
    uid: str
    title: str
    description: str
    variables: list
    annotations: list
    items: list  # rows and panels, from left to right and from top to bottom
    links: list = dataclasses.field(default_factory=list)  # extra links, as Link
    since: str = "now-3h"
    refresh: str = "30s"
    sites: Sites = dataclasses.field(default_factory=Sites)

    def json(self):
        panels = []
        for number, (item, x, y) in enumerate(place(self.items), start=1):
            panels.append(item.json(number, y) if isinstance(item, Row) else _with_clusters_named(item).json(number, x, y))
        hidden = [Text("kibana", "Kibana", self.sites.kibana, hidden=True),
                  Text("runbooks", "Runbooks", self.sites.runbooks, hidden=True)]
        return {
            "id": None,
            "uid": self.uid,
            "title": self.title,
            "description": self.description,
            "tags": [TAG],
            "timezone": "browser",
            "schemaVersion": SCHEMA_VERSION,
            "version": 1,
            "editable": True,
            "graphTooltip": 1,
            "fiscalYearStartMonth": 0,
            "liveNow": False,
            "weekStart": "",
            "refresh": self.refresh,
            "time": {"from": self.since, "to": "now"},
            "timepicker": {},
            "templating": {"list": [_DATASOURCE_CHOICE, *(v.json() for v in (*self.variables, *hidden))]},
            "annotations": {"list": [_BUILT_IN, _TAGGED_DEPLOYS, *(a.json() for a in self.annotations)]},
            "links": [self._siblings(), *(self._link(link) for link in self.links)],
            "panels": panels,
        }

    @staticmethod
    def _siblings():
        return {"title": "Sidelight", "type": "dashboards", "tags": [TAG], "asDropdown": True, "icon": "external link",
                "includeVars": True, "keepTime": True, "targetBlank": False, "tooltip": "The other dashboards", "url": ""}

    @staticmethod
    def _link(link):
        return {"title": link.title, "type": "link", "url": link.url, "icon": "doc", "tags": [], "asDropdown": False,
                "includeVars": False, "keepTime": False, "targetBlank": link.new_tab, "tooltip": link.title}

"""Kibana's saved objects: a data view of what Sidelight ships, four saved searches and a dashboard, for Kibana 8 (and newer, which migrate).

Field names are those of agent/base/ecs_fields.cc and of the index template; what ECS does not know is under `labels`.
"""

import json

from .limits import PRICE_TIME

VERSION = "8.9.0"  # the form of these objects; newer Kibanas migrate it
DATA_VIEW = "sidelight-logs"
PATTERN = "logs-*"


def _object(kind, identity, attributes, references=()):
    return {"id": identity, "type": kind, "attributes": attributes, "references": list(references), "coreMigrationVersion": VERSION,
            "managed": False}


def _source(kuery, filters=(), search=None):
    """The query of an object, as Kibana keeps it: JSON in a string."""
    out = {"query": {"language": "kuery", "query": kuery}, "filter": list(filters)}
    if search is None:
        out["indexRefName"] = "kibanaSavedObjectMeta.searchSourceJSON.index"
        out["highlightAll"] = True
        out["version"] = True
    return {"searchSourceJSON": json.dumps(out)}


_VIEW_OF_SEARCH = {"id": DATA_VIEW, "name": "kibanaSavedObjectMeta.searchSourceJSON.index", "type": "index-pattern"}


# `labels` is flattened: what is in it compares as text. As a number a duration comes from the document itself.
_DURATION = """\
def labels = params._source.labels;
if (labels != null && labels.duration_s != null) {
  emit(Double.parseDouble(labels.duration_s.toString()));
}"""


def data_view():
    return _object("index-pattern", DATA_VIEW, {
        "title": PATTERN, "name": "Logs (Sidelight)", "timeFieldName": "@timestamp", "fieldAttrs": "{}", "fields": "[]", "sourceFilters": "[]",
        "fieldFormatMap": json.dumps({"event.duration": {"id": "duration", "params": {
            "inputFormat": "nanoseconds", "outputFormat": "humanizePrecise", "outputPrecision": 3, "useShortSuffix": True}}}),
        "runtimeFieldMap": json.dumps({"duration_seconds": {"type": "double", "script": {"source": _DURATION}}}), "typeMeta": "{}",
    })


def search(identity, title, description, columns, sort="@timestamp", order="desc"):
    return _object("search", identity, {
        "title": title, "description": description, "columns": columns, "sort": [[sort, order]],
        "grid": {}, "hideChart": False, "isTextBasedQuery": False, "timeRestore": False,
        "kibanaSavedObjectMeta": _source(QUERIES[identity]),
    }, [_VIEW_OF_SEARCH])


def _aggregated(identity, title, kind, params, aggs, kuery):
    """A visualization of Kibana's oldest and most stable kind: aggregations in a string."""
    state = {"title": title, "type": kind, "params": params, "aggs": aggs}
    return _object("visualization", identity, {
        "title": title, "description": "", "version": 1, "uiStateJSON": "{}", "visState": json.dumps(state),
        "kibanaSavedObjectMeta": _source(kuery),
    }, [_VIEW_OF_SEARCH])


def _count():
    return {"id": "1", "enabled": True, "type": "count", "schema": "metric", "params": {}}


def _by_time():
    return {"id": "2", "enabled": True, "type": "date_histogram", "schema": "segment",
            "params": {"field": "@timestamp", "interval": "auto", "min_doc_count": 0, "drop_partials": False, "extended_bounds": {}}}


def _by_terms(number, field, schema, size):
    return {"id": number, "enabled": True, "type": "terms", "schema": schema,
            "params": {"field": field, "orderBy": "1", "order": "desc", "size": size, "otherBucket": True, "otherBucketLabel": "Other",
                       "missingBucket": False}}


def over_time(identity, title, field, kuery):
    params = {
        "type": "histogram", "addLegend": True, "addTooltip": True, "legendPosition": "right", "times": [], "addTimeMarker": False,
        "grid": {"categoryLines": False},
        "categoryAxes": [{"id": "CategoryAxis-1", "type": "category", "position": "bottom", "show": True, "scale": {"type": "linear"},
                          "labels": {"show": True, "filter": True, "truncate": 100}, "title": {}}],
        "valueAxes": [{"id": "ValueAxis-1", "name": "LeftAxis-1", "type": "value", "position": "left", "show": True,
                       "scale": {"type": "linear", "mode": "normal"}, "labels": {"show": True, "rotate": 0, "filter": False, "truncate": 100},
                       "title": {"text": "Events"}}],
        "seriesParams": [{"show": True, "type": "histogram", "mode": "stacked", "data": {"label": "Events", "id": "1"},
                          "valueAxis": "ValueAxis-1", "drawLinesBetweenPoints": True, "showCircles": True}],
    }
    return _aggregated(identity, title, "histogram", params, [_count(), _by_time(), _by_terms("3", field, "group", 10)], kuery)


def ranking(identity, title, fields, kuery):
    params = {"perPage": 10, "showPartialRows": False, "showMetricsAtAllLevels": False, "showTotal": False, "totalFunc": "sum",
              "percentageCol": ""}
    terms = [_by_terms(str(i), field, "bucket", 20) for i, field in enumerate(fields, start=2)]
    return _aggregated(identity, title, "table", params, [_count(), *terms], kuery)


def dashboard(identity, title, description, panels):
    """`panels` are (object, x, y, width, height) on Kibana's grid of 48 columns."""
    kept, references = [], []
    for i, (shown, x, y, width, height) in enumerate(panels, start=1):
        kept.append({"version": VERSION, "type": shown["type"], "panelIndex": str(i), "panelRefName": f"panel_{i}", "embeddableConfig": {},
                     "gridData": {"x": x, "y": y, "w": width, "h": height, "i": str(i)}})
        references.append({"id": shown["id"], "name": f"{i}:panel_{i}", "type": shown["type"]})
    return _object("dashboard", identity, {
        "title": title, "description": description, "version": 1, "timeRestore": False, "panelsJSON": json.dumps(kept),
        "optionsJSON": json.dumps({"useMargins": True, "syncColors": False, "hidePanelTitles": False}),
        "kibanaSavedObjectMeta": _source("", search=False),
    }, references)


ERRORS = "log.level : (error or critical or alert or emergency)"
SLOW_PRICES = f'labels.event : "price_calculation" and duration_seconds >= {PRICE_TIME.value:g}'
# Of each saved search.
QUERIES = {"sidelight-errors": ERRORS, "sidelight-trace": "trace.id : *", "sidelight-pod": "kubernetes.pod.name : *",
           "sidelight-slow-prices": SLOW_PRICES}


def objects():
    errors = search("sidelight-errors", "Errors by service", "Events of level error and above; filter by service.name.",
                    ["service.name", "log.level", "message", "error.stack_trace", "trace.id", "kubernetes.pod.name"])
    trace = search("sidelight-trace", "One trace", "Everything with one trace.id, oldest first: put the id in place of the star.",
                   ["service.name", "log.level", "message", "labels", "error.message", "trace.id"], order="asc")
    pod = search("sidelight-pod", "Logs of a pod", "Everything of one pod: put its name in place of the star.",
                 ["service.name", "log.level", "message", "kubernetes.namespace", "kubernetes.pod.name", "trace.id"])
    slow = search("sidelight-slow-prices", "Slow price calculations", "Calculations of the MES that took 30 s or longer (the default objective).",
                  ["service.name", "duration_seconds", "message", "labels", "trace.id"], sort="duration_seconds")
    by_service = over_time("sidelight-errors-over-time", "Errors over time by service", "service.name", ERRORS)
    by_level = over_time("sidelight-levels-over-time", "Events over time by level", "log.level", "")
    top = ranking("sidelight-errors-ranking", "Errors by service and pod", ["service.name", "kubernetes.pod.name"], ERRORS)
    by_service_all = over_time("sidelight-events-over-time", "Events over time by service", "service.name", "")
    board = dashboard("sidelight-logs", "Logs of the shop (Sidelight)", "Errors by service, levels, events by service, slow price calculations.", [
        (by_service, 0, 0, 24, 12), (by_level, 24, 0, 24, 12),
        (by_service_all, 0, 12, 24, 12), (top, 24, 12, 24, 12),
        (errors, 0, 24, 48, 18),
        (slow, 0, 42, 48, 14),
    ])
    return [data_view(), errors, trace, pod, slow, by_service, by_level, top, by_service_all, board]


def ndjson():
    return "".join(json.dumps(o, ensure_ascii=False) + "\n" for o in objects())

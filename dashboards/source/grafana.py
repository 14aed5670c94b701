"""Grafana's JSON of panels, as Grafana 9.3 (schemaVersion 37) reads it. Knows nothing about what is shown.

A panel is built by one of `timeseries`, `stat`, `table`, `bars` and `states`. Each of them demands a title, a description, queries
and a unit, so that none can be forgotten; layout.py gives panels their place, dashboard.py their numbers.
"""

import dataclasses
import string

DATASOURCE = {"type": "prometheus", "uid": "${datasource}"}
PLUGIN_VERSION = "9.3.0"
COLUMNS = 24


@dataclasses.dataclass(frozen=True)
class Query:
    """One expression. `legend` is Grafana's legend format; `instant` asks for the newest value only."""
    expr: str
    legend: str = ""
    instant: bool = False


@dataclasses.dataclass(frozen=True)
class Link:
    """Of a panel (an icon on its title) or of its values (`data=True`: a click on one)."""
    title: str
    url: str
    data: bool = False
    new_tab: bool = False

    def json(self):
        return {"title": self.title, "url": self.url, "targetBlank": self.new_tab}


@dataclasses.dataclass(frozen=True)
class Thresholds:
    """Colours by value: `steps` are (from value, colour), the first from None, which is minus infinity. `line` draws them."""
    steps: tuple
    line: bool = False

    def json(self):
        return {"mode": "absolute", "steps": [{"color": color, "value": value} for value, color in self.steps]}


NEUTRAL = Thresholds(((None, "blue"),))


@dataclasses.dataclass
class Panel:
    type: str
    title: str
    description: str
    width: int
    height: int
    queries: list
    field_config: dict
    options: dict
    links: list
    transformations: list = dataclasses.field(default_factory=list)
    table: bool = False

    def json(self, number, x, y):
        out = {
            "id": number,
            "type": self.type,
            "title": self.title,
            "description": self.description,
            "gridPos": {"h": self.height, "w": self.width, "x": x, "y": y},
            "datasource": DATASOURCE,
            "targets": [self._target(name, query) for name, query in zip(string.ascii_uppercase, self.queries, strict=False)],
            "fieldConfig": self.field_config,
            "options": self.options,
            "pluginVersion": PLUGIN_VERSION,
        }
        if len(self.queries) > len(string.ascii_uppercase):
            raise ValueError(f"{self.title}: too many queries")
        links = [link.json() for link in self.links if not link.data]
        if links:
            out["links"] = links
        if self.transformations:
            out["transformations"] = self.transformations
        return out

    def _target(self, name, query):
        instant = query.instant or self.table
        out = {"refId": name, "datasource": DATASOURCE, "editorMode": "code", "expr": query.expr,
               "format": "table" if self.table else "time_series", "instant": instant, "range": not instant}
        if query.legend:
            out["legendFormat"] = query.legend
        return out


@dataclasses.dataclass(frozen=True)
class Row:
    """A heading; panels follow until the next one."""
    title: str

    def json(self, number, y):
        return {"id": number, "type": "row", "title": self.title, "collapsed": False, "panels": [],
                "gridPos": {"h": 1, "w": COLUMNS, "x": 0, "y": y}}


def _defaults(unit, thresholds, links, minimum, maximum, decimals, absent, mappings, color):
    out = {"unit": unit, "color": color, "thresholds": thresholds.json(), "mappings": list(mappings)}
    for key, value in (("min", minimum), ("max", maximum), ("decimals", decimals), ("noValue", absent)):
        if value is not None:
            out[key] = value
    data_links = [link.json() for link in links if link.data]
    if data_links:
        out["links"] = data_links
    return out


def _by_name(pattern, *properties):
    return {"matcher": {"id": "byRegexp", "options": pattern},
            "properties": [{"id": name, "value": value} for name, value in properties]}


def _dashed(pattern, *properties):
    return _by_name(pattern, *properties, ("custom.fillOpacity", 0), ("custom.lineWidth", 1),
                    ("custom.lineStyle", {"fill": "dash", "dash": [10, 6]}), ("custom.stacking", {"mode": "none", "group": "A"}))


def reference_line(pattern, color="red"):
    """Series whose legend matches `pattern` are drawn as a dashed line to compare with."""
    return _dashed(pattern, ("color", {"mode": "fixed", "fixedColor": color}))


def guess_line(pattern):
    """Series whose legend matches `pattern` are dashed, each in a colour of its own: guesses, not limits."""
    return _dashed(pattern)


def on_right_axis(pattern, unit):
    return _by_name(pattern, ("unit", unit), ("custom.axisPlacement", "right"), ("custom.fillOpacity", 0))


def in_color(pattern, color):
    return _by_name(pattern, ("color", {"mode": "fixed", "fixedColor": color}))


def value_texts(texts):
    """{1: ("up", "green")}: what to show instead of a number."""
    return [{"type": "value", "options": {str(value): {"text": text, "color": color, "index": i}
                                          for i, (value, (text, color)) in enumerate(texts.items())}}]


def _instead(match, text, index, color="text"):
    """Says `text` in place of what there is not, in the colour of text: it is neither good nor bad."""
    return {"type": "special", "options": {"match": match, "result": {"text": text, "color": color, "index": index}}}


def _nothing(text, color="text"):
    # Only where all values are numbers: to Grafana a text is "nan".
    return _instead("null+nan", text, 90, color)


def timeseries(title, description, queries, unit, *, width=8, height=8, thresholds=None, minimum=0, maximum=None, stack=False,
               links=(), overrides=(), decimals=None, absent=None, mappings=()):
    """The axis reaches to `maximum`, and further where values do: what is over a hard end would not be drawn."""
    fill = 30 if stack else 8
    custom = {
        "drawStyle": "line", "lineInterpolation": "linear", "lineWidth": 1, "fillOpacity": fill, "gradientMode": "none",
        "showPoints": "never", "pointSize": 5, "spanNulls": False, "axisPlacement": "auto", "axisLabel": "",
        "scaleDistribution": {"type": "linear"}, "hideFrom": {"legend": False, "tooltip": False, "viz": False},
        "stacking": {"mode": "normal" if stack else "none", "group": "A"},
        "thresholdsStyle": {"mode": "dashed" if thresholds is not None and thresholds.line else "off"},
    }
    if maximum is not None:
        custom["axisSoftMax"] = maximum
    elif thresholds is not None and thresholds.line:
        # Else the limit is off the picture, or at the bottom of one that reaches to 100, while all is well.
        custom["axisSoftMax"] = round(1.25 * thresholds.steps[-1][0], 6)
    elif unit == "short" and minimum == 0:
        custom["axisSoftMax"] = 1  # a count that is 0 all the time is drawn from 0 to 1, not to 100
    defaults = _defaults(unit, thresholds or NEUTRAL, links, minimum, None, decimals, absent, mappings,
                         {"mode": "palette-classic"})
    defaults["custom"] = custom
    options = {"legend": {"showLegend": True, "displayMode": "list", "placement": "bottom", "calcs": []},
               "tooltip": {"mode": "multi", "sort": "desc"}}
    return Panel("timeseries", title, description, width, height, list(queries),
                 {"defaults": defaults, "overrides": list(overrides)}, options, list(links))


def stat(title, description, queries, unit, *, width=4, height=4, thresholds=NEUTRAL, links=(), decimals=None, absent=None,
         mappings=(), names=False, graph=True, reducer="lastNotNull"):
    """`names` shows each series with its legend; `graph` draws its course behind the value. `absent` is written as large as
    it fits: keep it short."""
    queries = list(queries)
    # With names the colour is that of the tile.
    mappings = [*mappings, *([_nothing(absent, "panel-bg" if names else "text")] if absent else [])]
    options = {"reduceOptions": {"values": False, "calcs": [reducer], "fields": ""}, "orientation": "auto",
               "textMode": "value_and_name" if names else "value",
               # A name stands at the left end of its tile and the value at the right: the tile must be seen.
               "colorMode": "background" if names else "value",
               "graphMode": "area" if graph and not all(q.instant for q in queries) else "none", "justifyMode": "auto"}
    defaults = _defaults(unit, thresholds, links, None, None, decimals, absent, mappings, {"mode": "thresholds"})
    return Panel("stat", title, description, width, height, queries, {"defaults": defaults, "overrides": []}, options,
                 list(links))


def bars(title, description, queries, unit, *, width=8, height=8, thresholds=NEUTRAL, minimum=0, maximum=None, links=(),
         decimals=None, absent=None):
    """One horizontal bar for each series, of its newest value."""
    options = {"reduceOptions": {"values": False, "calcs": ["lastNotNull"], "fields": ""}, "orientation": "horizontal",
               "displayMode": "basic", "showUnfilled": True, "minVizWidth": 0, "minVizHeight": 10}
    defaults = _defaults(unit, thresholds, links, minimum, maximum, decimals, absent, [_nothing(absent)] if absent else (),
                         {"mode": "thresholds"})
    return Panel("bargauge", title, description, width, height, list(queries), {"defaults": defaults, "overrides": []},
                 options, list(links))


def states(title, description, queries, texts, *, width=12, height=8, links=(), absent=None):
    """The course of values that stand for states; `texts` as for value_texts."""
    defaults = _defaults("short", Thresholds(((None, "text"),)), links, None, None, None, absent, value_texts(texts),
                         {"mode": "thresholds"})
    defaults["custom"] = {"lineWidth": 0, "fillOpacity": 70}
    options = {"mergeValues": True, "showValue": "auto", "alignValue": "left", "rowHeight": 0.85,
               "legend": {"showLegend": False, "displayMode": "list", "placement": "bottom", "calcs": []},
               "tooltip": {"mode": "single", "sort": "none"}}
    return Panel("state-timeline", title, description, width, height, list(queries),
                 {"defaults": defaults, "overrides": []}, options, list(links))


def _cells(heading, properties):
    return {"matcher": {"id": "byName", "options": heading}, "properties": properties}


@dataclasses.dataclass(frozen=True)
class Column:
    """A column of a table that comes from a query of its own."""
    title: str
    expr: str
    unit: str
    thresholds: Thresholds = None
    decimals: int = None
    mappings: tuple = ()


EMPTY_CELL = [_instead("null", "–", 91), _instead("empty", "–", 92)]
EMPTY_NUMBER = [_nothing("–")]
# Pixels. Grafana gives a column 150, and what then does not fit is behind the right edge; columns share what is left over.
_VALUE_WIDTHS = {"short": 64, "percentunit": 64, "dateTimeFromNow": 136}


def _value_width(unit):
    return 44 + round(8.5 * len(unit.removeprefix("count:"))) if unit.startswith("count:") else _VALUE_WIDTHS.get(unit, 84)


def _heading_width(heading, sort):
    return 22 + round(8.6 * len(heading)) + (18 if heading == sort else 0)  # the sorted one has an arrow


def table(title, description, labels, columns, *, width=24, height=8, links=(), absent=None, sort=None, smallest_first=False,
          hide=(), cell_links=None, cell_texts=None, wide=None, values_after=None):
    """One line for each set of `labels` ({label: heading}, in this order), with a column for each query of `columns`.

    Each expression must keep exactly these labels (those that exist) and no name, so that lines join. Labels and values of
    `hide` are needed to join but not shown. `sort` is a column's title: largest first. `cell_links` ({heading: Link}) makes
    cells of a column clickable, `cell_texts` ({heading: texts as for value_texts}) gives them texts and colours. `wide`
    ({heading: pixels}) is for labels with long values. Values come after the labels, or after the label `values_after`.
    """
    overrides = []
    rename = {}
    # With one query Grafana calls the column "Value", with several "Value #A" ...
    values = {"Value" if len(columns) == 1 else f"Value #{letter}": column.title
              for letter, column in zip(string.ascii_uppercase, columns, strict=False)}
    for label, heading in labels.items():
        rename[label] = heading
        if label == values_after:
            rename |= values
    rename |= values
    for label, heading in labels.items():
        if label not in hide:
            overrides.append(_cells(heading, [{"id": "custom.minWidth", "value": max((wide or {}).get(heading, 84), _heading_width(heading, sort))}]))
    for name, column in zip(values, columns, strict=True):
        if name in hide:
            continue
        properties = [{"id": "unit", "value": column.unit}, {"id": "custom.minWidth",
                       "value": max(_value_width(column.unit), _heading_width(column.title, sort))}]
        if column.decimals is not None:
            properties.append({"id": "decimals", "value": column.decimals})
        if column.thresholds is not None:
            properties.append({"id": "thresholds", "value": column.thresholds.json()})
            properties.append({"id": "color", "value": {"mode": "thresholds"}})
            properties.append({"id": "custom.displayMode", "value": "color-text"})
        properties.append({"id": "mappings", "value": [*column.mappings, *EMPTY_NUMBER]})
        if column.mappings:
            properties.append({"id": "custom.displayMode", "value": "color-text"})
        overrides.append(_cells(column.title, properties))
    for heading, link in (cell_links or {}).items():
        overrides.append(_cells(heading, [{"id": "links", "value": [link.json()]}]))
    for heading, texts in (cell_texts or {}).items():
        overrides.append(_cells(heading, [{"id": "mappings", "value": [*value_texts(texts), *EMPTY_CELL]},
                                          {"id": "custom.displayMode", "value": "color-text"}]))
    order = {name: i for i, name in enumerate(rename)}
    exclude = {"Time": True, **{name: True for name in hide}}
    transformations = [
        {"id": "merge", "options": {}},
        {"id": "organize", "options": {"excludeByName": exclude, "indexByName": order, "renameByName": rename}},
    ]
    # `absent` is for a table without lines; in a cell it would be said of what is known.
    defaults = _defaults("short", NEUTRAL, links, None, None, None, absent, EMPTY_CELL, {"mode": "thresholds"})
    defaults["custom"] = {"align": "auto", "displayMode": "auto", "filterable": False, "inspect": False}
    options = {"showHeader": True, "sortBy": [{"displayName": sort, "desc": not smallest_first}] if sort else []}
    return Panel("table", title, description, width, height, [Query(column.expr) for column in columns],
                 {"defaults": defaults, "overrides": overrides}, options, list(links), transformations, table=True)

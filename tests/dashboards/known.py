"""What dashboards may name: metrics of docs/metrics.md, recorded series and alerts of alerts/*.rules.yaml."""

import dataclasses
import pathlib
import re

import yaml

TOP = pathlib.Path(__file__).resolve().parents[2]
DASHBOARDS = TOP / "dashboards"
RULES = sorted((TOP / "alerts").glob("*.rules.yaml"))
REFERENCE = TOP / "docs" / "metrics.md"
# Metrics that do not stand in the reference because a configuration names them, in the same form.
CONFIGURED = pathlib.Path(__file__).with_name("configured_metrics.md")
# Made by Prometheus itself and by kube-state-metrics.
FOREIGN = {"ALERTS", "ALERTS_FOR_STATE", "up", "kube_replicaset_created", "kube_pod_container_info", "kube_pod_init_container_info",
           "kube_pod_status_phase"}

_LINE = re.compile(r"^\| `(\w+)` \| (counter|gauge|histogram) \| [^|]* \| ([^|]*) \|", re.MULTILINE)
_NAME = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*(?!\w)(?!\s*\()")
_GROUPING = re.compile(r"\b(?:by|without|on|ignoring|group_left|group_right)\s*\([^)]*\)")
_WORDS = {"and", "or", "unless", "offset", "bool", "by", "without", "on", "ignoring", "group_left", "group_right", "inf", "nan",
          "Inf", "NaN", "start", "end"}


@dataclasses.dataclass(frozen=True)
class Metric:
    name: str
    type: str
    labels: dict  # {label: (values,) or () when they are free}

    @property
    def series(self):
        if self.type == "histogram":
            return {f"{self.name}_{part}" for part in ("bucket", "sum", "count")}
        return {self.name}


def _labels(cell):
    out = {}
    for part in cell.split(";"):
        name, _, values = part.partition(":")
        if name.strip() not in ("", "-"):
            out[name.strip()] = tuple(v.strip() for v in values.split(",") if v.strip())
    return out


def metrics_of(path):
    """{name: Metric} of the tables in a Markdown file."""
    return {name: Metric(name, kind, _labels(labels)) for name, kind, labels in _LINE.findall(path.read_text(encoding="utf-8"))}


def all_metrics():
    return {**metrics_of(CONFIGURED), **metrics_of(REFERENCE)}


def rules():
    """Every rule of alerts/*.rules.yaml, in order."""
    return [rule for path in RULES for group in yaml.safe_load(path.read_text(encoding="utf-8"))["groups"]
            for rule in group["rules"]]


def recorded():
    """{recorded series: expression}"""
    return {rule["record"]: rule["expr"] for rule in rules() if "record" in rule}


def alerts():
    """{alert: [expression of each rule of that name]}"""
    out = {}
    for rule in rules():
        if "alert" in rule:
            out.setdefault(rule["alert"], []).append(rule["expr"])
    return out


def names_in(expression):
    """The names of series that an expression reads."""
    bare = re.sub(r'"(?:[^"\\]|\\.)*"|\'(?:[^\'\\]|\\.)*\'', '""', expression)
    for pattern in (r"\$\w+", r"\{[^}]*\}", r"\[[^\]]*\]", r"\boffset\s+\S+"):
        bare = re.sub(pattern, " ", bare)
    bare = _GROUPING.sub(" ", bare)
    return {name for name in _NAME.findall(bare) if name not in _WORDS}


def behind(names):
    """The series that are not recorded, behind these ones: recorded ones are followed to what they read."""
    expressions = recorded()
    seen, left = set(), set(names)
    while left:
        name = left.pop()
        if name not in seen:
            seen.add(name)
            left |= names_in(expressions[name]) if name in expressions else set()
    return seen - set(expressions)

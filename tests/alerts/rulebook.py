"""The rules as data, what every rule must have, and promtool.

`complaints(...)` are plain functions of parsed rules, so that the tests can hand them broken rules and see that they complain.
"""

import copy
import functools
import pathlib
import re
import subprocess

import yaml

TOP = pathlib.Path(__file__).resolve().parents[2]
ALERTS = TOP / "alerts"
TESTS = pathlib.Path(__file__).resolve().parent / "rules"
RUNBOOKS = TOP / "docs" / "runbooks"

SEVERITIES = {"page", "ticket", "none"}
TEAMS = {"mes", "apps", "gateway", "platform"}
AREAS = {"queue", "cache", "database", "apps", "gateway", "logs", "log-store", "sidecar", "capacity", "watchdog"}
DASHBOARDS = {"sidelight-overview", "sidelight-mes-queue", "sidelight-price-cache", "sidelight-log-pipeline", "sidelight-mes-database",
              "sidelight-gateway", "sidelight-capacity", "sidelight-sidecar"}
ANNOTATIONS = {"summary", "summary_ru", "description", "value", "runbook_url", "dashboard_url"}
# Where the links lead until an installation puts its own addresses there (docs/alerting.md).
RUNBOOK_BASE = "https://sidelight.example/docs/runbooks/"
DASHBOARD_BASE = "https://grafana.example/d/"

# Metrics that are not Sidelight's, and those that the configuration names (collectors.http_json in docs/alerting.md).
FOREIGN = {"up", "kube_pod_init_container_info", "kube_pod_container_info", "kube_pod_status_phase",
           "mes_workers", "mes_workers_busy", "mes_calculations_in_progress", "mes_orders_total",
           "ALERTS"}


def rule_files():
    return sorted(ALERTS.glob("*.rules.yaml"))


@functools.cache
def _parsed(path):
    return yaml.load(path.read_text(), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))


def load():
    """{path: parsed file}, a copy that may be changed"""
    return {path: copy.deepcopy(_parsed(path)) for path in rule_files()}


def rules(books=None):
    """[(path, group name, rule)]"""
    return [(path, group["name"], rule) for path, book in (books or load()).items() for group in book["groups"] for rule in group["rules"]]


def alerts(books=None):
    return [(path, rule) for path, _, rule in rules(books) if "alert" in rule]


def records(books=None):
    return [(path, rule) for path, _, rule in rules(books) if "record" in rule]


def promtool(*arguments, cwd=None, timeout=300):
    done = subprocess.run(["promtool", *map(str, arguments)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd=cwd,
                          timeout=timeout)
    return done.returncode, done.stdout


def run_tests(folder, books, groups, header):
    """promtool test rules with these rules and these groups of tests; (passed, what it said)."""
    for path, book in books.items():
        (folder / path.name).write_text(yaml.safe_dump(book, sort_keys=False, allow_unicode=True))
    test = dict(header, rule_files=[path.name for path in books], tests=groups)
    (folder / "made.test.yaml").write_text(yaml.safe_dump(test, sort_keys=False))
    status, said = promtool("test", "rules", "made.test.yaml", cwd=folder)
    return status == 0, said


def test_files():
    """{path: parsed file} of tests/alerts/rules, not to be changed"""
    return {path: _parsed(path) for path in sorted(TESTS.glob("*.test.yaml"))}


def books_of(test):
    """The parsed rules that a test file names."""
    return {path: copy.deepcopy(_parsed(path)) for path in ((TESTS / name).resolve() for name in test["rule_files"])}


def header_of(test):
    return {key: copy.deepcopy(test[key]) for key in ("evaluation_interval", "group_eval_order") if key in test}


# ---- expressions

_KEYWORDS = {"and", "or", "unless", "by", "without", "on", "ignoring", "group_left", "group_right", "offset", "bool", "inf", "nan"}


def names_in(expression):
    """The metrics and recorded series that an expression reads."""
    bare = re.sub(r"\{[^}]*\}|\[[^\]]*\]|\"[^\"]*\"", " ", expression)
    bare = re.sub(r"\b(by|without|on|ignoring|group_left|group_right)\s*\([^)]*\)", " ", bare)
    found = re.finditer(r"(?<![\w:.])([a-zA-Z_:][\w:]*)(?!\s*\()(?![\w:])", re.sub(r"\boffset\s+\w+", " ", bare))
    return {m.group(1) for m in found} - _KEYWORDS


def seconds(duration):
    units = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
    return sum(int(n) * units[u] for n, u in re.findall(r"(\d+)([smhdw])", str(duration)))


def metrics_documented():
    text = (TOP / "docs" / "metrics.md").read_text()
    names = set(re.findall(r"^\| `([a-zA-Z_:][\w:]*)` \|", text, re.M))
    return names | {n + suffix for n in names for suffix in ("_bucket", "_sum", "_count")}


def labels_documented():
    """{metric: its labels}, from docs/metrics.md"""
    text = (TOP / "docs" / "metrics.md").read_text()
    rows = re.findall(r"^\| `([\w:]+)` \| (\w+) \| [^|]* \| ([^|]*) \|", text, re.M)
    out = {}
    for name, kind, labels in rows:
        found = set() if labels.strip() == "-" else {label.split(":")[0].strip(" `") for label in labels.split(";")}
        for suffix in ("", "_bucket", "_sum", "_count") if kind == "histogram" else ("",):
            out[name + suffix] = found | ({"le"} if suffix == "_bucket" else set())
    return out


# Put there by the scrape configuration.
SCRAPED = {"cluster", "namespace", "pod", "instance", "job", "output"}


# ---- what every rule must have

def complaints(books):
    out = []
    recorded = {rule["record"] for _, rule in records(books)}
    for path, group, rule in rules(books):
        out += [f"{path.name}: {rule.get('alert') or rule.get('record')}: {what}" for what in _expression_complaints(rule, recorded)]
    for path, rule in alerts(books):
        out += [f"{path.name}: {rule['alert']}: {what}" for what in _alert_complaints(rule)]
    for path, book in books.items():
        for group in book["groups"]:
            # An instant is looked for in the last five minutes: one evaluation that is missed must not make a gap.
            if 2 * seconds(group.get("interval", "1m")) >= 300:
                out.append(f"{path.name}: {group['name']}: an evaluation that is missed makes a gap")
    for path, rule in records(books):
        if not re.fullmatch(r"(mes|app|gateway|log_store|log_relay|sidelight):[a-z0-9_]+:[a-z0-9_]+", rule["record"]):
            out.append(f"{path.name}: {rule['record']}: not level:metric:operation")
    return out


def _expression_complaints(rule, recorded):
    expression = rule["expr"]
    for window in re.findall(r"\[(\w+)\]", expression):
        if seconds(window) < 120:
            yield f"[{window}] is less than four times a scrape interval of 30 s"
    # A divisor is a constant, or something that is more than 0.
    for m in re.finditer(r"/\s*(\S.*)", expression):
        if not re.match(r"\(.* > 0\)|\d", m.group(1)) and not m.group(1).startswith("(\n") and "instances:count" not in m.group(1):
            yield f"divides by {m.group(1)[:60]}, which may be 0"
    if "absent" in expression:
        yield "absent() does not know which there should be"
    for name in names_in(expression):
        if ":" in name and name not in recorded:
            yield f"reads {name}, which is not recorded"


def _alert_complaints(rule):
    labels, notes = rule.get("labels", {}), rule.get("annotations", {})
    for label, allowed in (("severity", SEVERITIES), ("team", TEAMS), ("area", AREAS)):
        if labels.get(label) not in allowed:
            yield f"label {label}: {labels.get(label)}"
    if set(labels) - {"severity", "team", "area", "window"}:
        yield f"labels {sorted(labels)}"
    if any("$value" in str(v) for v in labels.values()):
        yield "a value in a label makes each value an alert of its own"
    for missing in sorted(ANNOTATIONS - set(notes)):
        yield f"no annotation {missing}"
    for key in ("summary", "summary_ru"):
        if "$value" in notes.get(key, ""):
            yield f"{key} has a value in it, so that a group has no common one"
    if not re.search("[а-я]", notes.get("summary_ru", "")):
        yield "summary_ru is not Russian"
    if "$value" not in notes.get("value", ""):
        yield "value has no value"
    if notes.get("runbook_url") != f"{RUNBOOK_BASE}{rule['alert']}.md":
        yield f"runbook_url {notes.get('runbook_url')}"
    dashboard = re.match(re.escape(DASHBOARD_BASE) + r"([\w-]+)\?orgId=1", notes.get("dashboard_url", ""))
    if not dashboard or dashboard.group(1) not in DASHBOARDS:
        yield f"dashboard_url {notes.get('dashboard_url')}"
    if labels.get("severity") == "page" and not rule.get("keep_firing_for") and rule["alert"] != "TargetUnwatched":
        yield "a page without keep_firing_for"
    if labels.get("severity") == "page" and not rule.get("for"):
        yield "a page without for"

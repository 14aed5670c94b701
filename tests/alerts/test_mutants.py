"""Rules broken on purpose: a guard dropped, a comparison turned round, a label or a waiting time taken away. Each must fail a test."""

import copy
import re

import pytest
import rulebook

COMPARISON = re.compile(r"(?<![<>=!~\"])(>=|<=|==|>|<)(?![=~])")
TURNED = {">": "<", "<": ">", "==": "!=", ">=": "<", "<=": ">"}


def _outside_braces(expression, pattern):
    spans = [m.span() for m in re.finditer(r"\{[^}]*\}", expression)]
    return [m for m in pattern.finditer(expression) if not any(a <= m.start() < b for a, b in spans)]


def _mutants_of(rule):
    """[(what was done, mutant)]; no two alike."""
    expression = rule["expr"]
    out = []

    def mutant(what, **changes):
        made = copy.deepcopy(rule)
        for key, value in changes.items():
            if value is None:
                made.pop(key)
            else:
                made[key] = value
        out.append((what, made))

    for i, m in enumerate(_outside_braces(expression, COMPARISON)):
        # `> 0` inside of a division is a guard of its own: it goes, rather than turns.
        turned = expression[:m.start()] + TURNED[m.group(0)] + expression[m.end():]
        mutant(f"comparison {i + 1} turned round", expr=turned)
        guard = re.match(r"> 0\)", expression[m.start():])
        if guard:
            mutant(f"guard {i + 1} dropped", expr=expression[:m.start()].rstrip() + ")" + expression[m.start() + len(guard.group(0)):])
    lines = expression.rstrip("\n").split("\n")
    for i, line in enumerate(lines):
        if re.match(r"(and|unless) ", line):
            mutant(f"without `{line}`", expr="\n".join(lines[:i] + lines[i + 1:]))
    for key in ("for", "keep_firing_for"):
        if key in rule:
            mutant(f"without {key}", **{key: None})
    for m in re.finditer(r"\bby \(([^)]*)\)", expression):
        labels = [label.strip() for label in m.group(1).split(",")]
        for label in sorted(set(labels) & _labels_told(rule["alert"])):
            rest = ", ".join(x for x in labels if x != label)
            mutant(f"{label} not kept, at {m.start()}", expr=f"{expression[:m.start()]}by ({rest}){expression[m.end():]}")
    for m in re.finditer(r"(?<=[<>] )\d+(\.\d+)?\b(?!\.| \*|\))", expression):
        number = float(m.group(0))
        mutant(f"{m.group(0)} a hundred times larger", expr=expression[:m.start()] + f"{number * 100 + 50:g}" + expression[m.end():])
        if number:
            mutant(f"{m.group(0)} a hundredth", expr=expression[:m.start()] + f"{number / 100:g}" + expression[m.end():])
    return out


def _labels_told(alert):
    """Labels that the alert has in the scenarios, apart from those that its rule adds."""
    told = set()
    for _, groups in _groups_about(alert):
        for group in groups:
            for check in group["promql_expr_test"]:
                for sample in check["exp_samples"]:
                    if f'alertname="{alert}"' in sample["labels"]:
                        told |= set(re.findall(r'(\w+)="', sample["labels"]))
    return told - {"alertname", "alertstate", "severity", "team", "area", "window"}


def _groups_about(alert):
    """[(test file, its groups that ask for this alert)]"""
    out = []
    for test in rulebook.test_files().values():
        groups = [g for g in test["tests"] if any(f'"{alert}"' in c["expr"] for c in g["promql_expr_test"])]
        if groups:
            out.append((test, groups))
    return out


MUTANTS = [(path, rule, what, mutant) for path, rule in rulebook.alerts() if rule["alert"] != "Watchdog"
           for what, mutant in _mutants_of(rule)]


@pytest.mark.parametrize("path, rule, what, mutant", MUTANTS,
                         ids=[f"{rule['alert']}{rule['labels'].get('window', '')}-{what[:60]}" for _, rule, what, _ in MUTANTS])
def test_broken_alert_is_caught(tmp_path, path, rule, what, mutant):
    caught = False
    for test, groups in _groups_about(rule["alert"]):
        books = rulebook.books_of(test)
        if path not in books:
            continue
        for book in books.values():
            for group in book["groups"]:
                # The rule itself is replaced, other alerts only cost time.
                group["rules"] = [mutant if r == rule else r for r in group["rules"] if "record" in r or r == rule]
            book["groups"] = [g for g in book["groups"] if g["rules"]]
        header = rulebook.header_of(test)
        if "group_eval_order" in header:
            there = {g["name"] for book in books.values() for g in book["groups"]}
            header["group_eval_order"] = [g for g in header["group_eval_order"] if g in there]
        window = rule["labels"].get("window")
        groups = [dict(g, promql_expr_test=[c for c in g["promql_expr_test"] if f'"{rule["alert"]}"' in c["expr"]
                                            and (window is None or f'window="{window}"' in c["expr"])]) for g in groups]
        groups = [g for g in groups if g["promql_expr_test"]]
        if not groups:
            continue
        passed, said = rulebook.run_tests(tmp_path, books, groups, header)
        assert passed or "exp:" in said or "err:" in said, said
        caught = caught or not passed
        if caught:
            break
    assert caught, f"no test notices {rule['alert']} {what}"


def _break(what):
    books = rulebook.load()
    alert = next(rule for _, rule in rulebook.alerts(books) if rule["alert"] == "MesQueueDrainTooLong")
    record = next(rule for _, rule in rulebook.records(books) if rule["record"] == "mes:queue_acked:rate5m")
    ratio = next(rule for _, rule in rulebook.records(books) if rule["record"] == "mes:cache_hit_ratio:rate5m")
    what(alert, record, ratio)
    for book in books.values():
        for group in book["groups"]:
            group.update({"interval": rule.pop("interval") for rule in group["rules"] if "interval" in rule})
    return books


BROKEN = {
    "no severity": lambda a, r, q: a["labels"].pop("severity"),
    "a severity that is routed nowhere": lambda a, r, q: a["labels"].update(severity="critical"),
    "no team": lambda a, r, q: a["labels"].pop("team"),
    "a team that does not exist": lambda a, r, q: a["labels"].update(team="nobody"),
    "no area": lambda a, r, q: a["labels"].pop("area"),
    "a value in a label": lambda a, r, q: a["labels"].update(window="{{ $value }}"),
    "a value in the summary": lambda a, r, q: a["annotations"].update(summary="{{ $value }} messages"),
    "another alert's runbook": lambda a, r, q: a["annotations"].update(runbook_url=rulebook.RUNBOOK_BASE + "Other.md"),
    "a dashboard that does not exist": lambda a, r, q: a["annotations"].update(dashboard_url=rulebook.DASHBOARD_BASE + "other?orgId=1"),
    "a page that resolves when data goes missing": lambda a, r, q: a.pop("keep_firing_for"),
    "a rate over one minute": lambda a, r, q: r.update(expr=r["expr"].replace("5m", "1m")),
    "a group that is evaluated every five minutes": lambda a, r, q: r.update(interval="5m"),
    "a recorded name without an operation": lambda a, r, q: r.update(record="mes:queue_acked"),
    "a division by what may be 0": lambda a, r, q: q.update(expr=q["expr"].replace(" > 0", "")),
    "a series that nobody records": lambda a, r, q: a.update(expr=a["expr"].replace("mes:queue_drain_seconds:max", "mes:queue_drain:max")),
    "absent()": lambda a, r, q: a.update(expr="absent(mes_queue_depth)"),
    **{f"no {key}": lambda a, r, q, key=key: a["annotations"].pop(key) for key in sorted(rulebook.ANNOTATIONS)},
}


@pytest.mark.parametrize("what", BROKEN)
def test_broken_form_is_caught(what):
    assert rulebook.complaints(rulebook.load()) == []
    assert rulebook.complaints(_break(BROKEN[what])) != []

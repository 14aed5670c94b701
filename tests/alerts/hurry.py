"""The rules with all of their durations divided, so that a test of minutes takes seconds: what they say stays as it is."""

import re

import rulebook


def _scaled(duration, by):
    return f"{max(2, round(rulebook.seconds(duration) / by))}s"


def rules(by):
    """{path: parsed rules}: ranges, offsets, `for` and `keep_firing_for` divided by `by`, at least two seconds; evaluated every second."""
    books = rulebook.load()
    for book in books.values():
        for group in book["groups"]:
            group.pop("interval", None)
            for rule in group["rules"]:
                rule["expr"] = re.sub(r"\[(\w+)( offset \w+)?\]", lambda m: f"[{_scaled(m.group(1), by)}]", rule["expr"])
                # Slices of a range, each weighed with its length; and the age of a process.
                rule["expr"] = re.sub(r"\[(\w+):(\w+)\]\) \* \d+", lambda m: f"[{_scaled(m.group(1), by)}:{_scaled(m.group(2), by)}]) * "
                                      f"{_scaled(m.group(2), by)[:-1]}", rule["expr"])
                rule["expr"] = re.sub(r"(time\(\) - \w+ < )(\d+)", lambda m: m.group(1) + _scaled(f"{m.group(2)}s", by)[:-1], rule["expr"])
                rule["expr"] = re.sub(r"offset (\w+)", lambda m: f"offset {_scaled(m.group(1), by)}", rule["expr"])
                for key in ("for", "keep_firing_for"):
                    if key in rule:
                        rule[key] = _scaled(rule[key], by)
    return books

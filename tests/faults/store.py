"""What a fake Elasticsearch keeps: indices, data streams, templates, document ids, and how often each numbered line is there.

Lines are made by writer.py and carry their number twice, so that a torn line does not match:
    n=000000123 run=RUN ... end=000000123
"""

import re
import threading

NUMBER = re.compile(rb"n=(\d{9}) run=(\w+) [^\"\n]*? ?end=\1(?!\d)")
STAMP = re.compile(rb" t=(\d{19}) ")
BACKING_SUFFIX = "-2026.11.22-000001"


class Store:
    """Thread-safe: callers hold `lock` around every method."""

    def __init__(self):
        self.lock = threading.Lock()
        self.reset()

    def reset(self):
        self.ids = set()
        self.counts = bytearray()  # by line number: under how many ids it is stored, capped at 255
        self.refused = {}  # line number -> how many times it was refused for good
        self.runs = {}
        self.templates = {}
        self.indices = set()
        self.streams = set()
        self.stored = 0
        self.conflicts = 0
        self.unnumbered = 0
        self.unnumbered_samples = []
        self.latencies = []
        self.sequence = 0

    # -- indices ---------------------------------------------------------------------------------------------------------------

    def put_template(self, name, body):
        self.templates[name] = body

    def _stream_template(self, name):
        for template in self.templates.values():
            if "data_stream" not in template:
                continue
            for pattern in template.get("index_patterns", []):
                if re.fullmatch(re.escape(pattern).replace(r"\*", ".*"), name):
                    return True
        return False

    def ensure_index(self, name):
        """Creates what a write to `name` creates; returns the concrete index that documents go to."""
        if name in self.streams:
            return f".ds-{name}{BACKING_SUFFIX}"
        if name in self.indices:
            return name
        if self._stream_template(name):
            self.streams.add(name)
            return f".ds-{name}{BACKING_SUFFIX}"
        self.indices.add(name)
        return name

    def describe(self, name):
        """The answer to GET /NAME, or None."""
        if name in self.streams:
            return {f".ds-{name}{BACKING_SUFFIX}": {"aliases": {}, "mappings": {}, "settings": {"index": {"uuid": "rXHrRnyGQyGD2WyF0Dsyeg"}},
                                                    "data_stream": name}}
        if name in self.indices:
            return {name: {"aliases": {}, "mappings": {}, "settings": {"index": {"uuid": "rXHrRnyGQyGD2WyF0Dsyeg"}}}}
        return None

    # -- documents -------------------------------------------------------------------------------------------------------------

    def number_of(self, document):
        """The number of the line in a document, or -1."""
        match = NUMBER.search(document)
        return int(match.group(1)) if match else -1

    def create(self, index, doc_id, number, document):
        """True when stored, False when `doc_id` is there already."""
        key = index + b"/" + doc_id
        if key in self.ids:
            self.conflicts += 1
            return False
        self.ids.add(key)
        self.stored += 1
        if number < 0:
            self.unnumbered += 1
            if len(self.unnumbered_samples) < 5:
                self.unnumbered_samples.append(document[:400].decode("utf-8", "replace"))
            return True
        if number >= len(self.counts):
            self.counts.extend(bytes(max(65536, number + 1 - len(self.counts))))
        if self.counts[number] < 255:
            self.counts[number] += 1
        return True

    def refuse(self, number):
        self.refused[number] = self.refused.get(number, 0) + 1

    def verdict(self, expected, optional=()):
        """Lost and doubled among the lines 0 .. expected-1; `optional` are [begin, end) ranges that may be missing."""
        spared = set()
        for begin, end in optional:
            spared.update(range(begin, end))
        counts = self.counts[:expected].ljust(expected, b"\0")
        missing = [i for i, c in enumerate(counts) if c == 0] if 0 in counts else []
        lost = [n for n in missing if n not in spared and n not in self.refused]
        doubled = [i for i, c in enumerate(counts) if c > 1]
        return {
            "expected": expected,
            "lost": len(lost),
            "lost_ranges": ranges(lost)[:20],
            "doubled": len(doubled),
            "doubled_ranges": ranges(doubled)[:20],
            "refused": len(self.refused),
            "spared": sum(1 for n in missing if n in spared and n not in self.refused),  # optional ones that did not come
            "stored": self.stored,
            "conflicts": self.conflicts,
            "beyond": sum(1 for c in self.counts[expected:] if c),
            "unnumbered": self.unnumbered,
            "unnumbered_samples": self.unnumbered_samples,
        }


def ranges(numbers):
    """[1,2,3,7] -> [[1,4],[7,8]]"""
    out = []
    for n in numbers:
        if out and out[-1][1] == n:
            out[-1][1] = n + 1
        else:
            out.append([n, n + 1])
    return out

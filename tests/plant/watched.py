"""Sidelight beside a plant, and its metrics as Python sees them."""

import collections
import http.client
import re
import subprocess

from .servers.process import wait_until
from .sidelight_config import known_to

SAMPLE = re.compile(r"([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)$")
LABEL = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')


class Metrics:
    """One scrape."""

    def __init__(self, text):
        self.samples = []  # (name, labels, value)
        for line in text.splitlines():
            match = None if line.startswith("#") else SAMPLE.match(line)
            if match:
                self.samples.append((match.group(1), dict(LABEL.findall(match.group(2) or "")), float(match.group(3))))

    def by(self, name, *keys, **where):
        """Values summed by these labels ("" for a label that is not there); a tuple of one label is that label."""
        out = collections.Counter()
        for sample, labels, value in self.samples:
            if sample == name and all(labels.get(k) == v for k, v in where.items()):
                key = tuple(labels.get(k, "") for k in keys)
                out[key[0] if len(keys) == 1 else key] += value
        return dict(out)

    def value(self, name, **where):
        """The sum of what matches; None when nothing does."""
        return self.by(name, **where).get(())


class Watcher:
    """`sidelight run` with the configuration of a plant:   with Watcher(program, plant, interval="1s") as watcher: ...
    Options are those of `plant.write_config`; the sections are by default all that the program knows."""

    def __init__(self, program, plant, sections=None, **options):
        self._program = program
        self.sections = known_to(program) if sections is None else sections
        self.config = plant.write_config(sections=self.sections, **options)
        self.port = int(re.search(r'"listen": "[^"]*:(\d+)"', self.config.read_text(encoding="utf-8")).group(1))
        self.log = plant.directory / "sidelight.log"
        self.process = None

    def __enter__(self):
        with open(self.log, "ab") as out:
            self.process = subprocess.Popen([self._program, "run", "--config", str(self.config)], stdout=out, stderr=out)
        try:
            wait_until(self._ready, 20, f"sidelight (its log: {self.log})", self.process)
        except BaseException:
            print(self.log.read_text(encoding="utf-8", errors="replace")[-3000:])
            self.stop()
            raise
        return self

    def __exit__(self, *_):
        self.stop()

    def stop(self):
        """SIGTERM; the exit status."""
        if self.process.poll() is None:
            self.process.terminate()
        return self.process.wait(60)

    def _get(self, path):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
        try:
            connection.request("GET", path)
            response = connection.getresponse()
            return response.status, response.read().decode()
        finally:
            connection.close()

    def _ready(self):
        try:
            return self._get("/readyz")[0] == 200
        except OSError:
            return False

    def page(self):
        return self._get("/metrics")[1]

    def metrics(self):
        return Metrics(self.page())

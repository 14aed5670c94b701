"""A Prometheus of our own on a free port: scrapes, evaluates our rules every second, and answers."""

import calendar
import http.server
import json
import os
import pathlib
import re
import shutil
import subprocess
import threading
import time
import urllib.error
import urllib.parse
import urllib.request

import pytest
import yaml

from known import RULES
from ports import free_port


class Pages:
    """Serves pages, each a function of the time, on 127.0.0.1 until closed."""

    def __init__(self, pages):
        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                text = pages.get(self.path)
                body = text(time.time()).encode() if text else b""
                self.send_response(200 if text else 404)
                self.send_header("Content-Type", "text/plain; version=0.0.4")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.2})
        self._thread.start()

    def close(self):
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def _rules_for_a_test(folder, alerts):
    """Our rules as they are, but that none waits minutes for its turn, and no alert for the time that it is to last: when alerts fire is
    tested in tests/alerts. Without `alerts`, only what they record."""
    out = []
    for path in RULES:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
        for group in content["groups"]:
            group.pop("interval", None)
            group["rules"] = [rule for rule in group["rules"] if alerts or "record" in rule]
            for rule in group["rules"]:
                rule.pop("for", None)
        copy = folder / path.name
        copy.write_text(yaml.safe_dump(content, sort_keys=False))
        out.append(str(copy))
    return out


class Prometheus:
    """`jobs` are scrape configurations. `backfill` are lines of OpenMetrics with times, without "# EOF". `alerts`: whether they may fire."""

    def __init__(self, folder, jobs, backfill=(), scrape_interval="3s", alerts=False):
        if not shutil.which("prometheus"):
            pytest.fail("prometheus is not installed: scripts/install-packages check", pytrace=False)
        self.folder = pathlib.Path(folder)
        self._data = self.folder / "data"
        self._data.mkdir(parents=True)
        config = {"global": {"scrape_interval": scrape_interval, "evaluation_interval": scrape_interval},
                  "rule_files": _rules_for_a_test(self.folder, alerts), "scrape_configs": jobs}
        (self.folder / "prometheus.yaml").write_text(yaml.safe_dump(config))
        self.port = free_port()
        self._output = open(self.folder / "output.txt", "wb")
        self._start(backfill)

    def _start(self, backfill):
        if backfill:
            lines = self.folder / "backfill.txt"
            lines.write_text("\n".join([*backfill, "# EOF"]) + "\n")
            self._run("promtool", "tsdb", "create-blocks-from", "openmetrics", str(lines), str(self._data))
            lines.unlink()
        self._process = subprocess.Popen(
            ["prometheus", f"--config.file={self.folder / 'prometheus.yaml'}", f"--storage.tsdb.path={self._data}", f"--web.listen-address=127.0.0.1:{self.port}",
             "--storage.tsdb.retention.time=30d", "--log.level=warn"], stdout=self._output, stderr=subprocess.STDOUT, cwd=self.folder,
            env={**os.environ, "TZ": "UTC"})
        try:
            self.wait(self._ready, 30, "Prometheus to start")
        except BaseException:
            self.close()
            raise

    @staticmethod
    def _run(*command):
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=300)
        if done.returncode != 0:
            raise RuntimeError(f"{' '.join(command[:4])}: {done.stdout[-800:]}")

    def backfill(self, lines):
        """Adds a past to what was scraped: stops, makes blocks, starts again."""
        self._stop()
        self._start(lines)

    def _stop(self):
        self._process.terminate()
        try:
            self._process.wait(20)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def close(self):
        self._stop()
        self._output.close()
        shutil.rmtree(self._data, ignore_errors=True)

    def wait(self, condition, seconds, what):
        deadline = time.monotonic() + seconds
        while not (value := condition()):
            if self._process.poll() is not None:
                raise RuntimeError(f"Prometheus ended: {(self.folder / 'output.txt').read_text()[-800:]}")
            if time.monotonic() > deadline:
                raise TimeoutError(f"waited {seconds} s for {what}")
            time.sleep(0.2)
        return value

    def _ready(self):
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/-/ready", timeout=2) as answer:
                return answer.status == 200
        except OSError:
            return False

    def _get(self, path, **parameters):
        url = f"http://127.0.0.1:{self.port}{path}?{urllib.parse.urlencode(parameters)}"
        try:
            with urllib.request.urlopen(url, timeout=30) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as e:
            raise ValueError(json.load(e).get("error", str(e))) from None

    def instant(self, expression, at=None):
        """[{"metric": {...}, "value": [time, text]}]; ValueError says what is wrong with the expression."""
        return self._get("/api/v1/query", query=expression, time=at or time.time())["data"]["result"]

    def label_values(self, series, label, since=300):
        now = time.time()
        return self._get(f"/api/v1/label/{label}/values", **{"match[]": series, "start": now - since, "end": now})["data"]

    def oldest_evaluation(self):
        """When the group of rules was evaluated that waits longest, as Unix time."""
        groups = self._get("/api/v1/rules")["data"]["groups"]
        return min(calendar.timegm(time.strptime(g["lastEvaluation"][:19], "%Y-%m-%dT%H:%M:%S")) for g in groups)

    def series_names(self):
        return set(self._get("/api/v1/label/__name__/values")["data"])


# What Grafana puts in place of its own variables, with a span of 15 minutes that ends now.
def filled(expression, variables=None):
    """The expression as Grafana sends it: `variables` where given, else All."""
    now = time.time()
    expression = expression.replace("${__from:date:seconds}", f"{now - 900:.0f}").replace("${__to:date:seconds}", f"{now:.0f}")
    expression = expression.replace("$__rate_interval", "5m").replace("$__range_s", "900").replace("$__range", "900s").replace("$__interval", "15s")
    for name, value in (variables or {}).items():
        expression = re.sub(rf"\$\{{?{name}\b\}}?", lambda _, value=value: value, expression)
    return re.sub(r"\$\{?[a-z]\w*\}?", ".*", expression)

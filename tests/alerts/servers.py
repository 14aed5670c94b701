"""Prometheus and Alertmanager as ordinary processes on 127.0.0.1, and receivers that keep what they are sent."""

import contextlib
import http.server
import json
import shutil
import socketserver
import subprocess
import threading
import time
import urllib.parse
import urllib.request

import pytest
from ports import free_port


def wait_for(condition, what, seconds=30):
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        with contextlib.suppress(OSError):
            value = condition()
            if value:
                return value
        time.sleep(0.1)
    pytest.fail(f"no {what} within {seconds} s")


class _Process:
    """A server in a folder of its own. Use it with `with`."""

    name = ""

    def __init__(self, folder):
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.process = None

    def command(self):
        raise NotImplementedError

    def __enter__(self):
        binary = shutil.which(self.name)
        assert binary, f"{self.name} is not installed: scripts/install-packages check"
        self.log = open(self.folder / "log", "w")  # noqa: SIM115 - closed in __exit__
        self.process = subprocess.Popen([binary, *self.command()], stdout=self.log, stderr=subprocess.STDOUT, cwd=self.folder)
        wait_for(self.ready, f"{self.name} (see {self.folder / 'log'})", 60)
        return self

    def __exit__(self, *_):
        self.process.terminate()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.log.close()

    def ready(self):
        assert self.process.poll() is None, (self.folder / "log").read_text()
        return urllib.request.urlopen(f"{self.url}/-/ready", timeout=2).status == 200


class Prometheus(_Process):
    name = "prometheus"

    def __init__(self, folder, config, data=None, extra=()):
        super().__init__(folder)
        self.data = data or folder / "data"
        self.extra = list(extra)
        (folder / "prometheus.yml").write_text(config)

    def command(self):
        return ["--config.file=prometheus.yml", f"--storage.tsdb.path={self.data}", f"--web.listen-address=127.0.0.1:{self.port}",
                "--storage.tsdb.retention.time=365d", "--log.level=warn", *self.extra]

    def get(self, path, **parameters):
        with urllib.request.urlopen(f"{self.url}/api/v1/{path}?{urllib.parse.urlencode(parameters)}", timeout=30) as answer:
            return json.load(answer)["data"]

    def query(self, expression, at=None):
        """[(labels, value)]"""
        data = self.get("query", query=expression, **({} if at is None else {"time": at}))
        return [(r["metric"], float(r["value"][1])) for r in data["result"]]


class Alertmanager(_Process):
    name = "prometheus-alertmanager"

    def __init__(self, folder, config):
        super().__init__(folder)
        (folder / "alertmanager.yaml").write_text(config)

    def command(self):
        return ["--config.file=alertmanager.yaml", "--storage.path=data", f"--web.listen-address=127.0.0.1:{self.port}",
                "--cluster.listen-address=", "--log.level=debug"]

    def post(self, alerts):
        request = urllib.request.Request(f"{self.url}/api/v2/alerts", json.dumps(alerts).encode(), {"Content-Type": "application/json"})
        urllib.request.urlopen(request, timeout=10).close()

    def alerts(self):
        with urllib.request.urlopen(f"{self.url}/api/v2/alerts", timeout=10) as answer:
            return json.load(answer)


class HttpSink:
    """Keeps the JSON of each POST: [(seconds since the start, path, body)]."""

    def __init__(self):
        sink = self
        self.received = []
        self.begin = time.monotonic()

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):  # noqa: N802 - the library's name
                body = self.rfile.read(int(self.headers["Content-Length"]))
                sink.received.append((time.monotonic() - sink.begin, self.path, json.loads(body)))
                self.send_response(200)
                self.send_header("Content-Length", "2")
                self.end_headers()
                self.wfile.write(b"ok")

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def at(self, path):
        return [body for _, p, body in list(self.received) if p == path]

    def close(self):
        self.server.shutdown()
        self.server.server_close()


class MailSink:
    """The least of an SMTP server that Alertmanager talks to; keeps the messages as they came."""

    def __init__(self):
        sink = self
        self.messages = []

        class Handler(socketserver.StreamRequestHandler):
            def handle(self):
                def say(text):
                    self.wfile.write(text.encode() + b"\r\n")
                say("220 sink")
                while line := self.rfile.readline():
                    verb = line.strip().upper()
                    if verb.startswith(b"EHLO"):
                        say("250-sink")
                        say("250 8BITMIME")
                    elif verb == b"DATA":
                        say("354 go on")
                        lines = []
                        while (part := self.rfile.readline()) not in (b".\r\n", b""):
                            lines.append(part)
                        sink.messages.append(b"".join(lines))
                        say("250 kept")
                    elif verb == b"QUIT":
                        say("221 bye")
                        return
                    else:
                        say("250 ok")

        class Server(socketserver.ThreadingTCPServer):
            allow_reuse_address = True
            daemon_threads = True

        self.server = Server(("127.0.0.1", 0), Handler)
        self.address = f"127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()

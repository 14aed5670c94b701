"""The program beside targets only, and targets that misbehave."""

import http.server
import json
import re
import socket
import ssl
import threading

from rig import Sidelight, wait_for


class Watcher(Sidelight):
    """The program with `collectors` and nothing else."""

    def __init__(self, program, folder, collectors, **options):
        super().__init__(program, folder, "http://127.0.0.1:9", **options)
        self.settings = {"collectors": collectors, "http": self.settings["http"]}
        self.write_config()

    def samples(self, name, **labels):
        """[(labels, value)] of the samples of `name` whose labels include `labels`."""
        _, text = self.get("/metrics")
        out = []
        for line in text.splitlines():
            match = re.match(r"([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)", line)
            if not match or match.group(1) != name:
                continue
            have = dict(re.findall(r'(\w+)="((?:[^"\\]|\\.)*)"', match.group(2) or ""))
            if all(have.get(k) == v for k, v in labels.items()):
                out.append((have, float(match.group(3))))
        return out

    def up(self, collector, target):
        return self.metric("sidelight_collector_up", collector=collector, target=target)

    def wait_up(self, collector, target, up=1, seconds=15):
        try:
            wait_for(lambda: self.up(collector, target) == up, seconds, f"{collector} {target} up {up}")
        except AssertionError as e:
            raise AssertionError(f"{e}\n{self.log_text()[-3000:]}") from e

    def wait_run(self, collector, target, seconds=15):
        """Waits for a run that began after this call."""
        def successes():
            return self.metric("sidelight_collector_runs_total", collector=collector, target=target, result="success") or 0
        # One may be in progress, so the second from now.
        goal = successes() + 2
        wait_for(lambda: successes() >= goal, seconds, f"a run of {collector} {target}")

    def wait_log(self, text, seconds=15):
        try:
            wait_for(lambda: text in self.log_text(), seconds, f"'{text}' in the log")
        except AssertionError as e:
            raise AssertionError(f"{e}\n{self.log_text()[-3000:]}") from e


class BadServer:
    """Accepts connections and does `what` with each: "hang" never answers, bytes are sent at once, "flood" never stops sending."""

    def __init__(self, what, port=0):
        self.what = what
        self.listener = socket.create_server(("127.0.0.1", port))
        self.port = self.listener.getsockname()[1]
        self.open = []
        self.thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        self.thread.join()
        for connection in self.open:
            connection.close()

    def _run(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            self.open.append(connection)
            connection.settimeout(2)
            try:
                if self.what == "flood":
                    threading.Thread(target=self._flood, args=(connection,), daemon=True).start()
                elif self.what != "hang":
                    connection.sendall(self.what)
            except OSError:
                pass

    @staticmethod
    def _flood(connection):
        try:
            while True:
                connection.sendall(b"x" * 65536)
        except (OSError, ssl.SSLError):
            pass


class Service:
    """Answers GET with `answer` (bytes, or an object), and remembers the headers of the last request."""

    def __init__(self, answer):
        self.answer = answer
        self.status = 200
        self.headers = {}
        self.path = None
        service = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):  # pylint: disable=invalid-name
                service.headers, service.path = dict(self.headers), self.path
                status, answer = service.reply(self.path)
                body = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):  # pylint: disable=arguments-differ
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self.server.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}/stats?all=1"

    def reply(self, _path):
        """Status and answer."""
        return self.status, self.answer

    def __enter__(self):
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()

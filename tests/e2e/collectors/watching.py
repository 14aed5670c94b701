"""The program beside targets only, and targets that misbehave."""

import re
import socket
import ssl
import threading
import time

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


def settled(condition, seconds, hold=1.0):
    """Whether `condition` becomes true within `seconds` and stays so for `hold`."""
    deadline = time.monotonic() + seconds
    since = None
    while time.monotonic() < deadline:
        if not condition():
            since = None
        elif since is None:
            since = time.monotonic()
        elif time.monotonic() - since >= hold:
            return True
        time.sleep(0.1)
    return False

"""RabbitMQ with its management and prometheus plugins and a port mapper of its own."""

import base64
import contextlib
import hashlib
import http.client
import json
import os
import signal
import subprocess
import urllib.parse

from ports import free_port

from .process import ServerProcess, accepts, wait_until

# One scheduler of each kind and no busy waiting: an idle broker then costs about a hundredth of a core.
ERLANG = "+S 1:1 +SDcpu 1:1 +SDio 2 +sbwt none +sbwtdcpu none +sbwtdio none +A 4"


def password_hash(password, salt=b"\x05\x11\x17\x1d"):
    """As RabbitMQ's definitions have it: base64 of the salt and SHA-256 of salt and password."""
    return base64.b64encode(salt + hashlib.sha256(salt + password.encode()).digest()).decode()


class RabbitMQ(ServerProcess):
    """Users: `plant` (the services; administrator) and `sidelight` (tag monitoring, no right to change anything)."""

    name = "rabbitmq"
    user = "rabbitmq"
    program = "/usr/lib/rabbitmq/bin/rabbitmq-server"
    package = "rabbitmq-server"

    def __init__(self, folder, passwords, statistics_interval_ms=5000, stream=False):
        super().__init__(folder)
        self.stream_port = free_port() if stream else None  # of the stream protocol
        self.passwords = passwords  # of plant and sidelight
        self.statistics_interval_ms = statistics_interval_ms
        self.management_port = free_port()
        self.prometheus_port = free_port()
        self.dist_port = free_port()
        self.epmd_port = free_port()
        self.epmd = None
        self.log = self.folder / "log" / "rabbit.log"
        self.node = f"plant{self.port}@localhost"

    def environment(self):
        return {
            **os.environ, "TZ": "UTC", "HOME": str(self.folder), "LC_ALL": "C.UTF-8",
            "ERL_EPMD_PORT": str(self.epmd_port), "ERL_EPMD_ADDRESS": "127.0.0.1",
            "RABBITMQ_NODENAME": self.node, "RABBITMQ_NODE_IP_ADDRESS": "127.0.0.1", "RABBITMQ_NODE_PORT": str(self.port),
            "RABBITMQ_DIST_PORT": str(self.dist_port), "RABBITMQ_MNESIA_BASE": str(self.folder / "data"),
            "RABBITMQ_LOG_BASE": str(self.folder / "log"), "RABBITMQ_LOGS": str(self.log),
            "RABBITMQ_CONFIG_FILE": str(self.folder / "rabbitmq"), "RABBITMQ_CONF_ENV_FILE": str(self.folder / "env.conf"),
            "RABBITMQ_PID_FILE": str(self.folder / "rabbitmq.pid"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(self.folder / "enabled_plugins"),
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": f"-kernel inet_dist_use_interface {{127,0,0,1}} {ERLANG}",
        }

    def _write_settings(self):
        (self.folder / "rabbitmq.conf").write_text(f"""
listeners.tcp.1 = 127.0.0.1:{self.port}
management.tcp.ip = 127.0.0.1
management.tcp.port = {self.management_port}
prometheus.tcp.ip = 127.0.0.1
prometheus.tcp.port = {self.prometheus_port}
collect_statistics_interval = {self.statistics_interval_ms}
disk_free_limit.absolute = 50MB
load_definitions = {self.folder}/definitions.json
{f"stream.listeners.tcp.1 = 127.0.0.1:{self.stream_port}" if self.stream_port else ""}
""", encoding="ascii")
        (self.folder / "env.conf").write_text("", encoding="ascii")
        plugins = ["rabbitmq_management", "rabbitmq_prometheus", *(["rabbitmq_stream", "rabbitmq_stream_management"] if self.stream_port else [])]
        (self.folder / "enabled_plugins").write_text(f"[{','.join(plugins)}].\n", encoding="ascii")
        rights = {"plant": (".*", ["administrator"]), "sidelight": ("", ["monitoring"])}
        (self.folder / "definitions.json").write_text(json.dumps({
            "vhosts": [{"name": "/"}],
            "users": [{"name": u, "password_hash": password_hash(self.passwords[u]), "hashing_algorithm": "rabbit_password_hashing_sha256",
                       "tags": tags} for u, (_, tags) in rights.items()],
            "permissions": [{"user": u, "vhost": "/", "configure": r, "write": r, "read": r} for u, (r, _) in rights.items()],
        }), encoding="ascii")

    def begin(self):
        self.make_folder()
        self.make_folder("data")
        self.make_folder("log")
        self._write_settings()
        if self.epmd is None or self.epmd.poll() is not None:
            self.epmd = self.spawn(["epmd", "-port", self.epmd_port, "-address", "127.0.0.1"], env=self.environment())
            wait_until(lambda: accepts(self.epmd_port), 15, "epmd", self.epmd)
        (self.folder / "rabbitmq.pid").unlink(missing_ok=True)
        self.process = self.spawn([self.program], env=self.environment(), cwd=self.folder)

    def is_ready(self):
        return accepts(self.port) and accepts(self.management_port)

    def stop(self, sig=signal.SIGTERM, patience=20):
        """Stops the broker; the port mapper goes too. Durable queues and persistent messages are there at the next start."""
        if self.running():
            # To the Erlang machine itself: its parent is a shell script that would ask it at length.
            with contextlib.suppress(OSError, ValueError):
                os.kill(int((self.folder / "rabbitmq.pid").read_text(encoding="ascii")), sig)
                with contextlib.suppress(subprocess.TimeoutExpired):
                    self.process.wait(patience)
        super().stop(sig, patience)
        if self.epmd is not None:
            self.epmd.kill()
            self.epmd.wait()
            self.epmd = None

    def kill(self):
        super().kill()
        self.stop()

    def management(self, method, path, body=None, user="plant"):
        """(status, JSON or text) of one request to the management API; `path` begins with /api."""
        connection = http.client.HTTPConnection("127.0.0.1", self.management_port, timeout=20)
        try:
            token = base64.b64encode(f"{user}:{self.passwords[user]}".encode()).decode()
            connection.request(method, path, json.dumps(body) if body is not None else None,
                               {"Authorization": f"Basic {token}", "Content-Type": "application/json"})
            response = connection.getresponse()
            data = response.read().decode("utf-8", "replace")
            try:
                return response.status, json.loads(data)
            except ValueError:
                return response.status, data
        finally:
            connection.close()

    def queue(self, name):
        """What the management API says of one queue; it lags behind by up to the statistics interval."""
        status, answer = self.management("GET", f"/api/queues/%2F/{urllib.parse.quote(name, safe='')}")
        if status != 200:
            raise RuntimeError(f"queue {name}: {status} {answer}")
        return answer

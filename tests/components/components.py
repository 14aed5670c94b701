"""Starts the real servers that tests talk to: OpenSearch, Elasticsearch, nginx, RabbitMQ, PostgreSQL, Redis and kube-state-metrics.

Each is a context manager with a data directory of its own, on free ports of 127.0.0.1, ready when the with statement begins and
stopped by process id when it ends:

    with opensearch() as engine, nginx() as web:
        engine.request("GET", "/_cat/indices")

`missing(NAME)` says why a component cannot be started here ("" when it can), for skips; `require(NAME, ...)` skips, which fails in
continuous integration (see conftest.py). PostgreSQL and RabbitMQ refuse to run as root and are then run as the users that their Debian
packages made.

    components.py NAME      runs one in the foreground and prints where it is
"""

import functools
import glob
import http.client
import json
import os
import pathlib
import platform
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

from kubernetes import KubeApi
from ports import free_port

HERE = pathlib.Path(__file__).resolve().parent
CACHE = HERE.parent.parent / "build" / "components"
JAVA_OPTIONS = ["-Xms512m", "-Xmx512m", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC"]


def wait(condition, seconds, what, process=None):
    deadline = time.monotonic() + seconds
    while not condition():
        if process is not None and process.poll() is not None:
            raise RuntimeError(f"{what} ended with {process.returncode}")
        if time.monotonic() > deadline:
            raise RuntimeError(f"{what} was not ready in {seconds} s")
        time.sleep(0.1)


def _accepts(port):
    with socket.socket() as s:
        s.settimeout(1)
        return s.connect_ex(("127.0.0.1", port)) == 0


def _as_user(name):
    """A command prefix that gives up root for the user `name`; empty when we are not root."""
    if os.geteuid() != 0:
        return []
    user = pwd.getpwnam(name)
    return ["setpriv", f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups", "--"]


def _give_to(path, name):
    if os.geteuid() == 0:
        shutil.chown(path, name, name)


def _postgres_bin():
    found = sorted(glob.glob("/usr/lib/postgresql/*/bin"))
    return pathlib.Path(found[-1]) if found else None


def missing(name):
    """Why the component cannot run here, with the package that would help; "" when it can."""
    needs = {
        "opensearch": (shutil.which("java") and shutil.which("mvn") and shutil.which("javac"), "maven openjdk-17-jdk-headless"),
        "elasticsearch": (shutil.which("java") and shutil.which("mvn") and shutil.which("javac"), "maven openjdk-17-jdk-headless"),
        "nginx": (shutil.which("nginx", path="/usr/sbin:/usr/bin"), "nginx-light"),
        "rabbitmq": (os.path.exists("/usr/lib/rabbitmq/bin/rabbitmq-server"), "rabbitmq-server"),
        "postgresql": (_postgres_bin(), "postgresql"),
        "redis": (shutil.which("redis-server"), "redis-server"),
        "kube_state_metrics": (shutil.which("go"), "golang-go"),
        "machine": (shutil.which("linux.uml"), "user-mode-linux"),
    }
    there, packages = needs[name]
    if not there and name == "machine" and platform.machine() != "x86_64":
        return f"{name} cannot be started: no package has user-mode Linux for {platform.machine()}"
    if there and name == "machine" and _registers_are_too_many():
        return f"{name} cannot be started: no package has user-mode Linux for this processor (AMX)"
    return "" if there else f"{name} cannot be started: apt-get install {packages}"


@functools.cache
def _registers_are_too_many():
    """The kernel takes the registers of a process as a whole or not at all, and user-mode Linux up to 6.1 has no room for those of AMX: its
    first process dies before it has begun."""
    with tempfile.TemporaryDirectory() as folder:
        tried = subprocess.run(["linux.uml", "mem=64M", "root=/dev/root", "rootfstype=hostfs", "rootflags=/", "ro", "con=null", "con0=null,fd:1",
                                "init=/bin/true"], env={"PATH": os.environ["PATH"], "TMPDIR": folder, "HOME": folder}, stdin=subprocess.DEVNULL,
                               capture_output=True, timeout=120, check=False)
    return b"set fp regs failed" in tried.stdout + tried.stderr


def require(*names):
    import pytest  # pylint: disable=import-outside-toplevel
    whys = [why for why in map(missing, names) if why]
    if whys:
        pytest.skip("; ".join(whys))


class Component:
    """A process with a folder of its own, which goes with it."""

    name = ""

    def __init__(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix=f"sidelight-{self.name}-"))
        os.chmod(self.folder, 0o755)  # others (a worker user, the program under test) may look in
        self.port = free_port()
        self.process = None
        self.output = self.folder / "output.txt"

    def __enter__(self):
        try:
            self.start()
        except BaseException:
            said = self.output.read_text(errors="replace")[-2000:] if self.output.exists() else ""
            self.__exit__(None, None, None)
            print(said, file=sys.stderr)
            raise
        return self

    def __exit__(self, *_):
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def start(self):
        raise NotImplementedError

    def _build(self):
        """For what no package holds: the folder with what setup.sh made."""
        result = subprocess.run([str(HERE / "setup.sh"), self.name], capture_output=True, text=True, check=False)
        if result.returncode != 0:
            raise RuntimeError(f"{self.name} cannot be built:\n{result.stdout[-1500:]}{result.stderr[-1500:]}")
        return CACHE / self.name

    def spawn(self, command, **options):
        with open(self.output, "ab") as out:
            self.process = subprocess.Popen(command, stdout=out, stderr=out, stdin=subprocess.DEVNULL,
                                            **{"env": {**os.environ, "TZ": "UTC"}, **options})

    def stop(self, sig=signal.SIGTERM):
        if self.process is None or self.process.poll() is not None:
            return
        self.process.send_signal(sig)
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def request(self, method, path, body=None, headers=None, timeout=60):
        """(status, body as JSON or text) of one HTTP request."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)
        try:
            if isinstance(body, (dict, list)):
                body = json.dumps(body)
            connection.request(method, path, body, {"Content-Type": "application/json", **(headers or {})})
            response = connection.getresponse()
            data = response.read().decode("utf-8", "replace")
            try:
                return response.status, json.loads(data)
            except ValueError:
                return response.status, data
        finally:
            connection.close()


class SearchEngine(Component):
    """What OpenSearch and Elasticsearch have in common. `settings` are node settings, as "http.max_content_length"="1mb"."""

    def __init__(self, settings=None):
        super().__init__()
        self.settings = settings or {}
        self.url = f"http://127.0.0.1:{self.port}"

    def _run(self, command):
        settings = [f"{k}={v}" for k, v in self.settings.items()]
        self.spawn(["java", *JAVA_OPTIONS, *command, str(self.folder), str(self.port), *settings], cwd=self.folder)
        wait(lambda: b"READY" in self.output.read_bytes(), 120, self.name, self.process)

    def refresh(self):
        self.request("POST", "/_refresh")

    def count(self, index, query=None):
        """Documents in an index or data stream that match; 0 when it does not exist."""
        self.refresh()
        status, answer = self.request("POST", f"/{index}/_count", {"query": query or {"match_all": {}}})
        return answer["count"] if status == 200 else 0

    def search(self, index, query=None, size=10, **more):
        self.refresh()
        status, answer = self.request("POST", f"/{index}/_search", {"query": query or {"match_all": {}}, "size": size, **more})
        if status != 200:
            raise RuntimeError(f"search: {status} {answer}")
        return answer

    def scan(self, index, page=5000):
        """All documents of an index or data stream, page by page."""
        self.refresh()
        status, answer = self.request("POST", f"/{index}/_search?scroll=1m", {"size": page, "sort": ["_doc"]})
        while status == 200 and answer["hits"]["hits"]:
            yield from answer["hits"]["hits"]
            status, answer = self.request("POST", "/_search/scroll", {"scroll": "1m", "scroll_id": answer["_scroll_id"]})
        if status != 200:
            raise RuntimeError(f"scan: {status} {answer}")


class OpenSearch(SearchEngine):
    name = "opensearch"

    def start(self):
        built = self._build()
        self._run(["-cp", f"{built}/classes:{built}/lib/*", "OsNode"])


class Elasticsearch(SearchEngine):
    name = "elasticsearch"

    def start(self):
        built = self._build()
        shutil.copytree(built / "modules", self.folder / "modules")
        self._run(["--module-path", str(built / "server"), "--add-modules", "ALL-MODULE-PATH", "-cp", str(built / "classes"), "EsNode"])


class Nginx(Component):
    """Serves one file at / and 404 elsewhere. `http` and `server` are further configuration of those blocks."""

    name = "nginx"

    def __init__(self, http_block="", server_block=""):
        super().__init__()
        self.access_log = self.folder / "access.log"
        self.error_log = self.folder / "error.log"
        self.http_block = http_block
        self.server_block = server_block

    def start(self):
        (self.folder / "html").mkdir()
        (self.folder / "html" / "index.html").write_text("<p>ok</p>\n", encoding="ascii")
        temp = "\n".join(f"  {k}_temp_path {self.folder}/temp-{k};" for k in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
        user = pwd.getpwuid(os.geteuid()).pw_name
        (self.folder / "nginx.conf").write_text(f"""
{f"user {user};" if os.geteuid() == 0 else ""}
worker_processes 1;
pid {self.folder}/nginx.pid;
error_log {self.error_log} info;
events {{ worker_connections 512; }}
http {{
{temp}
  access_log {self.access_log} combined;
  {self.http_block}
  server {{
    listen 127.0.0.1:{self.port};
    root {self.folder}/html;
    {self.server_block}
  }}
}}
""", encoding="utf-8")
        self.spawn([shutil.which("nginx", path="/usr/sbin:/usr/bin"), "-p", str(self.folder), "-c", str(self.folder / "nginx.conf"),
                    "-e", str(self.error_log), "-g", "daemon off;"])
        wait(lambda: _accepts(self.port), 15, "nginx", self.process)

    def reopen_logs(self):
        self.process.send_signal(signal.SIGUSR1)


class RabbitMQ(Component):
    """With the management and prometheus plugins, guest/guest."""

    name = "rabbitmq"

    def __init__(self):
        super().__init__()
        self.management_port = free_port()
        self.prometheus_port = free_port()
        self.dist_port = free_port()
        self.epmd_port = free_port()
        self.epmd = None
        self.log = self.folder / "log" / "rabbit.log"
        self.node = f"rabbit{self.port}@localhost"

    def environment(self):
        return {
            **os.environ, "TZ": "UTC",
            "HOME": str(self.folder), "LC_ALL": "C.UTF-8", "ERL_EPMD_PORT": str(self.epmd_port), "ERL_EPMD_ADDRESS": "127.0.0.1",
            "RABBITMQ_NODENAME": self.node, "RABBITMQ_NODE_IP_ADDRESS": "127.0.0.1", "RABBITMQ_NODE_PORT": str(self.port),
            "RABBITMQ_DIST_PORT": str(self.dist_port), "RABBITMQ_MNESIA_BASE": str(self.folder / "data"),
            "RABBITMQ_LOG_BASE": str(self.folder / "log"), "RABBITMQ_CONFIG_FILE": str(self.folder / "rabbitmq"),
            "RABBITMQ_CONF_ENV_FILE": str(self.folder / "env.conf"), "RABBITMQ_PID_FILE": str(self.folder / "rabbitmq.pid"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(self.folder / "enabled_plugins"), "RABBITMQ_LOGS": str(self.log),
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "-kernel inet_dist_use_interface {127,0,0,1} +S 1:1",
        }

    def start(self):
        (self.folder / "rabbitmq.conf").write_text(f"""
listeners.tcp.1 = 127.0.0.1:{self.port}
management.tcp.ip = 127.0.0.1
management.tcp.port = {self.management_port}
prometheus.tcp.ip = 127.0.0.1
prometheus.tcp.port = {self.prometheus_port}
loopback_users = none
""", encoding="ascii")
        (self.folder / "env.conf").write_text("", encoding="ascii")
        (self.folder / "enabled_plugins").write_text("[rabbitmq_management,rabbitmq_prometheus].\n", encoding="ascii")
        for part in ("data", "log"):
            (self.folder / part).mkdir()
            _give_to(self.folder / part, "rabbitmq")
        _give_to(self.folder, "rabbitmq")
        prefix = _as_user("rabbitmq")
        with open(self.output, "ab") as out:  # a port mapper of our own, so that it goes with us
            self.epmd = subprocess.Popen([*prefix, "epmd", "-port", str(self.epmd_port), "-address", "127.0.0.1"], stdout=out,
                                         stderr=out, env=self.environment())
        wait(lambda: _accepts(self.epmd_port), 15, "epmd", self.epmd)
        self.spawn([*prefix, "/usr/lib/rabbitmq/bin/rabbitmq-server"], env=self.environment(), cwd=self.folder)
        wait(lambda: _accepts(self.port) and _accepts(self.management_port), 90, "rabbitmq", self.process)

    def stop(self, sig=signal.SIGTERM):
        super().stop(sig)
        if self.epmd is not None:
            self.epmd.kill()
            self.epmd.wait()

    def management(self, method, path, body=None):
        """One request to the management API as guest."""
        amqp_port, self.port = self.port, self.management_port
        try:
            return self.request(method, "/api" + path, body, {"Authorization": "Basic Z3Vlc3Q6Z3Vlc3Q="})
        finally:
            self.port = amqp_port


class PostgreSQL(Component):
    """User postgres without a password. `settings` are server settings."""

    name = "postgresql"

    def __init__(self, settings=None):
        super().__init__()
        self.log = self.folder / "log" / "postgresql.log"
        self.settings = {"log_statement": "all", **(settings or {})}
        self.bin = _postgres_bin()
        self.dsn = f"host=127.0.0.1 port={self.port} user=postgres dbname=postgres"

    def start(self):
        for part in ("data", "log", "run"):
            (self.folder / part).mkdir()
            _give_to(self.folder / part, "postgres")
        prefix = _as_user("postgres")
        with open(self.output, "ab") as out:
            subprocess.run([*prefix, str(self.bin / "initdb"), "-D", str(self.folder / "data"), "-U", "postgres", "-A", "trust",
                            "-E", "UTF8", "--locale=C.UTF-8", "--no-sync"], stdout=out, stderr=out, check=True, cwd="/")
        settings = {
            "listen_addresses": "127.0.0.1", "port": self.port, "unix_socket_directories": self.folder / "run", "fsync": "off",
            "logging_collector": "on", "log_directory": self.folder / "log", "log_filename": "postgresql.log",
            "log_file_mode": "0644", "log_truncate_on_rotation": "off", "log_line_prefix": "%m [%p] ", "log_timezone": "UTC",
            **self.settings,
        }
        arguments = [a for k, v in settings.items() for a in ("-c", f"{k}={v}")]
        self.spawn([*prefix, str(self.bin / "postgres"), "-D", str(self.folder / "data"), *arguments], cwd="/")
        wait(lambda: subprocess.run([str(self.bin / "pg_isready"), "-q", "-h", "127.0.0.1", "-p", str(self.port)],
                                     check=False).returncode == 0, 30, "postgresql", self.process)

    def stop(self, sig=signal.SIGINT):  # "fast": does not wait for clients
        super().stop(sig)

    def psql(self, sql, check=True):
        return subprocess.run([str(self.bin / "psql"), "-X", "-q", "-A", "-t", self.dsn], input=sql, capture_output=True, text=True,
                              check=check)

    def pgbench(self, *arguments):
        return subprocess.run([str(self.bin / "pgbench"), "-h", "127.0.0.1", "-p", str(self.port), "-U", "postgres", *arguments,
                               "postgres"], capture_output=True, text=True, check=True)


class Redis(Component):
    name = "redis"

    def __init__(self, *arguments):
        super().__init__()
        self.log = self.folder / "redis.log"
        self.arguments = arguments
        self.url = f"redis://127.0.0.1:{self.port}"

    def start(self):
        self.spawn(["redis-server", "--port", str(self.port), "--bind", "127.0.0.1", "--dir", str(self.folder), "--logfile",
                    str(self.log), "--loglevel", "debug", "--save", "", *self.arguments])
        wait(lambda: _accepts(self.port), 15, "redis", self.process)

    def command(self, *words):
        return subprocess.run(["redis-cli", "-p", str(self.port), *words], capture_output=True, text=True, check=True).stdout.strip()


class KubeStateMetrics(Component):
    """Its metrics are of what `api` holds: as in a cluster, but that the cluster is this object."""

    name = "kube_state_metrics"

    def __init__(self):
        super().__init__()
        self.api = KubeApi()
        self.telemetry_port = free_port()

    def start(self):
        built = self._build()
        self.api.__enter__()
        self.spawn([str(built / "kube-state-metrics"), "--apiserver", self.api.url, "--resources", "pods,replicasets", "--host", "127.0.0.1",
                    "--port", str(self.port), "--telemetry-host", "127.0.0.1", "--telemetry-port", str(self.telemetry_port)])
        wait(lambda: _accepts(self.port), 30, "kube-state-metrics", self.process)

    def stop(self, sig=signal.SIGTERM):
        super().stop(sig)
        if self.process is not None:
            self.api.__exit__()
            self.process = None


opensearch, elasticsearch, nginx, rabbitmq, postgresql, redis = OpenSearch, Elasticsearch, Nginx, RabbitMQ, PostgreSQL, Redis
kube_state_metrics = KubeStateMetrics
ALL = {c.name: c for c in (OpenSearch, Elasticsearch, Nginx, RabbitMQ, PostgreSQL, Redis, KubeStateMetrics)}


def main():
    if len(sys.argv) != 2 or sys.argv[1] not in ALL:
        print(f"usage: components.py {'|'.join(ALL)}", file=sys.stderr)
        return 2
    why = missing(sys.argv[1])
    if why:
        print(why, file=sys.stderr)
        return 3
    with ALL[sys.argv[1]]() as component:
        print(f"{component.name} on 127.0.0.1:{component.port}, in {component.folder}, process {component.process.pid}", flush=True)
        try:
            signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
            component.process.wait()
        except (KeyboardInterrupt, SystemExit):
            pass
    return 0


if __name__ == "__main__":
    sys.exit(main())

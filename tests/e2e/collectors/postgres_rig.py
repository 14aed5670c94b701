"""A PostgreSQL with the monitoring role of deploy/postgres, a replica of it, and the program that watches one of them."""

import contextlib
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

import psycopg2

TESTS = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(TESTS))

from plant.servers.postgresql import PostgreSQL, Replica  # noqa: E402  pylint: disable=wrong-import-position
from rig import Sidelight, wait_for  # noqa: E402  pylint: disable=wrong-import-position

ROLE_SQL = TESTS.parent / "deploy" / "postgres" / "monitoring-role.sql"
PASSWORD = "s'3cr\\et"

__all__ = ["PASSWORD", "Primary", "Replica", "Watch", "client", "make_role", "open_folder", "wait_for"]


class Primary(PostgreSQL):
    extra_settings = {**PostgreSQL.extra_settings, "autovacuum": "off", "max_connections": 40, "log_lock_waits": "off"}

    def execute(self, *statements, database="mes"):
        """Statements of one connection, each by itself."""
        connection = self.connect(database)
        try:
            connection.autocommit = True
            for statement in statements:
                with connection.cursor() as cursor:
                    if "analyze" in statement:  # or what was counted before it is reported after it
                        cursor.execute("select pg_stat_force_next_flush()")
                    cursor.execute(statement)
        finally:
            connection.close()

    def value(self, query, *values, database="mes"):
        return self.sql(query, *values, database=database)[0][0]

    def psql(self, text, database="mes"):
        """Runs a script as the superuser, as a person would, and fails at its first error."""
        done = subprocess.run([self.bin / "psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-h", "127.0.0.1", "-p", str(self.port), "-U",
                               "plant", "-d", database], input=text, text=True, capture_output=True, check=False)
        assert done.returncode == 0, f"{done.stderr}\n{text}"
        return done.stdout


@contextlib.contextmanager
def open_folder():
    """A folder that the servers' user can reach, which those of pytest are not."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix="sidelight-pg-"))
    folder.chmod(0o755)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def make_role(server, password=PASSWORD, database="mes"):
    """As docs/collectors/postgres.md says: the file's statements with a password of our own."""
    text = ROLE_SQL.read_text(encoding="utf-8")
    server.psql(text, database)
    connection = server.connect(database)
    with connection, connection.cursor() as cursor:
        cursor.execute("alter role sidelight password %s", (password,))
    connection.close()


class Watch(Sidelight):
    """The program with one PostgreSQL target, and what its /metrics say."""

    def __init__(self, program, folder, server=None, url=None, password=PASSWORD, **options):
        folder = pathlib.Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        self.password_file = folder / "password"
        target = {"name": "db", "url": url or f"postgresql://127.0.0.1:{server.port}/mes", "interval": "1s", "timeout": "900ms",
                  "slow_interval": "1s", **options}
        if password:
            self.set_password(password)
            target["password_file"] = str(self.password_file)
        super().__init__(program, folder, [], extra={"collectors": {"postgres": target}})
        for section in ("logs", "output", "state_dir"):
            del self.settings[section]
        self.settings["log"] = {"format": "json"}
        self.write_config()

    def set_password(self, password):
        self.password_file.write_text(password + "\n", encoding="utf-8")
        self.password_file.chmod(0o600)

    def samples(self):
        """{name: {labels without `target` as a frozenset of pairs: value}}"""
        out = {}
        for line in self.get("/metrics")[1].splitlines():
            match = re.match(r"([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)", line)
            if not match or line.startswith("#"):
                continue
            pairs = re.findall(r'(\w+)="((?:[^"\\]|\\.)*)"', match.group(2) or "")
            labels = frozenset((k, re.sub(r"\\(.)", lambda m: {"n": "\n"}.get(m.group(1), m.group(1)), v)) for k, v in pairs if k != "target")
            out.setdefault(match.group(1), {})[labels] = float(match.group(3))
        return out

    def value(self, name, **labels):
        """Of the one series with exactly these labels; None when there is none."""
        return self.samples().get(name, {}).get(frozenset(labels.items()))

    def series(self, name):
        return self.samples().get(name, {})

    def up(self):
        return self.value("sidelight_collector_up", collector="postgres")

    def runs(self):
        return sum(v for k, v in self.series("sidelight_collector_runs_total").items() if ("result", "success") in k)

    def wait_up(self, seconds=20):
        wait_for(lambda: self.up() == 1, seconds, "the collector to be up; its log: " + self.log_text()[-2000:])
        return self

    def after_runs(self, number=2):
        """Waits for so many more good runs, so that what is shown was read after now."""
        begin = self.runs()
        wait_for(lambda: self.runs() >= begin + number, 30, "runs of the collector")
        return self

    def eventually(self, check, seconds=20, what="a value"):
        """Polls until `check(self)` is true."""
        wait_for(lambda: check(self), seconds, what)


def client(server, database="mes", **options):
    return psycopg2.connect(host="127.0.0.1", port=server.port, dbname=database, connect_timeout=5, **options)

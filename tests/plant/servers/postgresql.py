"""PostgreSQL: a primary, and a replica that streams from it."""

import glob
import pathlib
import shutil
import signal
import subprocess

import psycopg2

from .process import ServerProcess

DATABASE = "mes"


def _programs():
    found = sorted(glob.glob("/usr/lib/postgresql/*/bin"))
    return pathlib.Path(found[-1] if found else "/usr/lib/postgresql/15/bin")


class PostgreSQL(ServerProcess):
    """Role `plant` (superuser, the services) has no password. `sidelight`, made with the schema, has one."""

    name = "postgres"
    user = "postgres"
    package = "postgresql"
    extra_settings = {"max_wal_senders": 4, "wal_keep_size": "64MB"}

    def __init__(self, folder):
        super().__init__(folder)
        self.bin = _programs()
        self.program = str(self.bin / "postgres")
        self.data = self.folder / "data"
        self.log = self.folder / "log" / "postgresql.log"

    def _make_data(self):
        self.run("initdb", "-D", self.data, "-U", "plant", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync")
        (self.data / "pg_hba.conf").write_text("host all plant 127.0.0.1/32 trust\nhost replication plant 127.0.0.1/32 trust\n"
                                               "host all all 127.0.0.1/32 scram-sha-256\n", encoding="ascii")

    def begin(self):
        self.make_folder()
        for part in ("log", "run"):
            self.make_folder(part)
        if not self.data.exists():
            self._make_data()
        settings = {
            "listen_addresses": "127.0.0.1", "port": self.port, "unix_socket_directories": self.folder / "run", "fsync": "off",
            "logging_collector": "on", "log_directory": self.folder / "log", "log_filename": "postgresql.log", "log_file_mode": "0644",
            "log_rotation_size": "32MB", "log_line_prefix": "%m [%p] %q%u@%d ", "log_timezone": "UTC", "timezone": "UTC",
            "log_lock_waits": "on", "log_min_duration_statement": "2s", "shared_buffers": "32MB", "max_connections": 60,
            "jit": "off", **self.extra_settings,
        }
        self.process = self.spawn([self.program, "-D", self.data, *(a for k, v in settings.items() for a in ("-c", f"{k}={v}"))])

    def is_ready(self):
        return subprocess.run([self.bin / "pg_isready", "-q", "-h", "127.0.0.1", "-p", str(self.port)], check=False).returncode == 0

    def stop(self, sig=signal.SIGINT, patience=20):  # "fast": does not wait for clients
        super().stop(sig, patience)

    def kill(self):
        """SIGQUIT, "immediate": no clean shutdown. (SIGKILL would leave children behind.)"""
        self.stop(signal.SIGQUIT)

    def run(self, program, *arguments):
        done = subprocess.run([*self.as_user(), str(self.bin / program), *map(str, arguments)], capture_output=True, text=True, cwd="/",
                              check=False)
        if done.returncode != 0:
            raise RuntimeError(f"{program} failed: {done.stderr or done.stdout}")

    def connect(self, database=DATABASE, application="plant", **options):
        return psycopg2.connect(host="127.0.0.1", port=self.port, user="plant", dbname=database, application_name=application,
                                connect_timeout=5, **options)

    def sql(self, statement, *values, database=DATABASE):
        """Runs one statement by itself; its rows, if any."""
        connection = self.connect(database)
        try:
            connection.autocommit = True
            with connection.cursor() as cursor:
                cursor.execute(statement, values or None)
                return cursor.fetchall() if cursor.description else []
        finally:
            connection.close()


class Replica(PostgreSQL):
    """A hot standby of `primary`, known there as application `replica`."""

    name = "replica"
    extra_settings = {"wal_receiver_status_interval": "1s"}

    def __init__(self, folder, primary):
        super().__init__(folder)
        self.primary = primary

    def _make_data(self):
        self.run("pg_basebackup", "-D", self.data, "-R", "-X", "stream", "-c", "fast", "--no-sync",
                 "-d", f"host=127.0.0.1 port={self.primary.port} user=plant application_name=replica")

    def make_again(self):
        """Copies the primary anew. The replica must be stopped."""
        shutil.rmtree(self.data)
        self.start()

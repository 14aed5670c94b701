"""The PostgreSQL collector when the server restarts, hangs, answers garbage, or does not let it in."""

import shutil
import socket
import struct
import subprocess
import threading
import time

import pytest

from certificates import Certificates
from postgres_rig import PASSWORD, Primary, Watch, make_role, open_folder, wait_for


@pytest.fixture(scope="module", name="server")
def fixture_server():
    with open_folder() as folder:
        server = Primary(folder / "primary")
        server.start()
        server.sql("create database mes", database="postgres")
        make_role(server)
        yield server
        server.stop()


def error_appears(watch, *texts, seconds=20):
    wait_for(lambda: all(text in watch.log_text() for text in texts), seconds, f"{texts} in the log:\n{watch.log_text()[-3000:]}")


def test_a_restart(program, server, tmp_path):
    with Watch(program, tmp_path, server) as watch:
        watch.wait_up()
        server.stop()
        watch.eventually(lambda w: w.up() == 0, what="the target to be down")
        assert watch.value("mes_db_replica") == 0  # the last values stay for three intervals,
        assert watch.value("sidelight_collector_stale", collector="postgres") == 1
        watch.eventually(lambda w: w.value("mes_db_replica") is None, what="the values to vanish")  # and then go
        assert not [name for name in watch.samples() if name.startswith("mes_db_")]
        error_appears(watch, "Connection refused")
        server.start()
        watch.wait_up(60)
        assert watch.value("mes_db_replica") == 0


def test_a_crash_and_a_killed_session_are_one_run_at_most(program, server, tmp_path):
    with Watch(program, tmp_path, server) as watch:
        watch.wait_up()
        server.sql("select pg_terminate_backend(pid) from pg_stat_activity where usename = 'sidelight'")
        watch.after_runs(3)
        failures = watch.value("sidelight_collector_runs_total", collector="postgres", result="failure")
        assert failures == 0  # a lost connection is made again within the run


def test_a_changed_password_is_read_again(program, server, tmp_path):
    with Watch(program, tmp_path, server) as watch:
        watch.wait_up()
        server.sql("alter role sidelight password 'new'")
        server.sql("select pg_terminate_backend(pid) from pg_stat_activity where usename = 'sidelight'")
        watch.eventually(lambda w: w.up() == 0, what="the old password to fail")
        error_appears(watch, "password authentication failed for user", str(watch.password_file))
        assert PASSWORD not in watch.log_text()
        watch.set_password("new")
        watch.wait_up(60)
        server.sql("select pg_terminate_backend(pid) from pg_stat_activity where usename = 'sidelight'")
        make_password(server)


def make_password(server):
    connection = server.connect()
    with connection, connection.cursor() as cursor:
        cursor.execute("alter role sidelight password %s", (PASSWORD,))
    connection.close()


def test_no_password_and_no_such_database(program, server, tmp_path):
    make_password(server)
    with Watch(program, tmp_path / "a", server, password="") as watch:
        error_appears(watch, "no password supplied", "give password_file")
        assert watch.up() == 0
    with Watch(program, tmp_path / "b", url=f"postgresql://127.0.0.1:{server.port}/nowhere") as watch:
        error_appears(watch, 'database \\"nowhere\\" does not exist')
        assert watch.up() == 0


def test_a_role_without_pg_monitor_is_told_what_to_grant(program, server, tmp_path):
    make_password(server)
    server.sql("revoke pg_monitor from sidelight")
    try:
        with Watch(program, tmp_path, server) as watch:
            error_appears(watch, "run: GRANT pg_monitor TO sidelight;")
            assert watch.up() == 0
            assert not watch.series("mes_db_connections")
            server.sql("GRANT pg_monitor TO sidelight;")
            watch.wait_up(60)
    finally:
        server.sql("grant pg_monitor to sidelight")


class Listener:
    """A server that is none: `serve` is given each connection."""

    def __init__(self, serve):
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        self.open = []
        self.serve = serve
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                connection, _ = self.socket.accept()
            except OSError:
                return
            self.open.append(connection)
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection):
        try:
            self.serve(connection)
        except OSError:
            pass

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()
        for connection in self.open:
            connection.close()


def url_of(listener):
    return f"postgresql://127.0.0.1:{listener.port}/mes"


def quick_scrapes(watch, seconds):
    """/metrics never waits for a target."""
    end = time.monotonic() + seconds
    worst = 0
    while time.monotonic() < end:
        begin = time.monotonic()
        assert watch.get("/metrics")[0] == 200
        worst = max(worst, time.monotonic() - begin)
        time.sleep(0.02)
    assert worst < 0.5


def test_a_server_that_accepts_and_never_answers(program, tmp_path):
    with Listener(lambda connection: None) as hung, Watch(program, tmp_path, url=url_of(hung), interval="1s", timeout="500ms") as watch:
        quick_scrapes(watch, 2)
        watch.eventually(lambda w: w.up() == 0, what="the target to be down")
        assert watch.value("sidelight_collector_runs_total", collector="postgres", result="timeout") >= 1
        assert watch.value("sidelight_collector_duration_seconds", collector="postgres") < 1
        status, seconds = watch.stop()
        assert status == 0 and seconds < 5


class Proxy(Listener):
    """Passes bytes on to a server until `hold` is set: then it takes them and gives nothing back."""

    def __init__(self, port):
        self.hold = threading.Event()
        self.upstream = port
        super().__init__(self._pass)

    def _pass(self, connection):
        server = socket.create_connection(("127.0.0.1", self.upstream))
        self.open.append(server)

        def pump(source, target):
            while data := source.recv(65536):
                if not self.hold.is_set():
                    target.sendall(data)

        threading.Thread(target=self._serve_back, args=(pump, server, connection), daemon=True).start()
        pump(connection, server)

    @staticmethod
    def _serve_back(pump, server, connection):
        try:
            pump(server, connection)
        except OSError:
            pass


def test_a_server_that_hangs_in_the_middle(program, server, tmp_path):
    make_password(server)
    with Proxy(server.port) as proxy, Watch(program, tmp_path, url=url_of(proxy)) as watch:
        watch.wait_up()
        proxy.hold.set()
        watch.eventually(lambda w: w.up() == 0, what="the target to be down")
        assert watch.value("sidelight_collector_runs_total", collector="postgres", result="timeout") >= 1
        quick_scrapes(watch, 1)
        proxy.hold.clear()
        watch.wait_up(60)


@pytest.mark.parametrize("answer", [b"HTTP/1.1 400 Bad Request\r\n\r\n", b"\0" * 4096, b"N" + b"R\xff\xff\xff\xff" * 100, b"S", b"E\0\0\0\x0fSFATAL\0M\xff\xfe\0\0",
                                    bytes(range(256)) * 64, b"NR\0\0\0\x08\0\0\0\0Z\0\0\0\x05I" + b"T\0\0\0\x06\xff\xff" * 50])
def test_garbage(program, tmp_path, answer):
    def serve(connection):
        while connection.recv(65536):
            connection.sendall(answer)

    with Listener(serve) as server, Watch(program, tmp_path, url=url_of(server)) as watch:
        watch.eventually(lambda w: w.up() == 0, what="the target to be down")
        time.sleep(2)
        assert watch.running()
        assert not [name for name in watch.samples() if name.startswith("mes_db_")]
        assert watch.rss_mib() < 100


def test_an_answer_without_end_is_cut(program, tmp_path):
    """After a good login: one row description, then rows as fast as they go."""
    login = b"R\0\0\0\x08\0\0\0\0" + b"Z\0\0\0\x05I"
    column = b"x\0" + struct.pack("!IHIhiH", 0, 0, 25, -1, -1, 0)
    start = b"1\0\0\0\x04" + b"2\0\0\0\x04" + b"T" + struct.pack("!IH", 4 + 2 + len(column), 1) + column
    row = b"D" + (4 + 2 + 4 + 1000).to_bytes(4, "big") + b"\0\x01" + (1000).to_bytes(4, "big") + b"x" * 1000

    def serve(connection):
        first = connection.recv(65536)
        if first[:8] == b"\0\0\0\x08\x04\xd2\x16\x2f":  # SSLRequest
            connection.sendall(b"N")
            connection.recv(65536)
        connection.sendall(login)
        connection.recv(65536)
        connection.sendall(start)
        while True:
            connection.sendall(row * 1000)

    with Listener(serve) as server, Watch(program, tmp_path, url=url_of(server), timeout="30s") as watch:
        error_appears(watch, "the answer is larger than anything that was asked for")
        assert watch.peak_mib() < 150


@pytest.fixture(scope="module", name="secure")
def fixture_secure():
    """A server that takes TLS alone, and knows role sidelight by its certificate."""
    with open_folder() as folder:
        (folder / "certificates").mkdir()
        certificates = Certificates(folder / "certificates")
        certificates.sign("sidelight", "ca", "extendedKeyUsage=clientAuth")

        class Secure(Primary):
            extra_settings = {**Primary.extra_settings, "ssl": "on", "ssl_ca_file": certificates.path("ca.pem")}

        server = Secure(folder / "primary")
        server.make_folder()
        for name in ("server.pem", "server.key"):
            target = folder / "primary" / name
            target.write_bytes((folder / "certificates" / name).read_bytes())
            target.chmod(0o600)
            shutil.chown(target, server.user, server.user)
        server.extra_settings = {**server.extra_settings, "ssl_cert_file": folder / "primary" / "server.pem", "ssl_key_file": folder / "primary" / "server.key"}
        server.start()
        server.sql("create database mes", database="postgres")
        make_role(server)
        server.sql("create role bare login", database="postgres")
        server.sql("grant pg_monitor to bare", database="postgres")
        hba = server.data / "pg_hba.conf"
        hba.write_text("host all plant 127.0.0.1/32 trust\nhostssl all sidelight 127.0.0.1/32 scram-sha-256\nhostssl all bare 127.0.0.1/32 cert map=m\n", "ascii")
        (server.data / "pg_ident.conf").write_text("m sidelight bare\n", "ascii")
        server.sql("select pg_reload_conf()", database="postgres")
        time.sleep(0.5)
        yield server, certificates
        server.stop()


def test_tls(program, secure, tmp_path):
    server, certificates = secure
    ca = certificates.path("ca.pem")
    with Watch(program, tmp_path / "a", server, tls={"ca_file": ca}) as watch:  # verify-full, since there is a CA
        watch.wait_up()
        assert server.sql("select ssl from pg_stat_ssl s join pg_stat_activity a using (pid) where usename = 'sidelight'") == [(True,)]
    with Watch(program, tmp_path / "b", server, tls={"ca_file": certificates.path("other-ca.pem")}) as watch:
        error_appears(watch, "certificate verify failed")
        assert watch.up() == 0
    with Watch(program, tmp_path / "c", url=f"postgresql://localhost.localdomain:{server.port}/mes", tls={"mode": "disable"}) as watch:
        watch.eventually(lambda w: w.up() == 0, what="a failure")
    with Watch(program, tmp_path / "d", server, tls={"mode": "disable"}) as watch:
        error_appears(watch, "no pg_hba.conf entry", "no encryption")
        assert watch.up() == 0
    with Watch(program, tmp_path / "e", server, tls={"mode": "verify-full"}) as watch:  # the system's authorities
        error_appears(watch, "certificate verify failed")


def test_a_client_certificate_in_place_of_a_password(program, secure, tmp_path):
    server, certificates = secure
    key = tmp_path / "client.key"
    key.write_bytes((certificates.folder / "sidelight.key").read_bytes())
    key.chmod(0o600)
    tls = {"ca_file": certificates.path("ca.pem"), "certificate_file": certificates.path("sidelight.pem"), "key_file": str(key)}
    with Watch(program, tmp_path / "a", server, username="bare", password="", tls=tls) as watch:
        watch.wait_up()
    with Watch(program, tmp_path / "b", server, username="bare", password="", tls={"ca_file": tls["ca_file"]}) as watch:
        error_appears(watch, "requires a valid client certificate")
        assert watch.up() == 0


def test_a_wrong_configuration_is_named(program, tmp_path):
    for url, expected in (("http://127.0.0.1:5432/mes", "expected postgresql://HOST:PORT/DATABASE"),
                          ("postgresql://u:geheim@127.0.0.1/mes", "use username and password_file"),
                          ("postgresql://127.0.0.1", "names no database"), ("postgresql://a,b/mes", "one host only"),
                          ("postgresql://127.0.0.1/mes?sslmode=disable", "have keys of their own")):
        watch = Watch(program, tmp_path, url=url)
        done = subprocess.run([program, "check", "--config", str(watch.config)], capture_output=True, text=True, check=False)
        assert done.returncode != 0 and expected in done.stderr + done.stdout, done.stderr + done.stdout
        assert "geheim" not in expected

"""The Logstash output: Lumberjack against the reference server, HTTP and JSON lines against receivers made here.

No Logstash runs in these tests; the reference server is the implementation that Elastic's own clients are tested with.
"""

import gzip
import http.server
import json
import re
import shutil
import socketserver
import ssl
import subprocess
import threading
import time

import pytest

import lumberjack_server
from certificates import Certificates
from lumberjack_server import LumberjackServer, summary
from ports import free_port
from rig import Sidelight, WriterProcess, wait_for
from tcp_proxy import TcpProxy

needs_server = pytest.mark.skipif(bool(lumberjack_server.missing()), reason=lumberjack_server.missing())
needs_openssl = pytest.mark.skipif(shutil.which("openssl") is None, reason="apt-get install openssl")
FAST = {"backoff_initial": "50ms", "backoff_max": "500ms", "timeout": "5s"}


@pytest.fixture(scope="module", name="certificates")
def fixture_certificates(tmp_path_factory):
    return Certificates(tmp_path_factory.mktemp("certificates"))


def shipper(program, folder, hosts, flush="100ms", **logstash):
    """The program with an output to `hosts`, a server or a list of addresses."""
    if isinstance(hosts, (LumberjackServer, TcpProxy)):
        hosts = [f"127.0.0.1:{hosts.port}"]
    return Sidelight(program, folder, None, output={"logstash": {"hosts": hosts, **FAST, **logstash}, "flush_interval": flush})


def write(sidelight, first, count):
    with open(sidelight.logs / "app.log", "a", encoding="utf-8") as f:
        f.writelines(f"line {n}\n" for n in range(first, first + count))


def line_number(message):
    return int(message.split()[1])


def writer_number(message):
    return int(re.search(r"\bn=(\d+) ", message).group(1))


def wait_all(get_events, count, sidelight, number=line_number, seconds=30):
    """Waits until the lines 0 .. count-1 are all there; returns what `summary` says."""
    deadline = time.monotonic() + seconds
    while True:
        seen, ids, times = summary(get_events(), number)
        if len(seen) >= count:
            break
        assert time.monotonic() < deadline, f"{len(seen)} of {count} lines after {seconds} s\n{sidelight.log_text()[-2500:]}"
        time.sleep(0.1)
    assert seen == set(range(count))
    assert all(len(keys) == 1 for keys in ids.values()), "a line came under two ids"
    assert len({next(iter(keys)) for keys in ids.values()}) == count, "two lines share an id"
    return seen, ids, times


def assert_once(times):
    repeated = {k: n for k, n in times.items() if n > 1}
    assert not repeated, f"{len(repeated)} documents came more than once"


# Lumberjack


@needs_server
@pytest.mark.parametrize("level", [0, 3, 9])
def test_every_line_once(program, tmp_path, level):
    with LumberjackServer() as server, shipper(program, tmp_path, server, compression_level=level, beat="shop") as sidelight:
        write(sidelight, 0, 30_000)
        _, _, times = wait_all(server.events, 30_000, sidelight)
        assert_once(times)
        event = server.events()[0]
        assert event["@metadata"].items() >= {"beat": "shop", "type": "_doc"}.items() and event["@metadata"]["version"]
        assert event["message"] == "line 0" and event["service"]["name"] == "shop" and "event" not in event
        assert sidelight.metric("sidelight_output_up") == 1
        wait_for(lambda: sidelight.metric("sidelight_shipped_events_total") == 30_000, 5, "the count of shipped documents")
        assert sidelight.stop()[0] == 0


@needs_server
def test_killed_again_and_again_every_line_arrives_under_one_id(program, tmp_path, full):
    seconds = 30 if full else 8
    with LumberjackServer() as server:
        sidelight = shipper(program, tmp_path, server)
        writer = WriterProcess(sidelight.logs / "app.log", "r", 3000, seconds, rotate="rename", every=2, keep=20)
        kills = 0
        while writer.running():
            sidelight.start()
            time.sleep(1.1)
            sidelight.kill()
            kills += 1
        truth = writer.truth()
        with sidelight:
            _, _, times = wait_all(server.events, truth["count"], sidelight, writer_number)
        print(f"{truth['count']} lines, {kills} kills, {sum(n - 1 for n in times.values())} repeats under the same id")
        assert kills >= 4


@needs_server
def test_late_acknowledgements_with_keep_alives_are_waited_for(program, tmp_path):
    with LumberjackServer(delay="2500ms", keepalive="300ms") as server, \
         shipper(program, tmp_path, server, timeout="1s", window=500) as sidelight:
        write(sidelight, 0, 1500)
        _, _, times = wait_all(server.events, 1500, sidelight, seconds=40)
        assert_once(times)
        assert sidelight.stop(40)[0] == 0
        assert "send.transport" not in sidelight.log_text()
        assert "overloaded" in sidelight.log_text(), "that it waits long is told"


@needs_server
def test_a_server_that_gives_no_sign_of_life_is_left(program, tmp_path):
    with LumberjackServer(delay="5s", keepalive="1m") as server, shipper(program, tmp_path, server, timeout="500ms") as sidelight:
        write(sidelight, 0, 1000)
        wait_for(lambda: "no sign of life within 500 ms" in sidelight.log_text(), 10, "the time-out in the log")
        assert sidelight.metric("sidelight_output_up") == 0
        assert sidelight.metric("sidelight_retried_events_total", reason="timeout") > 0
        server.kill()
        server.start(delay="0")
        wait_all(server.events, 1000, sidelight)
        wait_for(lambda: sidelight.metric("sidelight_output_up") == 1, 5, "sidelight_output_up 1")


@needs_server
def test_restarts_of_the_server(program, tmp_path):
    with LumberjackServer() as server:
        sidelight = shipper(program, tmp_path, server)
        writer = WriterProcess(sidelight.logs / "app.log", "r", 3000, 6)
        with sidelight:
            while writer.running():
                time.sleep(0.7)
                server.kill()
                time.sleep(0.2)
                server.start()
            wait_all(server.events, writer.truth()["count"], sidelight, writer_number)


@needs_server
@pytest.mark.parametrize("load_balance", [False, True])
def test_cut_connections(program, tmp_path, load_balance):
    with LumberjackServer() as server, TcpProxy(server.port) as one, TcpProxy(server.port, seed=2) as two:
        one.cut_after = two.cut_after = (1_000, 60_000)
        hosts = [f"127.0.0.1:{one.port}", f"127.0.0.1:{two.port}"]
        sidelight = shipper(program, tmp_path, hosts, window=300, load_balance=load_balance)
        writer = WriterProcess(sidelight.logs / "app.log", "r", 3000, 6)
        with sidelight:
            truth = writer.truth()
            time.sleep(1)
            cuts = one.cuts + two.cuts
            one.cut_after = two.cut_after = None
            one.cut_all()
            two.cut_all()
            _, _, times = wait_all(server.events, truth["count"], sidelight, writer_number)
        print(f"{truth['count']} lines, {cuts} cuts, {sum(n - 1 for n in times.values())} repeats under the same id")
        assert cuts > 10


@needs_server
def test_what_was_acknowledged_in_part_is_never_sent_again(program, tmp_path):
    with LumberjackServer() as server, TcpProxy(server.port) as proxy:
        state = {"cut": False}

        def answer(data):
            if state["cut"]:
                return data, False
            assert data[:2] == b"2A" and int.from_bytes(data[2:6], "big") == 100
            state["cut"] = True
            return b"2A" + (40).to_bytes(4, "big"), True

        proxy.answer_filter = answer
        sidelight = shipper(program, tmp_path, proxy, window=100, pipelining=1)
        write(sidelight, 0, 1000)
        with sidelight:
            _, ids, times = wait_all(server.events, 1000, sidelight)
            assert sidelight.stop()[0] == 0
        count = {n: times[next(iter(keys))] for n, keys in ids.items()}
        assert all(count[n] == 1 for n in range(40)), "an acknowledged document was sent again"
        assert all(count[n] == 2 for n in range(40, 100))
        assert all(count[n] == 1 for n in range(100, 1000))


@needs_server
def test_a_receiver_that_takes_nothing_for_a_while(program, tmp_path):
    with LumberjackServer() as server, TcpProxy(server.port) as proxy, \
         shipper(program, tmp_path, proxy, compression_level=0, timeout="20s") as sidelight:
        write(sidelight, 0, 1000)
        wait_all(server.events, 1000, sidelight)
        proxy.hold = True
        write(sidelight, 1000, 200_000)
        time.sleep(3)
        assert sidelight.rss_mib() < 120
        proxy.hold = False
        _, _, times = wait_all(server.events, 201_000, sidelight, seconds=60)
        assert_once(times)


@needs_server
def test_failover(program, tmp_path):
    with LumberjackServer() as one, LumberjackServer() as two, shipper(program, tmp_path, [one.address, two.address]) as sidelight:
        def events():
            return one.events() + two.events()

        write(sidelight, 0, 500)
        wait_all(events, 500, sidelight)
        used, other = (one, two) if one.events() else (two, one)
        assert not other.events(), "one host at a time"
        used.kill()
        write(sidelight, 500, 500)
        wait_all(events, 1000, sidelight)
        assert len(other.events()) >= 500
        assert sidelight.metric("sidelight_output_up") == 1


@needs_server
def test_load_balance(program, tmp_path):
    with LumberjackServer() as one, LumberjackServer() as two, \
         shipper(program, tmp_path, [one.address, two.address], load_balance=True, window=100) as sidelight:
        def events():
            return one.events() + two.events()

        write(sidelight, 0, 20_000)
        _, _, times = wait_all(events, 20_000, sidelight)
        assert_once(times)
        assert min(len(one.events()), len(two.events())) > 2000
        two.kill()
        write(sidelight, 20_000, 5000)
        wait_all(events, 25_000, sidelight)
        assert sidelight.metric("sidelight_output_up") == 1
        before = len(two.events())
        two.start()
        n = 25_000
        deadline = time.monotonic() + 20
        while len(two.events()) == before and time.monotonic() < deadline:
            write(sidelight, n, 1000)
            n += 1000
            wait_all(events, n, sidelight)
        assert len(two.events()) > before, "the host that came back is used again"


@needs_server
def test_outage_at_the_start_and_a_stop_during_one(program, tmp_path):
    server = LumberjackServer()
    server.port = free_port()
    sidelight = shipper(program, tmp_path, [server.address])
    sidelight.settings["shutdown_deadline"] = "2s"
    sidelight.write_config()
    write(sidelight, 0, 2000)
    with sidelight:
        wait_for(lambda: "Connection refused" in sidelight.log_text(), 10, "the refusal in the log")
        assert sidelight.metric("sidelight_output_up") == 0
        assert sidelight.stop()[1] < 5
        assert "could not be delivered before the deadline" in sidelight.log_text()
    with server, sidelight:
        _, _, times = wait_all(server.events, 2000, sidelight)
        assert_once(times)


# TLS


def secure(certificates, name="server", **more):
    return LumberjackServer(cert=certificates.path(f"{name}.pem"), key=certificates.path(f"{name}.key"), **more)


@needs_server
@needs_openssl
@pytest.mark.parametrize("version", ["1.2", "1.3"])
@pytest.mark.parametrize("mutual", [False, True])
def test_tls(program, tmp_path, certificates, version, mutual):
    more = {"ca": certificates.path("ca.pem")} if mutual else {}
    mine = {"certificate_file": certificates.path("client.pem"), "key_file": certificates.path("client.key")} if mutual else {}
    with secure(certificates, tls=version, **more) as server, \
         shipper(program, tmp_path, server, tls={"ca_file": certificates.path("ca.pem"), **mine}) as sidelight:
        write(sidelight, 0, 30_000)
        _, _, times = wait_all(server.events, 30_000, sidelight)
        assert_once(times)
        assert "accepts connections with TLS" in check(program, sidelight)[1]
        assert sidelight.stop()[0] == 0


@needs_server
@needs_openssl
def test_tls_by_name_and_a_certificate_that_is_renewed(program, tmp_path, certificates):
    """A name is verified as well as an address, and files that changed are read at the next connection."""
    authority = tmp_path / "ca.pem"
    shutil.copy(certificates.path("other-ca.pem"), authority)
    with secure(certificates) as server, \
         shipper(program, tmp_path, [f"localhost:{server.port}"], tls={"ca_file": str(authority)}) as sidelight:
        write(sidelight, 0, 100)
        wait_for(lambda: f"is not signed by the authorities in {authority}" in sidelight.log_text(), 15, "the refusal in the log")
        shutil.copy(certificates.path("ca.pem"), authority)
        _, _, times = wait_all(server.events, 100, sidelight)
        assert_once(times)


@needs_server
@needs_openssl
def test_tls_through_cuts(program, tmp_path, certificates):
    with secure(certificates) as server, TcpProxy(server.port) as proxy:
        proxy.cut_after = (4_000, 60_000)
        sidelight = shipper(program, tmp_path, proxy, window=300, tls={"ca_file": certificates.path("ca.pem")})
        writer = WriterProcess(sidelight.logs / "app.log", "r", 2000, 5)
        with sidelight:
            truth = writer.truth()
            proxy.cut_after = None
            proxy.cut_all()
            wait_all(server.events, truth["count"], sidelight, writer_number)
        assert proxy.cuts > 5


def check(program, sidelight):
    done = subprocess.run([program, "check", "--connect", "--config", str(sidelight.config)], capture_output=True, text=True, timeout=60,
                          check=False)
    return done.returncode, done.stdout + done.stderr


def assert_refused(program, folder, server, words, **tls):
    """Nothing arrives, and both the log and `check --connect` say `words`."""
    with shipper(program, folder, server, tls=tls) as sidelight:
        write(sidelight, 0, 5)
        wait_for(lambda: words in sidelight.log_text(), 15, f"'{words}' in the log")
        assert sidelight.metric("sidelight_output_up") == 0
        assert sidelight.metric("sidelight_output_down_cause", cause="tls") == 1
        status, said = check(program, sidelight)
        assert status == 1 and words in said and server.address in said, said
        print(said)
    assert server.events() == []


@needs_server
@needs_openssl
def test_other_authority_is_refused_and_its_file_named(program, tmp_path, certificates):
    other = certificates.path("other-ca.pem")
    with secure(certificates) as server:
        assert_refused(program, tmp_path, server, f"is not signed by the authorities in {other}", ca_file=other)


@needs_server
@needs_openssl
def test_system_authorities_do_not_know_our_own(program, tmp_path, certificates):
    with secure(certificates) as server:
        assert_refused(program, tmp_path, server, "is not signed by the system's authorities")


@needs_server
@needs_openssl
def test_expired_certificate(program, tmp_path, certificates):
    with secure(certificates, "expired") as server:
        assert_refused(program, tmp_path, server, "the server's certificate has expired", ca_file=certificates.path("ca.pem"))


@needs_server
@needs_openssl
def test_certificate_of_another_name(program, tmp_path, certificates):
    with secure(certificates, "wrong-name") as server:
        assert_refused(program, tmp_path, server, "the server's certificate is for another name than 127.0.0.1", ca_file=certificates.path("ca.pem"))


@needs_server
@needs_openssl
@pytest.mark.parametrize("version", ["1.2", "1.3"])
def test_missing_client_certificate(program, tmp_path, certificates, version):
    with secure(certificates, tls=version, ca=certificates.path("ca.pem")) as server:
        assert_refused(program, tmp_path, server, "the server wants a client certificate, and none is configured", ca_file=certificates.path("ca.pem"))


@needs_server
@needs_openssl
@pytest.mark.parametrize("version", ["1.2", "1.3"])
def test_foreign_client_certificate(program, tmp_path, certificates, version):
    mine = certificates.path("other-client.pem")
    with secure(certificates, tls=version, ca=certificates.path("ca.pem")) as server:
        assert_refused(program, tmp_path, server, f"the server refused our client certificate {mine}", ca_file=certificates.path("ca.pem"),
                       certificate_file=mine, key_file=certificates.path("other-client.key"))


@needs_server
@needs_openssl
def test_verification_can_be_turned_off(program, tmp_path, certificates):
    with secure(certificates, "wrong-name") as server, shipper(program, tmp_path, server, tls={"verify": False}) as sidelight:
        write(sidelight, 0, 100)
        wait_all(server.events, 100, sidelight)


@needs_server
@needs_openssl
def test_tls_where_none_is_spoken_and_the_reverse(program, tmp_path, certificates):
    with LumberjackServer() as plain, shipper(program, tmp_path / "a", plain, tls={}) as sidelight:
        write(sidelight, 0, 5)
        wait_for(lambda: "TLS" in sidelight.log_text(), 15, "TLS in the log")
        status, said = check(program, sidelight)
        assert status == 1 and "TLS" in said, said
    with secure(certificates) as server, shipper(program, tmp_path / "b", server) as sidelight:
        write(sidelight, 0, 5)
        wait_for(lambda: "if it speaks TLS on this port, configure tls" in sidelight.log_text(), 15, "TLS in the log")
        status, said = check(program, sidelight)
        assert status == 1 and "configure tls" in said, said


# HTTP and JSON lines, against receivers that keep what they get


class Receiver:
    def __init__(self):
        self.lock = threading.Lock()
        self.kept = []
        self.statuses = []  # to answer with first
        self.authorize = None
        self.requests = 0
        self.most_bytes = None

    def events(self):
        """As the reference server's: with the id where Lumberjack has it."""
        with self.lock:
            return [{**e, "@metadata": {"_id": e["event"]["id"]}} for e in self.kept]

    def keep(self, events):
        with self.lock:
            self.kept += events


def start_http(receiver, context=None):
    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if self.headers.get("Content-Encoding") == "gzip":
                body = gzip.decompress(body)
            with receiver.lock:
                receiver.requests += 1
                if receiver.authorize and self.headers.get("Authorization") != receiver.authorize:
                    status = 401
                elif receiver.most_bytes and len(body) > receiver.most_bytes:
                    status = 413
                else:
                    status = receiver.statuses.pop(0) if receiver.statuses else 200
            assert self.headers["Content-Type"] == "application/json"
            if status in (200, 504):  # 504: kept, but nobody learns of it
                receiver.keep(json.loads(body))
            self.send_response(status)
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"ok")

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    if context:
        server.socket = context.wrap_socket(server.socket, server_side=True)
    return server


def start_lines(receiver, context=None):
    class Handler(socketserver.StreamRequestHandler):
        def handle(self):
            try:
                if context:
                    self.rfile = context.wrap_socket(self.request, server_side=True).makefile("rb")
                for line in self.rfile:
                    if line.endswith(b"\n"):
                        receiver.keep([json.loads(line)])
            except (OSError, ValueError):
                pass

    class Server(socketserver.ThreadingTCPServer):
        allow_reuse_address = True

    server = Server(("127.0.0.1", 0), Handler)
    return server


class Served:
    def __init__(self, server):
        self.server = server
        self.server.daemon_threads = True
        self.port = server.server_address[1]
        self.thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()


def tls_context(certificates, name="server", client_ca=None):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificates.path(f"{name}.pem"), certificates.path(f"{name}.key"))
    if client_ca:
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(certificates.path(f"{client_ca}.pem"))
    return context


@pytest.mark.parametrize("level", [0, 3])
def test_http_every_line_once(program, tmp_path, level):
    receiver = Receiver()
    with Served(start_http(receiver)) as served:
        url = f"http://127.0.0.1:{served.port}/logs"
        with shipper(program, tmp_path, [url], protocol="http", compression_level=level) as sidelight:
            write(sidelight, 0, 30_000)
            _, _, times = wait_all(receiver.events, 30_000, sidelight)
            assert_once(times)
            status, said = check(program, sidelight)
            assert status == 0 and "takes documents" in said, said
            assert sidelight.stop()[0] == 0


def test_http_refusals_lose_nothing(program, tmp_path):
    receiver = Receiver()
    receiver.statuses = [429, 503, 500, 429, 404, 504, 401]
    receiver.most_bytes = 60_000
    with Served(start_http(receiver)) as served, \
         shipper(program, tmp_path, [f"http://127.0.0.1:{served.port}"], protocol="http") as sidelight:
        write(sidelight, 0, 5000)
        _, _, times = wait_all(receiver.events, 5000, sidelight)
        assert sidelight.stop()[0] == 0
        print(f"{receiver.requests} requests, {sum(n - 1 for n in times.values())} repeats under the same id")
        assert not receiver.statuses
        for said in ("HTTP 429", "HTTP 503", "HTTP 404", "HTTP 413", "HTTP 401"):
            assert said in sidelight.log_text()


def test_http_one_document_that_is_too_large_does_not_stop_the_others(program, tmp_path):
    receiver = Receiver()
    receiver.most_bytes = 100_000
    with Served(start_http(receiver)) as served, \
         shipper(program, tmp_path, [f"http://127.0.0.1:{served.port}"], protocol="http") as sidelight:
        write(sidelight, 0, 100)
        with open(sidelight.logs / "app.log", "a", encoding="utf-8") as f:
            f.write(f"line 100 {'x' * 150_000}\n")
        write(sidelight, 101, 100)
        wait_for(lambda: len(receiver.kept) == 200, 20, "the others")
        wait_for(lambda: sidelight.metric("sidelight_output_down_cause", cause="too_large") == 1, 10, "the cause")
        assert "is too large for the destination" in sidelight.log_text()
        receiver.most_bytes = None
        wait_all(receiver.events, 201, sidelight)
        wait_for(lambda: sidelight.metric("sidelight_output_up") == 1, 10, "sidelight_output_up 1")


def test_http_killed_again_and_again(program, tmp_path):
    receiver = Receiver()
    with Served(start_http(receiver)) as served:
        sidelight = shipper(program, tmp_path, [f"http://127.0.0.1:{served.port}"], protocol="http")
        writer = WriterProcess(sidelight.logs / "app.log", "r", 2000, 5)
        while writer.running():
            sidelight.start()
            time.sleep(0.9)
            sidelight.kill()
        with sidelight:
            wait_all(receiver.events, writer.truth()["count"], sidelight, writer_number)


@needs_openssl
def test_https_with_a_password_file(program, tmp_path, certificates):
    receiver = Receiver()
    receiver.authorize = "Basic c2hpcHBlcjpzZWNyZXQ="
    (tmp_path / "password").write_text("secret\n", encoding="utf-8")
    mine = {"ca_file": certificates.path("ca.pem"), "certificate_file": certificates.path("client.pem"), "key_file": certificates.path("client.key")}
    with Served(start_http(receiver, tls_context(certificates, client_ca="ca"))) as served, \
         shipper(program, tmp_path, [f"https://127.0.0.1:{served.port}"], protocol="http", tls=mine, username="shipper",
                 password_file=str(tmp_path / "password")) as sidelight:
        write(sidelight, 0, 1000)
        _, _, times = wait_all(receiver.events, 1000, sidelight)
        assert_once(times)
        assert "secret" not in sidelight.log_text()
        (tmp_path / "password").write_text("wrong\n", encoding="utf-8")
        status, said = check(program, sidelight)
        assert status == 1 and "refuses our credentials" in said and "wrong" not in said, said


@needs_openssl
@pytest.mark.parametrize("tls", [False, True])
def test_tcp_lines(program, tmp_path, certificates, tls):
    receiver = Receiver()
    mine = {"tls": {"ca_file": certificates.path("ca.pem")}} if tls else {}
    with Served(start_lines(receiver, tls_context(certificates) if tls else None)) as served, \
         shipper(program, tmp_path, [f"127.0.0.1:{served.port}"], protocol="tcp", **mine) as sidelight:
        write(sidelight, 0, 30_000)
        _, _, times = wait_all(receiver.events, 30_000, sidelight)
        assert_once(times)
        status, said = check(program, sidelight)
        assert status == 0 and "accepts connections" in said, said
        assert sidelight.stop()[0] == 0


def test_tcp_outage_and_return(program, tmp_path):
    receiver = Receiver()
    with Served(start_lines(receiver)) as served, TcpProxy(served.port) as proxy:
        sidelight = shipper(program, tmp_path, proxy, protocol="tcp")
        with sidelight:
            write(sidelight, 0, 1000)
            wait_all(receiver.events, 1000, sidelight)
            port = proxy.port
            proxy.__exit__()
            write(sidelight, 1000, 1000)
            wait_for(lambda: sidelight.metric("sidelight_output_up") == 0, 10, "sidelight_output_up 0")
            with TcpProxy(served.port, port):
                wait_all(receiver.events, 2000, sidelight)
                wait_for(lambda: sidelight.metric("sidelight_output_up") == 1, 10, "sidelight_output_up 1")


@needs_openssl
def test_tcp_expired_certificate(program, tmp_path, certificates):
    receiver = Receiver()
    with Served(start_lines(receiver, tls_context(certificates, "expired"))) as served, \
         shipper(program, tmp_path, [f"127.0.0.1:{served.port}"], protocol="tcp", tls={"ca_file": certificates.path("ca.pem")}) as sidelight:
        write(sidelight, 0, 5)
        wait_for(lambda: "the server's certificate has expired" in sidelight.log_text(), 15, "the reason in the log")
        assert receiver.kept == []

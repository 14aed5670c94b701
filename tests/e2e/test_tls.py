"""TLS, client certificates, credentials, proxies, path prefixes and several hosts: the program against a small server made here."""

import base64
import gzip
import http.client
import http.server
import json
import select
import shutil
import socket
import ssl
import subprocess
import threading
import time
import urllib.parse

import pytest

from certificates import Certificates
from ports import free_port
from rig import Sidelight, wait_for

pytestmark = pytest.mark.skipif(shutil.which("openssl") is None, reason="apt-get install openssl")


@pytest.fixture(scope="module", name="certificates")
def fixture_certificates(tmp_path_factory):
    return Certificates(tmp_path_factory.mktemp("certificates"))


class Engine:
    """Keeps documents by id as an engine does. `authorize` is the only value of Authorization that is good, None for any."""

    def __init__(self, context=None, prefix="", authorize=None, port=0, documents=None):
        self.documents = {} if documents is None else documents
        self.conflicts = 0
        self.refused = 0
        self.requests = 0
        self.prefix = prefix
        self.authorize = authorize
        engine = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def answer(self, status, value):
                data = json.dumps(value).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def handle_one(self):
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                engine.requests += 1
                if engine.authorize is not None and self.headers.get("Authorization") != engine.authorize:
                    engine.refused += 1
                    return self.answer(401, {"error": {"type": "security_exception", "reason": "unable to authenticate"}, "status": 401})
                if not self.path.startswith(engine.prefix + "/"):
                    return self.answer(404, "no such path")
                path = self.path[len(engine.prefix):]
                if path == "/":
                    return self.answer(200, {"version": {"distribution": "opensearch", "number": "2.19.0"}})
                if "/_index_template/" in path:
                    return self.answer(200, {"acknowledged": True} if self.command == "PUT" else {"index_templates": []})
                if "/_bulk" not in path:
                    return self.answer(404, {"error": {"type": "index_not_found_exception", "reason": "no such index"}, "status": 404})
                if self.headers.get("Content-Encoding") == "gzip":
                    body = gzip.decompress(body)
                return self.answer(200, {"items": engine.store(body.splitlines())})

            do_GET = do_POST = do_PUT = handle_one

            def log_message(self, *_):
                pass

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads = True
            connections = set()

            def get_request(self):
                connection, address = super().get_request()
                if context is not None:  # the handshake happens in the connection's own thread, at its first read
                    connection = context.wrap_socket(connection, server_side=True, do_handshake_on_connect=False)
                self.connections.add(connection)
                return connection, address

            def handle_error(self, request, client_address):
                pass  # refused handshakes are what is tested

        Server.connections = set()
        self.server = Server(("127.0.0.1", port), Handler)
        self.port = self.server.server_port
        self.url = f"{'https' if context else 'http'}://127.0.0.1:{self.port}{prefix}"
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05})

    def store(self, lines):
        items = []
        for action, document in zip(lines[::2], lines[1::2]):
            name = json.loads(action)["create"]["_id"]
            there = name in self.documents
            self.conflicts += there
            self.documents.setdefault(name, json.loads(document)["message"])
            items.append({"create": {"_index": ".ds-x-000001", "status": 409 if there else 201}})
        return items

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()
        for connection in self.server.connections:
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass


def tls_context(certificates, name="server", client_ca=None):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificates.path(f"{name}.pem"), certificates.path(f"{name}.key"))
    if client_ca:
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(certificates.path(f"{client_ca}.pem"))
    return context


def write(sidelight, first, count):
    with open(sidelight.logs / "app.log", "a", encoding="utf-8") as f:
        for n in range(first, first + count):
            f.write(f"line {n}\n")


def wait_stored(documents, count, sidelight, seconds=20):
    try:
        wait_for(lambda: len(documents) >= count, seconds, f"{count} documents")
    except AssertionError as e:
        raise AssertionError(f"{e}; there are {len(documents)}\n{sidelight.log_text()[-2000:]}") from e
    assert sorted(documents.values()) == sorted(f"line {n}" for n in range(count))


def assert_works(program, folder, engine, **elasticsearch):
    with Sidelight(program, folder, engine.url, elasticsearch={"data_stream": "logs-tls-default", **elasticsearch}) as sidelight:
        write(sidelight, 0, 200)
        wait_stored(engine.documents, 200, sidelight)
        assert sidelight.stop()[0] == 0
        assert sidelight.dead_letters() == []
        return sidelight


def assert_refused(program, folder, engine, words, **elasticsearch):
    """Nothing arrives, and both the log and `check --connect` say `words`."""
    with Sidelight(program, folder, engine.url, elasticsearch={"data_stream": "logs-tls-default", **elasticsearch}) as sidelight:
        write(sidelight, 0, 5)
        wait_for(lambda: words in sidelight.log_text(), 15, f"'{words}' in the log:\n{sidelight.log_text()[-1500:]}")
        assert sidelight.metric("sidelight_output_up") == 0
        assert f"127.0.0.1:{engine.port}" in sidelight.log_text()
        done = subprocess.run([program, "check", "--connect", "--config", str(sidelight.config)], capture_output=True, text=True, timeout=60,
                              check=False)
        said = done.stdout + done.stderr
        assert done.returncode != 0 and words in said and f"127.0.0.1:{engine.port}" in said, said
        assert engine.documents == {}
        print(said)


def test_own_authority(program, tmp_path, certificates):
    with Engine(tls_context(certificates)) as engine:
        assert_works(program, tmp_path, engine, tls={"ca_file": certificates.path("ca.pem")})


def test_other_authority_is_refused_and_its_file_named(program, tmp_path, certificates):
    with Engine(tls_context(certificates)) as engine:
        other = certificates.path("other-ca.pem")
        assert_refused(program, tmp_path, engine, f"is not signed by the authorities in {other}", tls={"ca_file": other})


def test_rotated_authority_is_read_again(program, tmp_path, certificates):
    ca = tmp_path / "ca.pem"
    ca.write_bytes((certificates.folder / "other-ca.pem").read_bytes())
    settings = {"data_stream": "logs-tls-default", "tls": {"ca_file": str(ca)}, "backoff_max": "1s"}
    with Engine(tls_context(certificates)) as engine, Sidelight(program, tmp_path, engine.url, elasticsearch=settings) as sidelight:
        write(sidelight, 0, 20)
        wait_for(lambda: "is not signed by the authorities" in sidelight.log_text(), 15, "the refusal")
        ca.write_bytes((certificates.folder / "ca.pem").read_bytes())
        wait_stored(engine.documents, 20, sidelight)


def test_system_authorities_do_not_know_our_own(program, tmp_path, certificates):
    with Engine(tls_context(certificates)) as engine:
        assert_refused(program, tmp_path, engine, "is not signed by the system's authorities")


def test_expired_certificate(program, tmp_path, certificates):
    with Engine(tls_context(certificates, "expired")) as engine:
        assert_refused(program, tmp_path, engine, "the server's certificate has expired", tls={"ca_file": certificates.path("ca.pem")})


def test_certificate_of_another_name(program, tmp_path, certificates):
    with Engine(tls_context(certificates, "wrong-name")) as engine:
        assert_refused(program, tmp_path, engine, "the server's certificate is for another name", tls={"ca_file": certificates.path("ca.pem")})


def test_verification_can_be_turned_off(program, tmp_path, certificates):
    with Engine(tls_context(certificates, "wrong-name")) as engine:
        assert_works(program, tmp_path, engine, tls={"verify": False})


def test_plain_server_on_an_https_url(program, tmp_path, certificates):
    with Engine() as engine:
        engine.url = engine.url.replace("http:", "https:")
        assert_refused(program, tmp_path, engine, "does not speak TLS on this port", tls={"ca_file": certificates.path("ca.pem")})


def test_client_certificate(program, tmp_path, certificates):
    with Engine(tls_context(certificates, client_ca="ca")) as engine:
        assert_works(program, tmp_path, engine, tls={"ca_file": certificates.path("ca.pem"), "certificate_file": certificates.path("client.pem"),
                                                     "key_file": certificates.path("client.key")})


def test_missing_client_certificate_is_told(program, tmp_path, certificates):
    with Engine(tls_context(certificates, client_ca="ca")) as engine:
        assert_refused(program, tmp_path, engine, "refused our client certificate (or wants one)", tls={"ca_file": certificates.path("ca.pem")})


@pytest.mark.parametrize("kind", ["password", "api_key", "encoded_api_key", "bearer_token"])
def test_credentials_from_files(program, tmp_path, certificates, kind):
    secret = {"password": "p:w ü", "api_key": "id1:key1", "encoded_api_key": "aWQ6a2V5", "bearer_token": "a.b.c"}[kind]
    encoded = base64.b64encode(secret.encode()).decode()
    good = {"password": "Basic " + base64.b64encode(f"shipper:{secret}".encode()).decode(), "api_key": "ApiKey " + encoded,
            "encoded_api_key": "ApiKey " + secret, "bearer_token": "Bearer " + secret}[kind]
    (tmp_path / "secret").write_text(secret + "\n", encoding="utf-8")
    settings = {f"{kind.removeprefix('encoded_')}_file": str(tmp_path / "secret")}
    if kind == "password":
        settings["username"] = "shipper"
    with Engine(tls_context(certificates), authorize=good) as engine:
        sidelight = assert_works(program, tmp_path, engine, tls={"ca_file": certificates.path("ca.pem")}, **settings)
        assert engine.refused == 0
        assert secret not in sidelight.log_text() and encoded not in sidelight.log_text()


def test_rotated_password_loses_nothing(program, tmp_path):
    def basic(password):
        return "Basic " + base64.b64encode(f"shipper:{password}".encode()).decode()

    (tmp_path / "password").write_text("old\n", encoding="utf-8")
    settings = {"data_stream": "logs-tls-default", "username": "shipper", "password_file": str(tmp_path / "password")}
    with Engine(authorize=basic("old")) as engine, Sidelight(program, tmp_path, engine.url, elasticsearch=settings) as sidelight:
        write(sidelight, 0, 100)
        wait_stored(engine.documents, 100, sidelight)
        engine.authorize = basic("new")
        write(sidelight, 100, 100)
        wait_for(lambda: sidelight.metric("sidelight_output_up") == 0, 15, "sidelight_output_up 0")
        assert "unable to authenticate" in sidelight.log_text() and "401" in sidelight.log_text()
        (tmp_path / "password").write_text("new\n", encoding="utf-8")
        wait_stored(engine.documents, 200, sidelight)
        wait_for(lambda: sidelight.metric("sidelight_output_up") == 1, 10, "sidelight_output_up 1")
        assert engine.conflicts == 0
        assert sidelight.dead_letters() == []


def test_wrong_password_is_told_by_check(program, tmp_path):
    with Engine(authorize="Basic nobody") as engine:
        sidelight = Sidelight(program, tmp_path, engine.url, elasticsearch={"username": "u", "password": "hidden-secret"})
        done = subprocess.run([program, "check", "--connect", "--config", str(sidelight.config)], capture_output=True, text=True, timeout=60,
                              check=False)
        said = done.stdout + done.stderr
        assert done.returncode != 0 and "refuses our credentials (401)" in said and "hidden-secret" not in said, said


def test_something_else_than_an_engine_is_told_by_check(program, tmp_path):
    with Engine(prefix="/somewhere") as engine:
        sidelight = Sidelight(program, tmp_path, f"http://127.0.0.1:{engine.port}/elsewhere")
        done = subprocess.run([program, "check", "--connect", "--config", str(sidelight.config)], capture_output=True, text=True, timeout=60,
                              check=False)
        said = done.stdout + done.stderr
        assert done.returncode != 0 and "not as Elasticsearch or OpenSearch does" in said and "path prefix" in said, said


class Proxy:
    """A forward proxy: absolute URLs for http, CONNECT for https."""

    def __init__(self):
        self.seen = []
        proxy = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_CONNECT(self):
                proxy.seen.append("CONNECT " + self.path)
                host, port = self.path.rsplit(":", 1)
                with socket.create_connection((host, int(port))) as far:
                    self.send_response(200)
                    self.end_headers()
                    ends = {self.connection: far, far: self.connection}
                    while True:
                        for ready in select.select(list(ends), [], [], 30)[0]:
                            data = ready.recv(65536)
                            if not data:
                                self.close_connection = True
                                return
                            ends[ready].sendall(data)

            def forward(self):
                proxy.seen.append(f"{self.command} {self.path}")
                url = urllib.parse.urlsplit(self.path)
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                far = http.client.HTTPConnection(url.hostname, url.port)
                far.request(self.command, f"{url.path}?{url.query}" if url.query else url.path, body, dict(self.headers))
                answer = far.getresponse()
                data = answer.read()
                self.send_response(answer.status)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)
                far.close()

            do_GET = do_POST = do_PUT = forward

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05})

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()


def test_http_through_a_proxy(program, tmp_path):
    with Engine(prefix="/search") as engine, Proxy() as proxy:
        assert_works(program, tmp_path, engine, proxy=proxy.url)
        assert any(f"POST {engine.url}/logs-tls-default/_bulk" in line for line in proxy.seen), proxy.seen


def test_https_through_a_proxy(program, tmp_path, certificates):
    with Engine(tls_context(certificates)) as engine, Proxy() as proxy:
        assert_works(program, tmp_path, engine, proxy=proxy.url, tls={"ca_file": certificates.path("ca.pem")})
        assert set(proxy.seen) == {f"CONNECT 127.0.0.1:{engine.port}"}


def test_a_dead_proxy_is_named(program, tmp_path):
    port = free_port()
    with Engine() as engine, Sidelight(program, tmp_path, engine.url, elasticsearch={"proxy": f"http://127.0.0.1:{port}"}) as sidelight:
        write(sidelight, 0, 5)
        wait_for(lambda: f"127.0.0.1 port {port}" in sidelight.log_text(), 15, "the proxy's address in the log")
        assert engine.requests == 0


@pytest.mark.parametrize("prefix", ["/search", "/a/b"])
def test_path_prefix(program, tmp_path, prefix):
    with Engine(prefix=prefix) as engine:
        assert_works(program, tmp_path, engine)


def test_one_of_two_hosts_dies_and_comes_back(program, tmp_path):
    documents = {}
    with Engine(documents=documents) as steady:
        first = Engine(documents=documents)
        with first, Sidelight(program, tmp_path, [steady.url, first.url], elasticsearch={"data_stream": "logs-tls-default"}) as sidelight:
            for n in range(0, 1000, 100):
                write(sidelight, n, 100)
                wait_for(lambda n=n: len(documents) >= n + 100, 10, "the next hundred")
            assert min(steady.requests, first.requests) > 2
            first.__exit__()
            for n in range(1000, 2000, 100):
                write(sidelight, n, 100)
                wait_for(lambda n=n: len(documents) >= n + 100, 10, "the next hundred, with one host")
                assert sidelight.metric("sidelight_output_up") == 1
            with Engine(documents=documents, port=first.port) as back:
                deadline = time.monotonic() + 30
                n = 2000
                while back.requests < 3 and time.monotonic() < deadline:
                    write(sidelight, n, 100)
                    n += 100
                    wait_for(lambda n=n: len(documents) >= n, 10, "the next hundred")
                assert back.requests >= 3, "the host that came back is used again"
                wait_stored(documents, n, sidelight)
            assert sidelight.dead_letters() == []

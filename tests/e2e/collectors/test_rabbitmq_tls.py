"""The rabbitmq collector and a broker whose management speaks TLS."""

import pathlib
import shutil
import tempfile

import pytest

from certificates import Certificates
from rabbitmq_rig import Watch, running
from ports import free_port

pytestmark = pytest.mark.skipif(shutil.which("openssl") is None, reason="apt-get install openssl")


@pytest.fixture(scope="module", name="secure")
def _secure():
    folder = pathlib.Path(tempfile.mkdtemp(prefix="sidelight-rabbitmq-tls-"))
    folder.chmod(0o755)
    certificates = Certificates(folder)
    for file in folder.iterdir():
        file.chmod(0o644)  # the broker runs as a user of its own
    port = free_port()
    with running(settings=f"management.ssl.port = {port}\nmanagement.ssl.ip = 127.0.0.1\nmanagement.ssl.certfile = {certificates.path('server.pem')}\n"
                          f"management.ssl.keyfile = {certificates.path('server.key')}\n") as broker:
        broker.tls_url = f"https://127.0.0.1:{port}"
        broker.certificates = certificates
        yield broker
    shutil.rmtree(folder, ignore_errors=True)


def test_its_own_authority_is_trusted_when_it_is_named(program, tmp_path, secure):
    with secure.channel() as channel:
        channel.queue_declare("tls.q")
        channel.basic_publish("", "tls.q", b"x")
    with Watch(program, tmp_path, queues=["tls.*"], url=secure.tls_url, tls={"ca_file": str(secure.certificates.path("ca.pem"))},
               timeout="4s") as sidelight:
        sidelight.wait_up()
        sidelight.wait_values("tls.q", {"mes_queue_depth": 1})


def test_an_unknown_authority_is_refused(program, tmp_path, secure):
    with Watch(program, tmp_path, queues=["tls.*"], url=secure.tls_url, timeout="4s") as sidelight:
        sidelight.wait_up(up=0)
        sidelight.wait_log("certificate")
        assert sidelight.value("mes_queue_depth", "tls.q") is None

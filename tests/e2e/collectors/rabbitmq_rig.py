"""RabbitMQ for the tests of its collector, and the program that watches it."""

import contextlib
import pathlib
import shutil
import sys
import tempfile
import time

import pika

TESTS = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(TESTS))

from plant.servers.rabbitmq import RabbitMQ, password_hash  # noqa: E402  pylint: disable=wrong-import-position
from ports import free_port  # noqa: E402  pylint: disable=wrong-import-position
from rig import wait_for  # noqa: E402  pylint: disable=wrong-import-position
from watching import Watcher  # noqa: E402  pylint: disable=wrong-import-position

__all__ = ["PASSWORDS", "Broker", "Watch", "password_hash", "running"]

PASSWORDS = {"plant": "p1ant", "sidelight": "s3cret"}


class Broker(RabbitMQ):
    """`settings` are lines of rabbitmq.conf."""

    def __init__(self, folder, settings="", plugins=()):
        super().__init__(folder, dict(PASSWORDS))
        self.settings = settings
        self.plugins = plugins
        self.stream_port = free_port()

    def _write_settings(self):
        super()._write_settings()
        conf = self.folder / "rabbitmq.conf"
        conf.write_text(conf.read_text(encoding="ascii") + self.settings.format(broker=self), encoding="ascii")
        names = ["rabbitmq_management", "rabbitmq_prometheus", *self.plugins]
        (self.folder / "enabled_plugins").write_text(f"[{','.join(names)}].\n", encoding="ascii")

    @property
    def url(self):
        return f"http://127.0.0.1:{self.management_port}"

    @contextlib.contextmanager
    def channel(self, prefetch=0):
        connection = pika.BlockingConnection(pika.ConnectionParameters(
            "127.0.0.1", self.port, credentials=pika.PlainCredentials("plant", PASSWORDS["plant"]), heartbeat=0))
        try:
            channel = connection.channel()
            if prefetch:
                channel.basic_qos(prefetch_count=prefetch)
            yield channel
        finally:
            with contextlib.suppress(pika.exceptions.AMQPError, OSError):
                connection.close()

    def definitions(self):
        status, answer = self.management("GET", "/api/definitions")
        assert status == 200, answer
        return answer


@contextlib.contextmanager
def running(**options):
    """A broker in a folder that its user can reach, which those of pytest are not."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix="sidelight-rabbitmq-"))
    folder.chmod(0o755)
    broker = Broker(folder / "broker", **options)
    try:
        broker.start()
        yield broker
    finally:
        broker.stop()
        shutil.rmtree(folder, ignore_errors=True)


class Watch(Watcher):
    """The program with one broker as target `broker`, asked every second."""

    def __init__(self, program, folder, broker=None, queues=("*",), others=(), **options):
        folder.mkdir(parents=True, exist_ok=True)
        self.password_file = folder / "password"
        self.set_password(PASSWORDS["sidelight"])
        target = {"name": "broker", "url": broker.url if broker else None, "username": "sidelight",
                  "password_file": str(self.password_file), "queues": list(queues), "interval": "1s", "timeout": "900ms", **options}
        target = {k: v for k, v in target.items() if v is not None}
        super().__init__(program, folder, {"rabbitmq": [target, *others]})

    def set_password(self, password):
        self.password_file.write_text(password + "\n", encoding="ascii")
        self.password_file.chmod(0o600)

    def value(self, name, queue=None, **labels):
        """Of the one series of the target, and of the queue; None when there is none."""
        if queue is not None:
            labels["queue"] = queue
        found = self.samples(name, **{"target": "broker", **labels})
        assert len(found) <= 1, found
        return found[0][1] if found else None

    def wait_up(self, collector="rabbitmq", target="broker", up=1, seconds=20):
        super().wait_up(collector, target, up, seconds)

    def wait_run(self, collector="rabbitmq", target="broker", seconds=20):
        super().wait_run(collector, target, seconds)

    def wait_values(self, queue, expected, seconds=15):
        """Until all of {name: value} are shown; 15 s is what may pass between rest and truth."""
        begin = time.monotonic()
        seen = {}

        def all_shown():
            seen.update({name: self.value(name, queue) for name in expected})
            return seen == expected
        try:
            wait_for(all_shown, seconds, f"{queue}: {expected}")
        except AssertionError as e:
            raise AssertionError(f"{e}; seen: {seen}\n{self.log_text()[-2000:]}") from e
        return time.monotonic() - begin

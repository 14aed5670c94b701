"""From a fault in the plant to the message on the telephone: plant -> Sidelight -> Prometheus -> Alertmanager -> webhook, chat and mail.

Durations of the rules are divided by 30, so ten minutes of a queue that drains too slowly are twenty seconds; everything else is as
delivered. Each fault must bring exactly its own messages, each of them once, in the stated time, and one word when it is over. The short form takes six minutes,
--full twenty (a healthy plant for ten of them).
"""

import contextlib
import email
import email.policy
import json
import pathlib
import signal
import subprocess
import sys
import time
import urllib.request

import hurry
import pytest
import routing
import rulebook
import servers
import yaml

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from plant import Plant  # noqa: E402

BY = 30
OBJECTIVES = {"mes_queue_drain_seconds": 15, "mes_queue_head_age_seconds": 900, "mes_cache_hit_ratio": 0.25}
# Long enough that the alerts of one fault, which come seconds apart (a queue has to get a message first), are one notification.
GROUPING = {"30s": "15s", "2m": "4s", "5m": "8s", "15m": "8s"}
QUIET = 18  # seconds in which whatever else there is to say would have been said
FAULT_SERVER = pathlib.Path(__file__).resolve().parents[1] / "faults" / "fault_server.py"


class Sidecar:
    """One instance of the program, which can be killed and started again."""

    def __init__(self, program, config, port, log):
        self.command = [program, "run", "--config", str(config)]
        self.port, self.log, self.process = port, log, None

    def start(self):
        with open(self.log, "ab") as out:
            self.process = subprocess.Popen(self.command, stdout=out, stderr=out, stdin=subprocess.DEVNULL)
        servers.wait_for(self._ready, f"sidelight (see {self.log})")

    def _ready(self):
        assert self.process.poll() is None, pathlib.Path(self.log).read_text()
        return urllib.request.urlopen(f"http://127.0.0.1:{self.port}/readyz", timeout=2).status == 200

    def stop(self, sig=signal.SIGTERM):
        if self.process and self.process.poll() is None:
            self.process.send_signal(sig)
            self.process.wait(40)


class Store:
    """A destination that fails on demand."""

    def __init__(self):
        self.process = subprocess.Popen([sys.executable, str(FAULT_SERVER)], stdout=subprocess.PIPE, text=True)
        where = json.loads(self.process.stdout.readline())
        self.port, self.control = where["port"], where["control_port"]

    def fault(self, name=None):
        request = urllib.request.Request(f"http://127.0.0.1:{self.control}/_fault", json.dumps({"name": name}).encode() if name else None,
                                         {"Content-Type": "application/json"}, method="POST" if name else "DELETE")
        urllib.request.urlopen(request, timeout=10).close()

    def close(self):
        self.process.terminate()
        self.process.wait(10)


class Shop:
    """Everything together; what was told to whom."""

    def __init__(self, folder, program, stack):
        self.plant = stack.enter_context(Plant(folder / "plant", parts={"rabbitmq", "redis", "mes", "crm", "shop"},
                                               statistics_interval_ms=1000))
        ports = [servers.free_port(), servers.free_port()]
        config = self.plant.write_config(sections={"logs", "output", "log_metrics", "rabbitmq", "redis", "http_json"}, interval="1s", listen=f"127.0.0.1:{ports[0]}", more={"objectives": OBJECTIVES})
        self.watcher = Sidecar(program, config, ports[0], folder / "watcher.log")
        self.store = Store()
        stack.callback(self.store.close)
        (folder / "sidecar.yaml").write_text(yaml.safe_dump({
            "logs": [{"paths": [str(self.plant.logs / "shop" / "shop.log")], "format": "json", "service": "shop"}],
            "output": {"elasticsearch": {"hosts": [f"http://127.0.0.1:{self.store.port}"], "data_stream": "logs-shop-default"}},
            "state_dir": str(folder / "sidecar-state"), "http": {"listen": f"127.0.0.1:{ports[1]}"}}))
        self.sidecar = Sidecar(program, folder / "sidecar.yaml", ports[1], folder / "sidecar.log")
        for instance in (self.watcher, self.sidecar):
            stack.callback(instance.stop)
            instance.start()

        self.sink, self.mail = servers.HttpSink(), servers.MailSink()
        stack.callback(self.sink.close)
        stack.callback(self.mail.close)
        (folder / "alertmanager").mkdir()
        self.alertmanager = stack.enter_context(servers.Alertmanager(folder / "alertmanager", routing.for_test(
            folder / "alertmanager", self.sink, self.mail, quick=GROUPING)))
        rules = folder / "prometheus" / "rules"
        rules.mkdir(parents=True)
        for path, book in hurry.rules(BY).items():
            (rules / path.name).write_text(yaml.safe_dump(book, sort_keys=False, allow_unicode=True))
        self.prometheus = stack.enter_context(servers.Prometheus(folder / "prometheus", yaml.safe_dump({
            "global": {"scrape_interval": "1s", "scrape_timeout": "1s", "evaluation_interval": "1s"},
            "rule_files": ["rules/*.yaml"],
            "alerting": {"alertmanagers": [{"static_configs": [{"targets": [f"127.0.0.1:{self.alertmanager.port}"]}]}]},
            "scrape_configs": [{"job_name": "sidelight", "static_configs": [
                {"targets": [f"127.0.0.1:{ports[0]}"], "labels": {"namespace": "mes", "pod": "watcher-0"}},
                {"targets": [f"127.0.0.1:{ports[1]}"], "labels": {"namespace": "shop", "pod": "shop-0"}}]}]})))
        self.forget()

    def forget(self):
        self.seen_hooks, self.seen_mails = len(self.sink.received), len(self.mail.messages)
        self.begin = time.monotonic()

    def told(self):
        """Every notification since forget(), sorted: "where: what", of a webhook its alerts, of a chat or a mail its title."""
        out = []
        for _, path, body in self.sink.received[self.seen_hooks:]:
            if path.startswith("/chat/"):
                out.append(f"{path[1:]}: {body['attachments'][0]['title']}")
            elif not path.endswith("/dead-man"):
                alerts = sorted(f"{a['status']} {a['labels']['alertname']} {self._who(a['labels'])}" for a in body["alerts"])
                out.append(f"{path[1:]}: {', '.join(alerts)}")
        for raw in self.mail.messages[self.seen_mails:]:
            message = email.message_from_bytes(raw, policy=email.policy.default)
            out.append(f"mail/{message['To'].split('@')[0]}: {message['Subject']}")
        return sorted(out)

    @staticmethod
    def _who(labels):
        return labels.get("queue") or labels.get("target") or labels.get("pod", "")

    def expect(self, *expected, within, quiet=QUIET):
        """These notifications, each once, the last of them `within` seconds of forget(); and for `quiet` seconds no other."""
        expected = sorted(expected)
        until = self.begin + within
        while self.told() != expected and time.monotonic() < until:
            time.sleep(0.2)
        took = time.monotonic() - self.begin
        assert self.told() == expected, (f"after {took:.0f} s", self.prometheus.query('ALERTS{alertstate="firing"}'))
        time.sleep(quiet)
        assert self.told() == expected, f"within {quiet} s after"
        print(f"{expected} after {took:.0f} s")
        self.forget()
        return took

    def expect_over(self, team, *alerts, also=(), within):
        """Word that these pages are over, once of each; the last notification calls all of it over, and the chat has as many. What they
        kept silent (`also`) may come to light then, and must be over too. How many notifications that makes, their ends decide."""
        expected, hidden = set(alerts), set(also)

        def told():
            return [{status: [f"{a['labels']['alertname']} {self._who(a['labels'])}" for a in body["alerts"] if a["status"] == status]
                     for status in ("firing", "resolved")}
                    for _, path, body in self.sink.received[self.seen_hooks:] if path == f"/webhook/pages-{team}"]

        def over():
            return told() and not told()[-1]["firing"] and expected <= {a for n in told() for a in n["resolved"]}
        until = self.begin + within
        while not over() and time.monotonic() < until:
            time.sleep(0.2)
        assert over(), (self.told(), self.prometheus.query('ALERTS{alertstate="firing"}'))
        time.sleep(QUIET)
        firing, resolved = ([a for n in told() for a in n[status]] for status in ("firing", "resolved"))
        assert over() and set(firing) <= expected | hidden, self.told()
        assert len(resolved) == len(set(resolved)) and expected | set(firing) <= set(resolved) <= expected | hidden, self.told()
        assert len(told()) <= len(expected) + 2 * len(hidden), self.told()
        places = [line.split(":")[0] for line in self.told()]
        assert sorted(places) == sorted([f"webhook/pages-{team}", f"chat/pages-{team}"] * len(told())), self.told()
        self.forget()

    def settle(self, seconds=180):
        """Until nothing fires but the watchdog, and Alertmanager has said so."""
        servers.wait_for(lambda: [x for x in self.prometheus.query('ALERTS{alertname!="Watchdog"}')] == [], "calm", seconds)
        time.sleep(QUIET)
        self.forget()


@pytest.fixture(scope="module")
def shop(tmp_path_factory, program):
    folder = tmp_path_factory.mktemp("shop")
    with contextlib.ExitStack() as stack:
        yield Shop(folder, program, stack)


def test_healthy_plant_wakes_nobody(shop, full):
    shop.settle()
    time.sleep(600 if full else 60)
    assert shop.told() == []
    assert [body["alerts"][0]["labels"]["alertname"] for body in shop.sink.at("/webhook/dead-man")[-1:]] == ["Watchdog"]
    # There was something to see: the alerts looked at a living plant.
    for series in ("mes:queue_acked:rate5m", "mes:cache_hit_ratio:rate5m", "app:requests:rate5m", "mes:price_calculations:rate5m"):
        assert any(value > 0 for _, value in shop.prometheus.query(series)), series


def ticket(team, what, over=False, russian=False):
    word = ("[ЗАКОНЧИЛОСЬ]" if over else "[ЗАДАЧА]") if russian else "[RESOLVED]" if over else "[TICKET]"
    return [f"mail/{team}-tickets: {word} {what}", f"chat/chat-{team}: {word} {what}"]


def test_dead_consumer(shop):
    """The MES lost its connection: both of its queues have nobody, which is one incident."""
    shop.settle()
    shop.plant.switch("dead_consumer")
    title = "MesQueueNoConsumer mes-broker, оповещений: 2"
    try:
        shop.expect("webhook/pages-mes: firing MesQueueNoConsumer mes.orders, firing MesQueueNoConsumer mes.price",
                    f"chat/pages-mes: [СРОЧНО] {title}", within=90)
    finally:
        shop.plant.switch("normal_day")
    # Nobody read for a while: what has gathered takes longer than the objective, which was silent beside its cause.
    shop.expect_over("mes", "MesQueueNoConsumer mes.orders", "MesQueueNoConsumer mes.price",
                     also=["MesQueueDrainTooLong mes.orders", "MesQueueDrainTooLong mes.price"], within=240)


def test_full_destination(shop):
    shop.settle()
    shop.store.fault("blocked_index")
    try:
        shop.expect(*ticket("platform", "LogOutputDown, pods: 1"), within=60)
    finally:
        shop.store.fault()
    shop.expect(*ticket("platform", "LogOutputDown, pods: 1", over=True), within=150)


def test_killed_sidecar(shop):
    shop.settle()
    shop.sidecar.stop(signal.SIGKILL)
    try:
        shop.expect(*ticket("platform", "SidelightDown, pods: 1"), within=60)
    finally:
        shop.sidecar.start()
    shop.expect(*ticket("platform", "SidelightDown, pods: 1", over=True), within=120)


def test_dead_broker_is_one_page(shop):
    shop.settle()
    shop.plant.stop("rabbitmq")
    try:
        shop.expect("webhook/pages-mes: firing MesBrokerDown mes-broker", "chat/pages-mes: [СРОЧНО] MesBrokerDown mes-broker", within=75, quiet=30)
    finally:
        shop.plant.start("rabbitmq")
    # Workers come back a little later than the broker; that is silent beside it, and over with it.
    shop.expect_over("mes", "MesBrokerDown mes-broker", also=["MesQueueNoConsumer mes.orders", "MesQueueNoConsumer mes.price"], within=300)


def test_backlog(shop, full):
    if not full:
        pytest.skip("five minutes, until the backlog is gone: with --full")
    shop.settle()
    shop.plant.switch("overload_2x")
    title = "MesQueueDrainTooLong mes-broker mes.orders"
    try:
        shop.expect("webhook/pages-mes: firing MesQueueDrainTooLong mes.orders", f"chat/pages-mes: [СРОЧНО] {title}", within=120)
    finally:
        shop.plant.switch("normal_day")
        shop.plant.pause_load()
    shop.expect("webhook/pages-mes: resolved MesQueueDrainTooLong mes.orders", f"chat/pages-mes: [ЗАКОНЧИЛОСЬ] {title}", within=400)
    shop.plant.resume_load()


def test_cache_that_is_flushed_again_and_again(shop, full):
    shop.settle()
    until = time.monotonic() + 200
    while not shop.told() and time.monotonic() < until:
        shop.plant.flush_cache()
        time.sleep(0.5)
    shop.expect(*ticket("mes", "MesCacheHitRateUnderFloor price-cache", russian=True), within=200)
    if full:
        shop.expect(*ticket("mes", "MesCacheHitRateUnderFloor price-cache", over=True, russian=True), within=500)

"""The rabbitmq collector against a real broker: every metric against what the test did to the queue, and a broker that is never changed."""

import threading
import time

import pika
import pytest

from rabbitmq_rig import PASSWORDS, Watch, password_hash, running
from rig import wait_for
from stream_client import StreamConsumer
from watching import BadServer


@pytest.fixture(scope="module")
def broker():
    with running(plugins=["rabbitmq_stream", "rabbitmq_stream_management"],
                 settings="stream.listeners.tcp.1 = 127.0.0.1:{broker.stream_port}\n") as b:
        yield b


@pytest.fixture(scope="module", autouse=True)
def untouched(broker):
    """What the broker holds besides queues of the tests is the same before and after: the collector only looks."""
    def rest():
        definitions = broker.definitions()
        return {k: v for k, v in definitions.items() if k not in ("queues", "bindings", "exchanges", "policies")}
    before = rest()
    yield
    assert rest() == before


def publish(channel, queue, count, stamp=False, first=0):
    for n in range(first, first + count):
        properties = pika.BasicProperties(delivery_mode=2, timestamp=int(time.time()) if stamp else None)
        channel.basic_publish("", queue, f"message {n}".encode(), properties)


def take(channel, queue, count):
    """Delivery tags of `count` messages, by basic.get."""
    tags = []
    while len(tags) < count:
        method, _, _ = channel.basic_get(queue)
        if method is not None:
            tags.append(method.delivery_tag)
    return tags


def test_depth_and_counters_are_exact_at_rest(program, tmp_path, broker):
    with broker.channel() as channel, broker.channel(prefetch=7) as consuming, Watch(program, tmp_path, broker, ["exact.*"]) as sidelight:
        for queue, arguments in (("exact.work", {}), ("exact.quorum", {"x-queue-type": "quorum"}), ("exact.idle", {}), ("exact.auto", {})):
            channel.queue_declare(queue, durable=True, arguments=arguments)
        channel.confirm_delivery()
        for queue, count in (("exact.work", 200), ("exact.quorum", 50), ("exact.auto", 30)):
            publish(channel, queue, count)
        got = {"exact.work": [], "exact.quorum": [], "exact.auto": []}
        for queue, tags in got.items():
            consuming.basic_consume(queue, lambda _c, m, _p, _b, tags=tags: tags.append((m.delivery_tag, m.redelivered)),
                                    auto_ack=queue == "exact.auto")
        wait_for(lambda: consuming.connection.process_data_events(0.1) or [len(t) for t in got.values()] == [7, 7, 30], 10, "deliveries")
        for _ in range(10):  # ten acknowledged, one after the other
            consuming.basic_ack(got["exact.work"].pop(0)[0])
            wait_for(lambda: consuming.connection.process_data_events(0.05) or len(got["exact.work"]) == 7, 5, "the next one")
        consuming.basic_nack(got["exact.work"].pop(0)[0], requeue=True)
        wait_for(lambda: consuming.connection.process_data_events(0.05) or len(got["exact.work"]) == 7, 5, "it comes back")
        gets = take(channel, "exact.quorum", 3)
        waited = sidelight.wait_values("exact.work", {
            "mes_queue_ready": 183, "mes_queue_unacked": 7, "mes_queue_depth": 190, "mes_queue_consumers": 1,
            "mes_queue_published_total": 200, "mes_queue_delivered_total": 18, "mes_queue_acked_total": 10, "mes_queue_redelivered_total": 1})
        # Messages that were taken by basic.get are no consumers, although the broker counts them so.
        sidelight.wait_values("exact.quorum", {"mes_queue_ready": 40, "mes_queue_unacked": 10, "mes_queue_depth": 50,
                                               "mes_queue_consumers": 1, "mes_queue_published_total": 50})
        assert broker.queue("exact.quorum")["consumers"] == 4
        # Who need not acknowledge has done so.
        sidelight.wait_values("exact.auto", {"mes_queue_depth": 0, "mes_queue_acked_total": 30, "mes_queue_delivered_total": 30})
        sidelight.wait_values("exact.idle", {"mes_queue_depth": 0, "mes_queue_published_total": 0, "mes_queue_acked_total": 0,
                                             "mes_queue_consumers": 0, "mes_queue_consumer_utilisation_ratio": None})
        print(f"true {waited:.1f} s after rest")
        assert 0 <= sidelight.value("mes_queue_consumer_utilisation_ratio", "exact.work") <= 1
        assert sidelight.value("mes_broker_queues") == 4
        assert sidelight.value("mes_broker_info", version="3.10.8") == 1
        assert sidelight.value("mes_broker_connections") == 2
        for alarm in ("memory", "disk"):
            assert sidelight.value("mes_broker_alarm", alarm=alarm, node=broker.node) == 0
        assert sidelight.value("mes_broker_node_up", node=broker.node) == 1
        assert sidelight.value("mes_broker_disk_limit_bytes") == 50_000_000
        assert 0 < sidelight.value("mes_broker_memory_used_bytes") < sidelight.value("mes_broker_memory_limit_bytes")
        assert sidelight.value("mes_broker_disk_free_bytes") > 0
        for tag in gets:
            channel.basic_ack(tag)
        sidelight.wait_values("exact.quorum", {"mes_queue_depth": 47, "mes_queue_consumers": 1, "mes_queue_acked_total": 3})


def test_dead_letters_stand_apart(program, tmp_path, broker):
    with broker.channel() as channel, Watch(program, tmp_path, broker, ["letters.*"], dead_letter_queues=["grave.*"]) as sidelight:
        channel.exchange_declare("letters-x", "topic")
        for queue, arguments in (
                ("letters.work", {"x-dead-letter-exchange": "letters-x", "x-dead-letter-routing-key": "work.dead"}),
                ("outside.dead", {}), ("letters.other", {}), ("grave.yard", {}), ("letters.policy", {}), ("outside.policy", {}),
                # Waits and comes back: work, and no dead letter.
                ("letters.retry", {"x-dead-letter-exchange": "", "x-dead-letter-routing-key": "letters.back", "x-message-ttl": 600_000}),
                ("letters.back", {"x-dead-letter-exchange": "", "x-dead-letter-routing-key": "letters.retry"}),
                # Work is put there to wait: nobody reads it, and nobody should.
                ("letters.delay", {"x-dead-letter-exchange": "", "x-dead-letter-routing-key": "letters.back", "x-message-ttl": 600_000})):
            channel.queue_declare(queue, arguments=arguments)
        channel.queue_bind("outside.dead", "letters-x", "*.dead")
        channel.queue_bind("letters.other", "letters-x", "*.other")
        assert broker.management("PUT", "/api/policies/%2F/letters", {
            "pattern": "^letters\\.policy$", "definition": {"dead-letter-exchange": "", "dead-letter-routing-key": "outside.policy"},
            "apply-to": "queues"})[0] in (201, 204)
        channel.basic_consume("letters.back", lambda *_: None)  # what nobody consumes might just wait there
        publish(channel, "letters.work", 10)
        wait_for(lambda: sidelight.value("mes_dead_letter_depth", "outside.dead") == 0, 15, "the queue of dead letters")
        for tag in take(channel, "letters.work", 6):
            channel.basic_nack(tag, requeue=False)
        sidelight.wait_values("outside.dead", {"mes_dead_letter_depth": 6, "mes_queue_depth": None})
        sidelight.wait_values("outside.dead", {"mes_dead_letter_published_total": 6}, 30)
        sidelight.wait_values("letters.work", {"mes_queue_depth": 4, "mes_dead_letter_depth": None})
        sidelight.wait_values("grave.yard", {"mes_dead_letter_depth": 0, "mes_queue_depth": None})
        sidelight.wait_values("outside.policy", {"mes_dead_letter_depth": 0})
        sidelight.wait_values("letters.other", {"mes_queue_depth": 0, "mes_dead_letter_depth": None})
        sidelight.wait_values("letters.retry", {"mes_dead_letter_depth": 0})
        sidelight.wait_values("letters.back", {"mes_queue_depth": 0, "mes_dead_letter_depth": None, "mes_queue_delay_info": None})
        publish(channel, "letters.delay", 3)
        sidelight.wait_values("letters.delay", {"mes_queue_depth": 3, "mes_queue_delay_info": 1, "mes_queue_head_age_seconds": None})


class Load:
    """Publishes to two queues, one with timestamps, and consumes both at another rate; knows when the message at each head came."""

    def __init__(self, broker, queues, publish_rate, work_rate):
        self.broker = broker
        self.queues = queues
        self.publish_rate = publish_rate
        self.work_rate = work_rate
        self.times = {q: [] for q in queues}
        self.delivered = {q: 0 for q in queues}
        self.acked = {q: 0 for q in queues}
        self.stop = threading.Event()
        self.threads = [threading.Thread(target=t) for t in (self._publish, *[lambda q=q: self._consume(q) for q in queues])]

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.stop.set()
        for thread in self.threads:
            thread.join()

    def _publish(self):
        with self.broker.channel() as channel:
            due = time.monotonic()
            while not self.stop.is_set():
                for queue, stamped in self.queues.items():
                    self.times[queue].append(time.time())
                    publish(channel, queue, 1, stamped)
                due += 1 / self.publish_rate()
                self.stop.wait(max(0, due - time.monotonic()))

    def _consume(self, queue):
        with self.broker.channel(prefetch=5) as channel:
            waiting = []

            def deliver(_channel, method, _properties, _body):
                self.delivered[queue] += 1
                waiting.append(method.delivery_tag)
            channel.basic_consume(queue, deliver)
            due = time.monotonic()
            while not self.stop.is_set():
                due += 1 / self.work_rate()
                channel.connection.process_data_events(max(0.001, due - time.monotonic()))
                if waiting and time.monotonic() >= due - 0.001:
                    channel.basic_ack(waiting.pop(0))
                    self.acked[queue] += 1

    def age(self, queue):
        times, head = self.times[queue], self.delivered[queue]
        return time.time() - times[head] if head < len(times) else None


def test_ages_and_drain_time_under_load(program, tmp_path, broker, full):
    """Measured ages are within 12 s; the error of estimated ones is stated, and within 12 s too."""
    queues = {"load.stamped": True, "load.plain": False}
    with broker.channel() as channel:
        for queue in queues:
            channel.queue_declare(queue)
    begin = time.monotonic()
    # Faster than the work at first, then slower, so that the head's age goes up and comes down.
    seconds = 240 if full else 50
    grows = seconds * 0.6
    errors = {"measured": [], "estimated": []}
    with Watch(program, tmp_path, broker, ["load.*"]) as sidelight, \
            Load(broker, queues, lambda: 40 if time.monotonic() - begin < grows else 4, lambda: 15) as load:
        oldest = 0
        while time.monotonic() - begin < seconds:
            time.sleep(0.5)
            for queue, method in (("load.stamped", "measured"), ("load.plain", "estimated")):
                shown, truth = sidelight.value("mes_queue_head_age_seconds", queue, method=method), load.age(queue)
                if shown is not None and truth is not None and time.monotonic() - begin > 15:
                    errors[method].append(shown - truth)
                    oldest = max(oldest, truth)
        for method, e in errors.items():
            e.sort()
            print(f"{method}: {len(e)} ages up to {oldest:.0f} s; error {e[0]:+.1f} to {e[-1]:+.1f} s, median {e[len(e) // 2]:+.1f} s")
            assert len(e) > seconds // 2
            assert -12 <= e[0] and e[-1] <= 12, method
        assert oldest > 15
        depth, drain = sidelight.value("mes_queue_depth", "load.plain"), sidelight.value("mes_queue_drain_seconds", "load.plain")
        truth = depth / (load.acked["load.plain"] / (time.monotonic() - begin))
        print(f"drain time {drain:.0f} s, true {truth:.0f} s")
        assert abs(drain - truth) < 0.2 * truth
        assert sidelight.value("mes_queue_stalled", "load.plain") == 0
        growth = sidelight.value("mes_queue_growth_per_second", "load.plain")
        assert growth > 0 and abs(growth - depth / min(time.monotonic() - begin, 300)) < 5


def test_a_queue_without_a_consumer_stalls(program, tmp_path, broker, full):
    if not full:
        pytest.skip("takes five and a half minutes; --full")
    with broker.channel() as channel, Watch(program, tmp_path, broker, ["stall.*"]) as sidelight:
        channel.queue_declare("stall.q")
        publish(channel, "stall.q", 100)
        sidelight.wait_values("stall.q", {"mes_queue_depth": 100})
        assert sidelight.value("mes_queue_stalled", "stall.q") is None  # what was before is not known
        for tag in take(channel, "stall.q", 10):
            channel.basic_ack(tag)
        sidelight.wait_values("stall.q", {"mes_queue_depth": 90, "mes_queue_acked_total": 10, "mes_queue_stalled": 0})
        assert sidelight.value("mes_queue_drain_seconds", "stall.q") > 0
        waited = sidelight.wait_values("stall.q", {"mes_queue_stalled": 1, "mes_queue_drain_seconds": None}, 330)
        assert waited > 280


def test_a_queue_that_is_deleted_takes_its_series_along(program, tmp_path, broker):
    with broker.channel() as channel, Watch(program, tmp_path, broker, ["gone.*"]) as sidelight:
        channel.queue_declare("gone.a")
        channel.queue_declare("gone.b")
        publish(channel, "gone.a", 5)
        sidelight.wait_values("gone.a", {"mes_queue_depth": 5})
        sidelight.wait_values("gone.b", {"mes_queue_depth": 0})
        channel.queue_delete("gone.a")
        wait_for(lambda: '"gone.a"' not in sidelight.get("/metrics")[1], 10, "the end of its series")
        assert sidelight.value("mes_queue_depth", "gone.b") == 0
        assert sidelight.value("mes_broker_queues") == 1


def test_a_rotated_password_is_taken_up(program, tmp_path, broker):
    with Watch(program, tmp_path, broker) as sidelight:
        sidelight.wait_up()
        new = {"password": "new", "tags": "monitoring"}
        try:
            assert broker.management("PUT", "/api/users/sidelight", new)[0] == 204
            sidelight.wait_up(up=0)
            sidelight.wait_log("refused user sidelight: Login failed")
            sidelight.set_password("new")
            sidelight.wait_up()
            assert broker.management("PUT", "/api/users/sidelight", {**new, "tags": "management"})[0] == 204
            sidelight.wait_up(up=0)
            sidelight.wait_log("needs the tag `monitoring` (rabbitmqctl set_user_tags sidelight monitoring)")
        finally:
            assert broker.management("PUT", "/api/users/sidelight", {
                "password_hash": password_hash(PASSWORDS["sidelight"]), "hashing_algorithm": "rabbit_password_hashing_sha256",
                "tags": "monitoring"})[0] == 204
        text = sidelight.log_text() + sidelight.get("/metrics")[1]
        assert "s3cret" not in text and '"new"' not in text


def test_a_target_that_hangs_or_talks_nonsense_is_down_alone(program, tmp_path, broker):
    def page(body, status="200 OK"):
        return f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n{body}".encode()
    nonsense = {"html": page("<html>hello</html>"), "shape": page('{"items": 7}'), "cut": b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{",
                "bytes": bytes(range(256)), "error": page('{"error":"oops","reason":"nodedown"}', "503 Service Unavailable"),
                "nothing": page("", "404 Not Found")}
    with BadServer("hang") as hung, BadServer("flood") as flood:
        servers = {name: BadServer(text) for name, text in nonsense.items()}
        for s in servers.values():
            s.__enter__()  # pylint: disable=unnecessary-dunder-call
        servers |= {"hung": hung, "flood": flood}
        others = [{"name": name, "url": f"http://127.0.0.1:{s.port}", "queues": ["*"], "interval": "1s", "timeout": "900ms"}
                  for name, s in servers.items()]
        others += [{"name": "prom-" + name, "prometheus_urls": [f"http://127.0.0.1:{s.port}"], "queues": ["*"], "interval": "1s",
                    "timeout": "900ms"} for name, s in servers.items()]
        with Watch(program, tmp_path, broker, others=others) as sidelight:
            sidelight.wait_up()
            for other in others:
                sidelight.wait_up(target=other["name"], up=0)
            for _ in range(5):
                begin = time.monotonic()
                assert sidelight.up("rabbitmq", "broker") == 1
                assert time.monotonic() - begin < 0.5
                time.sleep(0.3)
            shown = {labels["target"] for labels, _ in sidelight.samples("mes_broker_info")}
            assert shown == {"broker"}
            assert sidelight.running()
        for name in nonsense:
            servers[name].__exit__()


def test_two_instances_agree(program, tmp_path, broker):
    with broker.channel() as channel, Watch(program, tmp_path / "a", broker, ["two.*"]) as a, \
            Watch(program, tmp_path / "b", broker, ["two.*"]) as b:
        channel.queue_declare("two.q")
        publish(channel, "two.q", 25)
        for tag in take(channel, "two.q", 5):
            channel.basic_ack(tag)
        truth = {"mes_queue_depth": 20, "mes_queue_ready": 20, "mes_queue_unacked": 0, "mes_queue_published_total": 25,
                 "mes_queue_acked_total": 5, "mes_queue_delivered_total": 5}
        for sidelight in (a, b):
            sidelight.wait_values("two.q", truth)


def test_nothing_is_changed_on_the_broker(program, tmp_path, broker):
    with broker.channel() as channel:
        channel.queue_declare("same.q", durable=True, arguments={"x-dead-letter-exchange": "same-x"})
        publish(channel, "same.q", 10)
        time.sleep(0.5)
        before = broker.definitions()
        others = [{"name": "prom", "prometheus_urls": [f"http://127.0.0.1:{broker.prometheus_port}"], "queues": ["*"], "interval": "1s"}]
        with Watch(program, tmp_path, broker, others=others) as sidelight:
            sidelight.wait_values("same.q", {"mes_queue_depth": 10})
            for _ in range(3):
                sidelight.wait_run()
                sidelight.wait_run(target="prom")
        assert broker.definitions() == before
        assert channel.queue_declare("same.q", passive=True).method.message_count == 10


def test_depth_alone_from_rabbitmq_prometheus(program, tmp_path, broker):
    with broker.channel() as channel, BadServer("hang") as hung:
        channel.queue_declare("prom.q")
        channel.queue_declare("prom.s", durable=True, arguments={"x-queue-type": "stream"})
        channel.queue_declare("prom.dead")
        publish(channel, "prom.q", 12)
        publish(channel, "prom.s", 30)
        take(channel, "prom.q", 2)
        urls = [f"http://127.0.0.1:{hung.port}", f"http://127.0.0.1:{broker.prometheus_port}"]
        with Watch(program, tmp_path, queues=["prom.*"], prometheus_urls=urls, vhosts=["/"], dead_letter_queues=["*.dead"]) as sidelight:
            sidelight.wait_values("prom.q", {"mes_queue_ready": 10, "mes_queue_unacked": 2, "mes_queue_depth": 12, "mes_queue_consumers": 0})
            sidelight.wait_values("prom.s", {"mes_stream_messages": 30, "mes_queue_depth": None})
            sidelight.wait_values("prom.dead", {"mes_dead_letter_depth": 0, "mes_queue_depth": None})
            for name in ("published_total", "acked_total", "drain_seconds", "stalled", "head_age_seconds"):
                assert sidelight.samples("mes_queue_" + name) == [], name
            assert sidelight.value("mes_broker_node_up", node=broker.node) == 1
            assert sidelight.value("mes_broker_node_up", node=f"127.0.0.1:{hung.port}") == 0
            assert sidelight.value("mes_broker_disk_limit_bytes", node=broker.node) == 50_000_000
            sidelight.wait_log("queues of a node are missing")


def test_a_stream_shows_its_lag_and_no_depth(program, tmp_path, broker):
    with broker.channel() as channel, Watch(program, tmp_path, broker, ["stream.*"]) as sidelight:
        channel.queue_declare("stream.s", durable=True, arguments={"x-queue-type": "stream"})
        channel.confirm_delivery()
        publish(channel, "stream.s", 50)
        sidelight.wait_values("stream.s", {"mes_stream_messages": 50, "mes_queue_depth": None, "mes_queue_drain_seconds": None,
                                           "mes_stream_consumer_lag": None})
        consumer = StreamConsumer(broker.stream_port, "plant", PASSWORDS["plant"], "stream.s", credit=1)
        try:
            wait_for(lambda: (sidelight.value("mes_stream_consumer_lag", "stream.s") or 0) > 0, 15, "a lag")
            lag = sidelight.value("mes_stream_consumer_lag", "stream.s")
            print(f"lag {lag:.0f} of 50 after one chunk")
            assert lag < 50
            consumer.credit(1000)
            sidelight.wait_values("stream.s", {"mes_stream_consumer_lag": 0, "mes_stream_messages": 50})
        finally:
            consumer.close()


def test_a_family_that_the_broker_does_not_know_is_an_error(program, tmp_path):
    body = ('# TYPE rabbitmq_build_info untyped\nrabbitmq_build_info{rabbitmq_version="3.8.9"} 1\n'
            'rabbitmq_identity_info{rabbitmq_node="rabbit@a"} 1\n')
    answer = f"HTTP/1.1 200 OK\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n{body}".encode()
    with BadServer(answer) as old, Watch(program, tmp_path, prometheus_urls=[f"http://127.0.0.1:{old.port}"]) as sidelight:
        sidelight.wait_up(up=0)
        sidelight.wait_log("no family queue_coarse_metrics")
        assert sidelight.samples("mes_queue_depth") == []


def test_without_statistics_what_is_missing_is_absent_and_named(program, tmp_path):
    with running(settings="management.disable_stats = true\nmanagement_agent.disable_metrics_collector = true\n") as silent, \
            silent.channel() as channel, Watch(program, tmp_path, silent) as sidelight:
        channel.queue_declare("q")
        channel.queue_declare("s", durable=True, arguments={"x-queue-type": "stream"})
        publish(channel, "q", 9)
        take(channel, "q", 4)
        sidelight.wait_values("q", {"mes_queue_ready": 5, "mes_queue_unacked": 4, "mes_queue_depth": 9})
        sidelight.wait_log("the broker keeps no statistics (management.disable_stats)")
        for name in ("published_total", "acked_total", "consumers", "drain_seconds", "stalled", "head_age_seconds"):
            assert sidelight.samples("mes_queue_" + name) == [], name
        assert sidelight.samples("mes_stream_messages") == [] and sidelight.samples("mes_stream_consumer_lag") == []
        assert sidelight.value("mes_broker_node_up", node=silent.node) == 1


def test_ten_thousand_queues(program, tmp_path, broker, full):
    """A filter that means few of them stays cheap; one that means all is held to the cap."""
    count = 10_000 if full else 1_200
    with broker.channel() as channel:
        for n in range(count):
            channel.queue_declare(f"many.{n:05}", durable=False)
        for n in range(0, 100):
            publish(channel, f"many.{n:05}", 1)
        with Watch(program, tmp_path / "few", broker, ["many.000??"], timeout="4s") as few:
            few.wait_values("many.00099", {"mes_queue_depth": 1}, 30)
            few.wait_run()
            took = few.metric("sidelight_collector_duration_seconds", target="broker")
            assert few.value("mes_broker_queues") == 100
            assert len(few.samples("mes_queue_depth")) == 100
        with Watch(program, tmp_path / "all", broker, ["many.*"], interval="5s", timeout="20s") as everything:
            everything.wait_up(seconds=40)
            wait_for(lambda: everything.value("mes_broker_queues") == count, 30, "all queues counted")
            assert len(everything.samples("mes_queue_depth")) == 1000
            everything.wait_log(f"{count} queues match; the first 1000 of them are shown")
            took_all = everything.metric("sidelight_collector_duration_seconds", target="broker")
            memory = everything.peak_mib()
        print(f"{count} queues: 100 of them in {took * 1000:.0f} ms, 1000 in {took_all * 1000:.0f} ms; peak memory {memory:.0f} MiB")
        assert took < 2
        for n in range(count):
            channel.queue_delete(f"many.{n:05}")


def test_a_broker_that_restarts(program, tmp_path):
    with running() as own, Watch(program, tmp_path, own) as sidelight:
        with own.channel() as channel:
            channel.queue_declare("kept", durable=True)
            channel.confirm_delivery()
            publish(channel, "kept", 40)
            for tag in take(channel, "kept", 10):
                channel.basic_ack(tag)
            sidelight.wait_values("kept", {"mes_queue_depth": 30, "mes_queue_published_total": 40, "mes_queue_acked_total": 10})
        own.stop()
        sidelight.wait_up(up=0)
        # Last values stay for three intervals; then they are gone, not zero.
        wait_for(lambda: sidelight.samples("mes_queue_depth") == [], 10, "the end of old values")
        assert sidelight.metric("sidelight_collector_stale", target="broker") == 1
        own.start()
        sidelight.wait_up(seconds=90)
        sidelight.wait_values("kept", {"mes_queue_depth": 30})
        sidelight.wait_values("kept", {"mes_queue_published_total": 0})
        with own.channel() as channel:
            publish(channel, "kept", 5, first=40)
        sidelight.wait_values("kept", {"mes_queue_depth": 35, "mes_queue_published_total": 5})

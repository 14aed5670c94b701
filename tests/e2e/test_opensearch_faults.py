"""Numbered lines through a proxy that fails on demand into a real OpenSearch: the documents are counted in the index."""

import collections
import json
import random
import time

import pytest

from components import OpenSearch, missing
from rig import STREAM, FaultProxy, Sidelight, WriterProcess, wait_for
from store import NUMBER

RATE = 3000


@pytest.fixture(scope="module")
def engine():
    why = missing("opensearch")
    if why:
        pytest.skip(why)
    with OpenSearch() as e:
        yield e


def numbers_in(engine, index):
    counts = collections.Counter()
    for hit in engine.scan(index):
        match = NUMBER.search(hit["_source"]["message"].encode())
        assert match, f"torn: {hit['_source']}"
        counts[int(match.group(1))] += 1
    return counts


def assert_each_once(engine, index, truth, sidelight, patience=60, refused=frozenset()):
    """Each line is in the index once, but for those that the engine refuses, which are in the dead letters once. A line that was written
    between the copy and the truncation of copytruncate may be missing."""
    optional = {n for begin, end in truth["optional"] for n in range(begin, end)}
    wanted = set(range(truth["count"])) - optional - refused
    if sidelight.running():
        try:
            wait_for(lambda: engine.count(index) >= len(wanted), patience, f"{len(wanted)} documents")
        except AssertionError as e:
            raise AssertionError(f"{e}; there are {engine.count(index)}\n{sidelight.log_text()[-3000:]}") from e
        assert sidelight.stop()[0] == 0
    counts = numbers_in(engine, index)
    lost = sorted(wanted - counts.keys())
    doubled = [n for n, c in counts.items() if c > 1]
    assert (len(lost), len(doubled)) == (0, 0), (lost[:20], doubled[:20], sidelight.log_text()[-3000:])
    assert not counts.keys() - wanted - optional
    letters = collections.Counter(int(NUMBER.search(json.dumps(letter).encode()).group(1)) for letter in sidelight.dead_letters())
    assert letters == collections.Counter(refused)


@pytest.mark.parametrize("fault,params", [
    ("reject_all", {}), ("unavailable", {}), ("cut", {"probability": 0.5}), ("lose", {"probability": 0.5}), ("refuse", {}), ("hang", {"store": True}),
    ("reject_items", {"fraction": 0.2}),
], ids=lambda v: v if isinstance(v, str) else "-".join(f"{k}={x}" for k, x in v.items()) or "plain")
def test_fault_for_some_seconds(program, tmp_path, full, engine, fault, params):
    stream = f"logs-{fault.replace('_', '')}-default"
    with FaultProxy(engine.port) as proxy, Sidelight(program, tmp_path, proxy.url, elasticsearch={"data_stream": stream}) as sidelight:
        writer = WriterProcess(sidelight.logs / "app.log", "real", RATE, 30 if full else 5)
        time.sleep(1.5)
        proxy.fault(fault, 10 if full else 2.5, **params)
        assert_each_once(engine, stream, writer.truth(), sidelight)
        if fault == "reject_items":
            assert proxy.stats()["statuses"]["rejected items"] > 100


@pytest.mark.parametrize("how", ["rename", "copytruncate"])
def test_rotation(program, tmp_path, full, engine, how):
    stream = f"logs-{how}-default"
    with Sidelight(program, tmp_path, engine.url, elasticsearch={"data_stream": stream}) as sidelight:
        writer = WriterProcess(sidelight.logs / "app.log", "turn", RATE, 60 if full else 10, rotate=how, every=3)
        truth = writer.truth()
        assert truth["rotations"] >= (19 if full else 3)
        assert_each_once(engine, stream, truth, sidelight)


def test_kills(program, tmp_path, full, engine):
    with Sidelight(program, tmp_path, engine.url, elasticsearch={"data_stream": "logs-kills-default"}) as sidelight:
        writer = WriterProcess(sidelight.logs / "app.log", "kill", RATE, 60 if full else 12)
        while writer.running():
            time.sleep(5 if full else 2.5)
            sidelight.kill()
            sidelight.start()
        assert_each_once(engine, "logs-kills-default", writer.truth(), sidelight)


def test_end_of_writing(program, tmp_path, engine):
    """SIGTERM right behind the last line: it is not waited for in any other way."""
    with Sidelight(program, tmp_path, engine.url, elasticsearch={"data_stream": "logs-end-default"}) as sidelight:
        truth = WriterProcess(sidelight.logs / "app.log", "end", RATE, 3).truth()
        assert sidelight.stop()[0] == 0
        engine.refresh()
        assert_each_once(engine, "logs-end-default", truth, sidelight)


def test_documents_that_the_engine_refuses_for_good(program, tmp_path, full, engine):
    """Its mapping says that an order's number is a number; of each thousand lines one has a word there."""
    engine.request("PUT", "/_index_template/orders", {
        "index_patterns": ["logs-orders-*"], "data_stream": {}, "priority": 500,
        "template": {"mappings": {"properties": {"labels": {"properties": {"order_id": {"type": "integer"}}}}}}})
    with Sidelight(program, tmp_path, engine.url, elasticsearch={"data_stream": "logs-orders-default"}) as sidelight:
        truth = WriterProcess(sidelight.logs / "app.log", "odd", RATE, 30 if full else 5, format="json", odd_every=1000).truth()
        refused = frozenset(range(0, truth["count"], 1000))
        assert len(refused) > 10
        assert_each_once(engine, "logs-orders-default", truth, sidelight, refused=refused)
        log = sidelight.log_text()
        assert "order_id" in log and "send.dead_lettered" in log, log[-2000:]


def test_mix_with_rotation_and_kills(program, tmp_path, full, engine):
    rng = random.Random(3)
    with FaultProxy(engine.port) as proxy, Sidelight(program, tmp_path, proxy.url) as sidelight:
        writer = WriterProcess(sidelight.logs / "app.log", "mix", RATE, 60 if full else 10, rotate="rename", every=3, keep=20)
        while writer.running():
            fault, params = rng.choice([("reject_all", {}), ("unavailable", {}), ("cut", {"probability": 0.5}), ("refuse", {}),
                                        ("lose", {"probability": 0.5})])
            proxy.fault(fault, rng.uniform(0.5, 1.5), **params)
            time.sleep(rng.uniform(1, 3))
            sidelight.kill()
            sidelight.start()
        proxy.clear()
        assert_each_once(engine, STREAM, writer.truth(), sidelight)


def test_engine_that_rejects_by_itself(program, tmp_path):
    """A tiny memory limit makes the real engine answer 429, a tiny body limit 413."""
    why = missing("opensearch")
    if why:
        pytest.skip(why)
    with OpenSearch({"indexing_pressure.memory.limit": "200kb", "http.max_content_length": "1mb"}) as tight:
        with Sidelight(program, tmp_path, tight.url) as sidelight:
            writer = WriterProcess(sidelight.logs / "app.log", "tight", RATE, 5)
            assert_each_once(tight, STREAM, writer.truth(), sidelight)

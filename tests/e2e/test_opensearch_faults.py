"""Numbered lines through a proxy that fails on demand into a real OpenSearch: the documents are counted in the index."""

import collections
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


def assert_each_once(engine, index, count, sidelight, patience=60):
    try:
        wait_for(lambda: engine.count(index) >= count, patience, f"{count} documents")
    except AssertionError as e:
        raise AssertionError(f"{e}; there are {engine.count(index)}\n{sidelight.log_text()[-3000:]}") from e
    sidelight.stop()
    counts = numbers_in(engine, index)
    lost = [n for n in range(count) if n not in counts]
    doubled = [n for n, c in counts.items() if c > 1]
    assert (len(lost), len(doubled)) == (0, 0), (lost[:20], doubled[:20], sidelight.log_text()[-3000:])
    assert engine.count(index) == count
    assert sidelight.dead_letters() == []


@pytest.mark.parametrize("fault,params", [
    ("reject_all", {}), ("unavailable", {}), ("cut", {"probability": 0.5}), ("lose", {"probability": 0.5}), ("refuse", {}), ("hang", {"store": True}),
], ids=lambda v: v if isinstance(v, str) else "-".join(f"{k}={x}" for k, x in v.items()) or "plain")
def test_fault_for_some_seconds(program, tmp_path, full, engine, fault, params):
    stream = f"logs-{fault.replace('_', '')}-default"
    with FaultProxy(engine.port) as proxy, Sidelight(program, tmp_path, proxy.url, elasticsearch={"data_stream": stream}) as sidelight:
        writer = WriterProcess(sidelight.logs / "app.log", "real", RATE, 30 if full else 5)
        time.sleep(1.5)
        proxy.fault(fault, 10 if full else 2.5, **params)
        assert_each_once(engine, stream, writer.truth()["count"], sidelight)


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
        assert_each_once(engine, STREAM, writer.truth()["count"], sidelight)


def test_engine_that_rejects_by_itself(program, tmp_path):
    """A tiny memory limit makes the real engine answer 429, a tiny body limit 413."""
    why = missing("opensearch")
    if why:
        pytest.skip(why)
    with OpenSearch({"indexing_pressure.memory.limit": "200kb", "http.max_content_length": "1mb"}) as tight:
        with Sidelight(program, tmp_path, tight.url) as sidelight:
            writer = WriterProcess(sidelight.logs / "app.log", "tight", RATE, 5)
            assert_each_once(tight, STREAM, writer.truth()["count"], sidelight)

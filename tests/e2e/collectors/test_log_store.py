"""The collectors of where logs go: real search engines, and a Logstash that is played after its documentation."""

import json

import pytest

from components import Elasticsearch, OpenSearch, missing
from logstash_stand_in import LogstashStandIn
from rig import wait_for
from watching import BadServer, Service, Watcher

GIB = 1024 ** 3


@pytest.mark.parametrize("engine_type", [OpenSearch, Elasticsearch], ids=lambda c: c.name)
def test_values_of_a_real_engine(program, tmp_path, engine_type):
    why = missing(engine_type.name)
    if why:
        pytest.skip(why)
    with engine_type() as engine, Watcher(program, tmp_path, {"elasticsearch": {"name": "logs", "url": engine.url + "/", "interval": "1s",
                                                                                "timeout": "5s"}}) as sidelight:
        sidelight.wait_up("elasticsearch", "logs", seconds=30)
        assert sidelight.metric("log_store_nodes") == 1
        status, truth = engine.request("GET", "/")
        if status == 200:
            [(info, one)] = sidelight.samples("log_store_info")
            assert one == 1 and info == {"target": "logs", "distribution": engine_type.name, "version": truth["version"]["number"]}
        else:  # Elasticsearch answers this by a module that the test's node has not
            assert sidelight.samples("log_store_info") == []
            sidelight.wait_log(f"answered {status}")
        # An index whose replica has no node: yellow.
        status, answer = engine.request("PUT", "/shop", {"settings": {"number_of_shards": 2, "number_of_replicas": 1}})
        assert status == 200, answer
        for n in range(7):
            assert engine.request("POST", "/shop/_doc", {"n": n})[0] == 201
        engine.refresh()
        wait_for(lambda: sidelight.metric("log_store_documents") == 7, 15, "7 documents")
        wait_for(lambda: sidelight.metric("log_store_status", status="yellow") == 1, 15, "yellow")
        assert sidelight.metric("log_store_status", status="green") == 0 and sidelight.metric("log_store_status", status="red") == 0
        _, health = engine.request("GET", "/_cluster/health")
        for state in ("active", "relocating", "initializing", "unassigned"):
            assert sidelight.metric("log_store_shards", state=state) == health[state + "_shards"], state
        assert health["unassigned_shards"] >= 2
        [(disk, total)] = sidelight.samples("log_store_disk_total_bytes")
        _, stats = engine.request("GET", "/_nodes/stats/fs,thread_pool,jvm")
        [node] = stats["nodes"].values()
        assert disk == {"target": "logs", "node": node["name"]} and total == node["fs"]["total"]["total_in_bytes"]
        assert abs(sidelight.metric("log_store_disk_free_bytes") - node["fs"]["total"]["available_in_bytes"]) < 2 * GIB
        assert 0 < sidelight.metric("log_store_heap_used_ratio") < 1
        for pool in ("write", "search"):
            assert sidelight.metric("log_store_rejections_total", pool=pool) == node["thread_pool"][pool]["rejected"]
            assert sidelight.metric("log_store_queue", pool=pool) is not None
        # The node looks at no disk until it is told to. Set as free space, the marks become a share of this disk; ratios are taken as they are.
        assert sidelight.samples("log_store_disk_watermark_ratio") == []
        disk = "cluster.routing.allocation.disk."
        setting = disk + "watermark."
        marks = {disk + "threshold_enabled": True, setting + "low": "3gb", setting + "high": "2gb", setting + "flood_stage": "1gb"}
        status, answer = engine.request("PUT", "/_cluster/settings", {"persistent": marks})
        assert status == 200, answer
        wait_for(lambda: len(sidelight.samples("log_store_disk_watermark_ratio")) == 3, 15, "watermarks")
        for level, free in (("low", 3), ("high", 2), ("flood_stage", 1)):
            assert abs(sidelight.metric("log_store_disk_watermark_ratio", level=level) - (1 - free * GIB / total)) < 1e-9, level
        ratios = {"low": "0.71", "high": "82%", "flood_stage": "93%"}
        assert engine.request("PUT", "/_cluster/settings", {"persistent": {setting + k: v for k, v in ratios.items()}})[0] == 200
        wait_for(lambda: sidelight.metric("log_store_disk_watermark_ratio", level="high") == 0.82, 15, "82%")
        assert sidelight.metric("log_store_disk_watermark_ratio", level="low") == 0.71
        engine.stop()
        sidelight.wait_up("elasticsearch", "logs", 0)


def test_missing_rights_leave_the_rest(program, tmp_path):
    """A Logstash's answer is no cluster's; of a cluster that lets us see its health alone, that is shown."""

    class Cluster(Service):
        def reply(self, path):
            if path.startswith("/_cluster/health"):
                return 200, {"status": "green", "number_of_nodes": 3, "active_shards": 5}
            return 403, {"error": "no permissions for [cluster:monitor/nodes/stats]"}

    with Cluster({}) as cluster, BadServer("hang") as hung:
        targets = [{"name": "narrow", "url": f"http://127.0.0.1:{cluster.port}", "interval": "1s", "timeout": "900ms"},
                   {"name": "hung", "url": f"http://127.0.0.1:{hung.port}", "interval": "1s", "timeout": "900ms"}]
        with Watcher(program, tmp_path, {"elasticsearch": targets}) as sidelight:
            sidelight.wait_up("elasticsearch", "narrow")
            sidelight.wait_up("elasticsearch", "hung", 0)
            assert sidelight.metric("log_store_nodes", target="narrow") == 3
            assert sidelight.samples("log_store_disk_free_bytes") == [] and sidelight.samples("log_store_info") == []
            sidelight.wait_log("answered 403 (this user has no right to ask it)")


def test_logstash_by_its_documented_answer(program, tmp_path):
    with LogstashStandIn(moving=False) as service, Watcher(program, tmp_path, {"logstash": {
            "name": "relay", "url": f"http://127.0.0.1:{service.port}", "interval": "1s", "timeout": "900ms"}}) as sidelight:
        sidelight.wait_up("logstash", "relay")
        assert service.path == "/_node/stats"
        shop = {"target": "relay", "pipeline": "shop"}
        assert {s["direction"]: v for s, v in sidelight.samples("log_relay_events_total", **shop)} == {"in": 20, "filtered": 19, "out": 18}
        assert sidelight.samples("log_relay_queue_events") == [(shop, 2)]
        assert sidelight.samples("log_relay_queue_bytes") == [(shop, 1000)]
        assert sidelight.samples("log_relay_queue_limit_bytes") == [(shop, 8000)]
        assert sidelight.metric("log_relay_heap_used_ratio") == 0.41
        assert sidelight.metric("log_relay_reloads_total", result="failure") == 1
        service.answer = json.dumps({"pipelines": 7}).encode()
        sidelight.wait_up("logstash", "relay", 0)
        sidelight.wait_log("it has no pipelines")

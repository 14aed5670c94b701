"""The judge is judged: the fault server sees what is lost, doubled and torn, and its faults do what they say."""

import gzip
import http.client
import json
import time

import pytest

from rig import FaultServer
from writer import make_line

STREAM = "/logs-shop-default/_bulk"


@pytest.fixture
def server():
    with FaultServer() as s:
        yield s


def body_of(documents):
    return "".join(f'{{"create":{{"_id":"{i}"}}}}\n{json.dumps({"message": m})}\n' for i, m in documents).encode()


def send(server, documents, path=STREAM, **headers):
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=5)
    try:
        body = body_of(documents)
        if headers.get("encoding") == "gzip":
            body = gzip.compress(body)
            connection.request("POST", path, body, {"Content-Encoding": "gzip"})
        else:
            connection.request("POST", path, body)
        response = connection.getresponse()
        data = response.read()
        return response.status, json.loads(data) if data.startswith(b"{") else data
    finally:
        connection.close()


def line(number):
    return make_line(number, "self", "2026-11-22T10:00:00.000Z", "raw", False)


def statuses(answer):
    return [item["create"]["status"] for item in answer["items"]]


def test_an_id_is_stored_once_as_elasticsearch_does(server):
    assert statuses(send(server, [("a", line(0)), ("b", line(1))])[1]) == [201, 201]
    _, answer = send(server, [("a", line(0)), ("c", line(2))], encoding="gzip")
    assert statuses(answer) == [409, 201]
    assert answer["items"][0]["create"]["error"]["type"] == "version_conflict_engine_exception"
    verdict = server.verdict(3)
    assert (verdict["lost"], verdict["doubled"], verdict["stored"]) == (0, 0, 3)


def test_lost_and_doubled_lines_are_seen(server):
    send(server, [("a", line(0)), ("b", line(0)), ("c", line(3))])
    verdict = server.verdict(5)
    assert verdict["lost_ranges"] == [[1, 3], [4, 5]]
    assert verdict["doubled_ranges"] == [[0, 1]]
    assert server.verdict(5, [(1, 3)])["lost_ranges"] == [[4, 5]]


def test_torn_and_glued_lines_are_lost(server):
    whole = line(1)
    send(server, [("a", line(0)[:-3]), ("b", whole[20:60] + line(2)), ("c", whole[:100])])
    verdict = server.verdict(3)
    assert verdict["lost_ranges"] == [[0, 2]]
    assert verdict["unnumbered"] == 2


def test_refused_lines_are_not_lost_but_told(server):
    server.fault("refuse_every", modulo=2)
    assert statuses(send(server, [("a", line(0)), ("b", line(1)), ("c", line(2))])[1]) == [400, 201, 400]
    verdict = server.verdict(3)
    assert (verdict["lost"], verdict["refused"], verdict["stored"]) == (0, 2, 1)


def test_cut_answers_come_after_the_storing(server):
    server.fault("cut", probability=1)
    try:
        _, data = send(server, [("a", line(0))])
        assert data == b""  # cut within the head, which this client forgives
    except (http.client.HTTPException, OSError):
        pass
    assert server.verdict(1)["lost"] == 0


@pytest.mark.parametrize("fault,status", [("reject_all", 429), ("unavailable", 503), ("bad_request", 400), ("unauthorized", 401)])
def test_refused_requests_store_nothing(server, fault, status):
    server.fault(fault)
    assert send(server, [("a", line(0))])[0] == status
    assert server.verdict(1)["lost"] == 1


def test_wrong_number_of_items_and_answers_without_json(server):
    server.fault("wrong_count")
    assert len(send(server, [("a", line(0)), ("b", line(1))])[1]["items"]) == 1
    server.clear()
    server.fault("not_json")
    assert send(server, [("c", line(2))])[1].startswith(b"<html>")


def test_refusing_closes_the_port_and_opens_it_again(server):

    server.fault("refuse", 0.5)
    with pytest.raises(OSError):
        send(server, [("a", line(0))])
    time.sleep(0.8)
    assert send(server, [("a", line(0))])[0] == 200


def test_a_stream_needs_its_template(server):
    assert send(server, [("a", line(0))])[1]["items"][0]["create"]["_index"] == "logs-shop-default"
    server.reset()
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=5)
    connection.request("PUT", "/_index_template/logs", json.dumps({"index_patterns": ["logs-*-*"], "data_stream": {}}))
    assert connection.getresponse().status == 200
    connection.close()
    assert send(server, [("a", line(0))])[1]["items"][0]["create"]["_index"].startswith(".ds-logs-shop-default-")

#!/usr/bin/python3
"""A fake Elasticsearch that fails on demand and knows what it stored.

    fault_server.py [--port P] [--control-port P] [--mode faults|sink]

Prints one line, {"port": P, "control_port": C}, when it listens. The control port stays reachable while the other one refuses:

    POST /_fault      {"name": "reject_all", "for": 5, ...}    switch a fault on; "for": 0 or absent = until DELETE
    DELETE /_fault    all faults off
    GET  /_verdict?expected=N[&optional=a-b,c-d]               lost and doubled lines
    GET  /_stats      requests by status, documents, latencies
    POST /_reset      forget everything

Faults (further keys in brackets): refuse, reject_all [retry_after], reject_items [fraction], refuse_every [modulo, opensearch],
cut [probability], unavailable, hang [store], unauthorized [expect], closed_index, blocked_index, missing_pipeline, field_limit, field_limit_opensearch,
too_large [bytes], not_json [store], wrong_count, slow [delay], bad_request (every request is a 400), poison [modulo] (a request with such
a document is a 400 as a whole), plain_index [stream] (it exists and is no data stream), mix [seed]. The error bodies are those of Elasticsearch 8.

The mode "sink" is for benchmarks: it counts lines and says that all of them were created.
"""

import argparse
import json
import random
import re
import socket
import struct
import sys
import threading
import time
import urllib.parse
import zlib

from store import NUMBER, STAMP, Store

ACTION = re.compile(rb'\{"create":\{"_id":"([^"\\]+)"\}\}')  # the usual one, without a parser
REASONS = {200: "OK", 201: "Created", 400: "Bad Request", 401: "Unauthorized", 403: "Forbidden", 404: "Not Found",
           413: "Request Entity Too Large", 429: "Too Many Requests", 503: "Service Unavailable"}


# What the destination causes, item by item: status, type, reason, further keys, and whether "_index" of the item is the concrete index
# (true) or the name that was written to. Taken from answers of Elasticsearch 8.19 and OpenSearch 2.19.
FIELD_LIMIT = "Limit of total fields [1000] has been exceeded while adding new fields [1]"
DESTINATION_FAILURES = {
    "closed_index": (400, "index_closed_exception", "closed", {"index": "", "index_uuid": "rXHrRnyGQyGD2WyF0Dsyeg"}, True),
    "blocked_index": (403, "cluster_block_exception", "index [{index}] blocked by: [FORBIDDEN/8/index write (api)];", {}, False),
    "missing_pipeline": (400, "illegal_argument_exception", "pipeline with id [shop] does not exist", {}, False),
    "field_limit": (400, "document_parsing_exception", "[1:12] failed to parse: " + FIELD_LIMIT,
                    {"caused_by": {"type": "illegal_argument_exception", "reason": FIELD_LIMIT}}, True),
    "field_limit_opensearch": (400, "illegal_argument_exception", "Limit of total fields [1000] has been exceeded", {}, True),
}


class Faults:
    """Which faults are on. Thread-safe."""

    def __init__(self, server):
        self._lock = threading.Lock()
        self._on = {}
        self._server = server
        self._mix = None
        self.random = random.Random(1)

    def switch_on(self, name, seconds, params):
        if name == "refuse":
            self._server.refuse(seconds)
            return
        if name == "mix":
            self._start_mix(params.get("seed", 1))
            return
        if name == "plain_index":
            self._server.store.indices.add(params["stream"])
            return
        with self._lock:
            until = time.monotonic() + seconds if seconds else float("inf")
            self._on[name] = (until, params)

    def clear(self):
        with self._lock:
            self._on.clear()
        if self._mix:
            self._mix.set()
            self._mix = None

    def get(self, name):
        """The parameters of a fault that is on, else None."""
        entry = self._on.get(name)
        if entry is None or entry[0] < time.monotonic():
            return None
        return entry[1]

    def remaining(self, name):
        entry = self._on.get(name)
        return max(0.0, entry[0] - time.monotonic()) if entry else 0.0

    def _start_mix(self, seed):
        stop = threading.Event()
        self._mix = stop
        rng = random.Random(seed)
        menu = [("refuse", {}), ("reject_all", {}), ("reject_items", {"fraction": 0.2}), ("cut", {"probability": 0.5}),
                ("unavailable", {}), ("not_json", {"store": True}), ("wrong_count", {}), ("slow", {"delay": 0.3}),
                ("closed_index", {}), ("missing_pipeline", {}), ("hang", {"store": True})]

        def run():
            while not stop.wait(rng.uniform(0.2, 1.5)):
                name, params = rng.choice(menu)
                self.switch_on(name, rng.uniform(0.2, 2.0), params)

        threading.Thread(target=run, daemon=True).start()


class Connection:
    """Reads HTTP/1.1 requests from a socket."""

    def __init__(self, sock):
        self.sock = sock
        self.buffer = bytearray()

    def _fill(self):
        data = self.sock.recv(1 << 18)
        if not data:
            return False
        self.buffer += data
        return True

    def _line(self):
        while True:
            at = self.buffer.find(b"\r\n")
            if at >= 0:
                line = bytes(self.buffer[:at])
                del self.buffer[:at + 2]
                return line
            if not self._fill():
                return None

    def _exactly(self, size):
        if size > len(self.buffer):
            body = bytearray(size)
            have = len(self.buffer)
            body[:have] = self.buffer
            self.buffer.clear()
            view = memoryview(body)
            while have < size:
                got = self.sock.recv_into(view[have:])
                if got == 0:
                    return None
                have += got
            return bytes(body)
        body = bytes(self.buffer[:size])
        del self.buffer[:size]
        return body

    def request(self):
        """(method, target, headers, body), or None at the end of the connection."""
        line = self._line()
        if not line:
            return None
        method, target, _ = line.decode("latin-1").split(" ", 2)
        headers = {}
        while True:
            line = self._line()
            if line is None:
                return None
            if not line:
                break
            key, _, value = line.decode("latin-1").partition(":")
            headers[key.strip().lower()] = value.strip()
        if headers.get("expect", "").lower() == "100-continue":
            self.sock.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
        if headers.get("transfer-encoding", "").lower() == "chunked":
            body = self._chunked()
        else:
            body = self._exactly(int(headers.get("content-length", "0")))
        return None if body is None else (method, target, headers, body)

    def _chunked(self):
        parts = []
        while True:
            line = self._line()
            if line is None:
                return None
            size = int(line.split(b";")[0], 16)
            data = self._exactly(size + 2)
            if data is None:
                return None
            if size == 0:
                return b"".join(parts)
            parts.append(data[:-2])

    def answer(self, status, body, content_type="application/json", extra=""):
        if isinstance(body, (dict, list)):
            body = json.dumps(body).encode()
        head = (f"HTTP/1.1 {status} {REASONS.get(status, 'Status')}\r\nX-elastic-product: Elasticsearch\r\n"
                f"content-type: {content_type}\r\n{extra}content-length: {len(body)}\r\n\r\n").encode()
        return head + body


def error_body(status, kind, reason):
    cause = {"type": kind, "reason": reason}
    return {"error": {"root_cause": [cause], **cause}, "status": status}


class Item:
    """Writes items of a bulk answer, honouring filter_path as far as a client of _bulk needs it."""

    def __init__(self, filter_path):
        fields = {f.split(".")[2] for f in filter_path.split(",") if f.startswith("items.") and f.count(".") >= 2}
        self.fields = None if not fields or "*" in fields else fields
        self.sequence = 0
        self.plain = b'{"create":{"status":201}}' if self.fields is not None and not self.fields & {"_index", "_id", "*"} else None

    def created(self, index, doc_id):
        if self.fields is None:
            self.sequence += 1
            return (b'{"create":{"_index":"%b","_id":"%b","_version":1,"result":"created","_shards":{"total":2,"successful":1,'
                    b'"failed":0},"_seq_no":%d,"_primary_term":1,"status":201}}' % (index, doc_id, self.sequence))
        return self.plain or self._filtered({"_index": index.decode(), "_id": doc_id.decode(), "status": 201})

    def failed(self, index, doc_id, status, kind, reason, more=None):
        error = {"type": kind, "reason": reason, **(more or {})}
        item = {"_index": index.decode(), "_id": doc_id.decode(), "status": status, "error": error}
        return self._filtered(item) if self.fields is not None else json.dumps({"create": item}, separators=(",", ":")).encode()

    def _filtered(self, item):
        kept = {k: v for k, v in item.items() if k in self.fields}
        return json.dumps({"create": kept}, separators=(",", ":")).encode()


class FaultServer:
    def __init__(self, port, mode):
        self.mode = mode
        self.store = Store()
        self.faults = Faults(self)
        self.statuses = {}
        self.requests = 0
        self.bulk_bytes = 0
        self.lines = 0
        self._listener_lock = threading.Lock()
        self._connections = set()
        self._listener = None
        self.port = port
        self._listen()

    # -- sockets ---------------------------------------------------------------------------------------------------------------

    def _listen(self):
        listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", self.port))
        listener.listen(128)
        self.port = listener.getsockname()[1]
        self._listener = listener
        threading.Thread(target=self._accept, args=(listener,), daemon=True).start()

    def _accept(self, listener):
        while True:
            try:
                sock, _ = listener.accept()
            except OSError:
                return
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with self._listener_lock:
                if listener is not self._listener:
                    sock.close()
                    return
                self._connections.add(sock)
            threading.Thread(target=self._serve, args=(sock,), daemon=True).start()

    def refuse(self, seconds):
        """Nobody listens for so long; open connections are reset."""
        with self._listener_lock:
            if self._listener is None:
                return
            listener, self._listener = self._listener, None
            connections, self._connections = self._connections, set()
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        for sock in connections:
            reset(sock)

        def again():
            time.sleep(seconds)
            while True:
                try:
                    with self._listener_lock:
                        self._listen()
                    return
                except OSError:
                    time.sleep(0.05)

        threading.Thread(target=again, daemon=True).start()

    def _serve(self, sock):
        connection = Connection(sock)
        try:
            while True:
                request = connection.request()
                if request is None:
                    break
                if not self._handle(connection, *request):
                    break
        except (OSError, ValueError, KeyError):  # gone, or not talking HTTP and _bulk
            pass
        finally:
            with self._listener_lock:
                self._connections.discard(sock)
            sock.close()

    def _send(self, connection, status, body, **kw):
        self.statuses[status] = self.statuses.get(status, 0) + 1
        connection.sock.sendall(connection.answer(status, body, **kw))
        return True

    # -- requests --------------------------------------------------------------------------------------------------------------

    def _handle(self, connection, method, target, headers, body):
        self.requests += 1
        url = urllib.parse.urlsplit(target)
        query = dict(urllib.parse.parse_qsl(url.query))
        bulk = url.path.endswith("/_bulk")
        if headers.get("content-encoding", "").lower() == "gzip":
            self.bulk_bytes += len(body)
            body = gunzip(body)
        elif bulk:
            self.bulk_bytes += len(body)
        if bulk and self.mode == "sink":
            return self._sink(connection, url.path, query, body)
        wanted = self.faults.get("unauthorized")
        if wanted is not None and headers.get("authorization") != wanted.get("expect", "\0"):
            return self._send(connection, 401, error_body(401, "security_exception", "unable to authenticate with provided credentials"),
                              extra='WWW-Authenticate: ApiKey\r\n')
        if bulk:
            return self._bulk(connection, url.path, query, body)
        if self.faults.get("unavailable") is not None:
            return self._send(connection, 503, b"<html>503 Service Temporarily Unavailable</html>", content_type="text/html")
        return self._other(connection, method, url.path, body)

    def _other(self, connection, method, path, body):
        head_only = method == "HEAD"

        def answer(status, value):
            if head_only:
                self.statuses[status] = self.statuses.get(status, 0) + 1
                connection.sock.sendall(connection.answer(status, b""))
                return True
            return self._send(connection, status, value)

        parts = [p for p in path.split("/") if p]
        with self.store.lock:
            if not parts:
                return answer(200, {"name": "n1", "cluster_name": "faults", "version": {"number": "8.19.0"}, "tagline": "You Know, for Search"})
            if parts[0] == "_index_template" and len(parts) == 2:
                name = parts[1]
                if method in ("PUT", "POST"):
                    self.store.put_template(name, json.loads(body))
                    return answer(200, {"acknowledged": True})
                template = self.store.templates.get(name)
                if template is None:
                    return answer(404, error_body(404, "resource_not_found_exception", f"index template matching [{name}] not found"))
                return answer(200, {"index_templates": [{"name": name, "index_template": template}]})
            if parts[0] == "_data_stream" and len(parts) == 2:
                name = parts[1]
                if method == "PUT":
                    self.store.streams.add(name)
                    return answer(200, {"acknowledged": True})
                if name in self.store.streams:
                    return answer(200, {"data_streams": [{"name": name, "indices": []}]})
                return answer(404, error_body(404, "index_not_found_exception", f"no such index [{name}]"))
            if parts[0] in ("_cluster", "_nodes"):
                return answer(200, {"cluster_name": "faults", "status": "green"})
            if parts[0] == "_ingest":
                return answer(200, {parts[-1]: {"processors": []}})
            found = self.store.describe(parts[0])
            if found is None:
                return answer(404, error_body(404, "index_not_found_exception", f"no such index [{parts[0]}]"))
            return answer(200, found)

    def _sink(self, connection, path, query, body):
        documents = body.count(b"\n") // 2
        self.lines += documents
        item = Item(query.get("filter_path", "")).created(b".ds-sink-2026.11.22-000001", b"AAAAAAAAAAAAAAAAAAAAAA-0-ff")
        answer = b'{"took":1,"errors":false,"items":[' + b",".join([item] * documents) + b"]}"
        if STAMP.search(body[:4000]):
            now = time.time_ns()
            self.store.latencies.extend(now - int(t) for t in STAMP.findall(body))
        return self._send(connection, 200, answer)

    # -- _bulk -----------------------------------------------------------------------------------------------------------------

    def _bulk(self, connection, path, query, body):
        fault = self.faults.get
        slow = fault("slow")
        if slow is not None:
            time.sleep(slow.get("delay", 1))
        hang = fault("hang")
        if hang is not None:
            if hang.get("store"):
                self._store_all(path, query, body)
            time.sleep(min(self.faults.remaining("hang"), 3600))
            return False
        if fault("reject_all") is not None:
            wait = fault("reject_all").get("retry_after")
            extra = f"Retry-After: {wait}\r\n" if wait is not None else ""
            return self._send(connection, 429, error_body(429, "es_rejected_execution_exception",
                              "rejected execution of coordinating operation"), extra=extra)
        if fault("unavailable") is not None:
            return self._send(connection, 503, b"<html>503 Service Temporarily Unavailable</html>", content_type="text/html")
        limit = fault("too_large")
        if limit is not None and len(body) > limit.get("bytes", 1 << 20):
            return self._send(connection, 413, b"")
        if not body.endswith(b"\n"):
            return self._send(connection, 400, error_body(400, "illegal_argument_exception",
                              "The bulk request must be terminated by a newline [\\n]"))
        not_json = fault("not_json")
        if not_json is not None:
            if not_json.get("store"):
                self._store_all(path, query, body)
            return self._send(connection, 200, b"<html>please log in</html>", content_type="text/html")
        if fault("bad_request") is not None or not body.startswith(b'{"create":') or self._poisoned(body):
            return self._send(connection, 400, error_body(400, "x_content_parse_exception", "[1:7] [bulk] failed to parse"))
        items, errors = self._store_all(path, query, body)
        if fault("wrong_count") is not None and items:
            items = items[:-1]
        answer = b'{"took":3,"errors":%b,"items":[' % (b"true" if errors else b"false") + b",".join(items) + b"]}"
        cut = fault("cut")
        if cut is not None and self.faults.random.random() < cut.get("probability", 1):
            whole = connection.answer(200, answer)
            connection.sock.sendall(whole[:self.faults.random.randrange(0, len(whole))])
            self.statuses["cut"] = self.statuses.get("cut", 0) + 1
            if self.faults.random.random() < 0.5:
                reset(connection.sock)
            return False
        return self._send(connection, 200, answer)

    def _poisoned(self, body):
        poison = self.faults.get("poison")
        if poison is None:
            return False
        bad = [n for n in (int(m.group(1)) for m in NUMBER.finditer(body)) if n % poison.get("modulo", 1000) == 0]
        if len(bad) == 1 and body.count(b"\n") == 2:
            with self.store.lock:
                self.store.refuse(bad[0])
        return bool(bad)

    def _store_all(self, path, query, body):
        """Stores what the faults let through. Returns the items and whether any failed."""
        lines = body.split(b"\n")
        lines.pop()
        default = path.strip("/").split("/")[0] if path != "/_bulk" else None
        item = Item(query.get("filter_path", ""))
        reject, refuse = self.faults.get("reject_items"), self.faults.get("refuse_every")
        broken = next((f for f in DESTINATION_FAILURES if self.faults.get(f) is not None), None)
        plain = reject is None and refuse is None and broken is None
        store, out, errors = self.store, [], False
        now = time.time_ns()
        with store.lock:
            targets = {}
            for at in range(0, len(lines) - 1, 2):
                target, doc_id = self._action(lines[at], default)
                index = targets.get(target)
                if index is None:
                    index = targets[target] = store.ensure_index(target).encode()
                document = lines[at + 1]
                number = store.number_of(document)
                if not plain:
                    failure = self._failure(number, reject, refuse, broken, index.decode())
                    if failure is not None:
                        errors = True
                        concrete = broken is None or DESTINATION_FAILURES[broken][4]
                        out.append(item.failed(index if concrete else target.encode(), doc_id, *failure))
                        continue
                if not is_json_object(document):
                    errors = True
                    out.append(item.failed(index, doc_id, 400, "document_parsing_exception", "[1:1] failed to parse"))
                    continue
                if store.create(index, doc_id, number, document):
                    out.append(item.created(index, doc_id))
                    stamp = STAMP.search(document)
                    if stamp:
                        store.latencies.append(now - int(stamp.group(1)))
                else:
                    errors = True
                    reason = f"[{doc_id.decode()}]: version conflict, document already exists (current version [1])"
                    out.append(item.failed(index, doc_id, 409, "version_conflict_engine_exception", reason,
                                           {"index_uuid": "rXHrRnyGQyGD2WyF0Dsyeg", "shard": "0", "index": index.decode()}))
        return out, errors

    def _action(self, line, default):
        plain = ACTION.fullmatch(line)
        if plain:
            return default, plain.group(1)
        action = json.loads(line)["create"]
        target = action.get("_index", default)
        doc_id = action.get("_id")
        if doc_id is None:
            self.store.sequence += 1
            doc_id = f"auto-{self.store.sequence}"
        return target, doc_id.encode()

    def _failure(self, number, reject, refuse, broken, index):
        if broken is not None:
            status, kind, reason, more, _ = DESTINATION_FAILURES[broken]
            if "index" in more:
                more = {**more, "index": index}
            return status, kind, reason.replace("{index}", index), more
        if refuse is not None and number >= 0 and number % refuse.get("modulo", 1000) == 0:
            self.store.refuse(number)
            kind = "mapper_parsing_exception" if refuse.get("opensearch") else "document_parsing_exception"
            return 400, kind, "[1:92] failed to parse field [http.response.status_code] of type [long] in document"
        if reject is not None and self.faults.random.random() < reject.get("fraction", 0.2):
            return 429, "es_rejected_execution_exception", "rejected execution of primary operation"
        return None


def is_json_object(document):
    try:
        return isinstance(json.loads(document), dict)
    except ValueError:
        return False


def reset(sock):
    """Closes with RST, as a crashed or overloaded peer does."""
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        sock.shutdown(socket.SHUT_RDWR)
    except OSError:
        pass
    sock.close()


def gunzip(data):
    out = []
    while data:
        decoder = zlib.decompressobj(31)
        out.append(decoder.decompress(data))
        data = decoder.unused_data
    return out[0] if len(out) == 1 else b"".join(out)


class Control:
    """The control port."""

    def __init__(self, server, port):
        self.server = server
        self.listener = socket.create_server(("127.0.0.1", port))
        self.port = self.listener.getsockname()[1]

    def run(self):
        while True:
            sock, _ = self.listener.accept()
            threading.Thread(target=self._serve, args=(sock,), daemon=True).start()

    def _serve(self, sock):
        connection = Connection(sock)
        with sock:
            try:
                while (request := connection.request()) is not None:
                    method, target, _, body = request
                    try:
                        status, value = 200, self._do(method, target, body)
                    except (KeyError, ValueError, TypeError) as e:
                        status, value = 400, {"error": repr(e)}
                    sock.sendall(connection.answer(status, value))
            except OSError:
                pass

    def _do(self, method, target, body):
        server = self.server
        url = urllib.parse.urlsplit(target)
        query = dict(urllib.parse.parse_qsl(url.query))
        if url.path == "/_fault":
            if method == "DELETE":
                server.faults.clear()
            else:
                params = json.loads(body)
                server.faults.switch_on(params.pop("name"), params.pop("for", 0), params)
            return {"ok": True}
        if url.path == "/_verdict":
            optional = [tuple(map(int, r.split("-"))) for r in query.get("optional", "").split(",") if r]
            with server.store.lock:
                return server.store.verdict(int(query["expected"]), optional)
        if url.path == "/_stats":
            with server.store.lock:
                return {"requests": server.requests, "statuses": {str(k): v for k, v in server.statuses.items()},
                        "bulk_bytes": server.bulk_bytes, "documents": server.store.stored + server.lines,
                        "conflicts": server.store.conflicts, "refused": {str(k): v for k, v in server.store.refused.items()},
                        "latency_ms": percentiles(server.store.latencies)}
        if url.path == "/_reset":
            server.faults.clear()
            with server.store.lock:
                server.store.reset()
            server.requests = server.bulk_bytes = server.lines = 0
            server.statuses.clear()
            return {"ok": True}
        raise ValueError(f"no such path {url.path}")


def percentiles(nanoseconds):
    values = sorted(nanoseconds)
    if not values:
        return {}
    return {f"p{p}": round(values[min(len(values) - 1, len(values) * p // 100)] / 1e6, 2) for p in (50, 90, 99, 100)}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--control-port", type=int, default=0)
    parser.add_argument("--mode", choices=("faults", "sink"), default="faults")
    arguments = parser.parse_args()
    server = FaultServer(arguments.port, arguments.mode)
    control = Control(server, arguments.control_port)
    print(json.dumps({"port": server.port, "control_port": control.port}), flush=True)
    try:
        control.run()
    except KeyboardInterrupt:
        sys.exit(0)


if __name__ == "__main__":
    main()

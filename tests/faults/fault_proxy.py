#!/usr/bin/python3
"""A proxy that fails on demand, between the program and a real search engine.

    fault_proxy.py --upstream PORT [--port P] [--control-port P]

Prints and is controlled as fault_server.py. Faults: refuse, reject_all [retry_after], unavailable, cut [probability] (after the engine has
stored the documents), lose (the request is cut before the engine gets it) [probability], hang [store], not_json [store], slow [delay],
mix [seed], reject_items [fraction] (that share of the documents never gets to the engine and is answered with 429). Other faults of single
items are the engine's affair.
"""

import argparse
import http.client
import json
import sys
import threading
import time

from fault_server import Control, FaultServer, error_body, gunzip, reset

HOP_BY_HOP = {"connection", "transfer-encoding", "content-length", "keep-alive", "expect", "host"}


class FaultProxy(FaultServer):
    def __init__(self, port, upstream):
        self.upstream = upstream
        self._local = threading.local()
        super().__init__(port, "proxy")

    def _forward(self, method, target, headers, body):
        """(status, content type, body) of the engine; a connection of its own for each client connection."""
        for attempt in (0, 1):
            connection = getattr(self._local, "connection", None)
            if connection is None:
                connection = self._local.connection = http.client.HTTPConnection("127.0.0.1", self.upstream, timeout=120)
            try:
                kept = {k: v for k, v in headers.items() if k not in HOP_BY_HOP}
                connection.request(method, target, body, kept)
                response = connection.getresponse()
                return response.status, response.headers.get("content-type", "application/json"), response.read()
            except (http.client.HTTPException, OSError):
                connection.close()
                self._local.connection = None
                if attempt:
                    raise
        raise AssertionError

    def _forward_some(self, method, target, headers, body, fraction):
        """Keeps a share of the documents from the engine and answers for them."""
        if headers.get("content-encoding", "").lower() == "gzip":
            body = gunzip(body)
            headers = {k: v for k, v in headers.items() if k != "content-encoding"}
        lines = body.split(b"\n")[:-1]
        pairs = list(zip(lines[::2], lines[1::2]))
        kept = [self.faults.random.random() >= fraction for _ in pairs]
        rest = b"".join(b"%b\n%b\n" % pair for pair, keep in zip(pairs, kept) if keep)
        answered = []
        if rest:
            status, content_type, answer = self._forward(method, target, headers, rest)
            if status != 200:
                return status, content_type, answer
            answered = json.loads(answer)["items"]
        rejected = {"create": {"status": 429, "error": {"type": "es_rejected_execution_exception",
                                                        "reason": "rejected execution of coordinating operation"}}}
        answers = iter(answered)
        items = [next(answers) if keep else rejected for keep in kept]
        errors = any(item["create"]["status"] >= 300 for item in items)
        self.statuses["rejected items"] = self.statuses.get("rejected items", 0) + kept.count(False)
        return 200, "application/json", json.dumps({"took": 1, "errors": errors, "items": items}).encode()

    def _handle(self, connection, method, target, headers, body):
        self.requests += 1
        fault, rng = self.faults.get, self.faults.random
        bulk = "/_bulk" in target
        if fault("slow") is not None:
            time.sleep(fault("slow").get("delay", 1))
        hang = fault("hang")
        if hang is not None:
            if hang.get("store"):
                self._forward(method, target, headers, body)
            time.sleep(min(self.faults.remaining("hang"), 3600))
            return False
        if bulk and fault("reject_all") is not None:
            wait = fault("reject_all").get("retry_after")
            return self._send(connection, 429, error_body(429, "es_rejected_execution_exception",
                              "rejected execution of coordinating operation"), extra=f"Retry-After: {wait}\r\n" if wait else "")
        if fault("unavailable") is not None:
            return self._send(connection, 503, b"<html>503 Service Temporarily Unavailable</html>", content_type="text/html")
        if fault("lose") is not None and rng.random() < fault("lose").get("probability", 1):
            reset(connection.sock)
            return False
        some = fault("reject_items") if bulk else None
        if some is not None:
            status, content_type, answer = self._forward_some(method, target, headers, body, some.get("fraction", 0.2))
        else:
            status, content_type, answer = self._forward(method, target, headers, body)
        if bulk and fault("not_json") is not None:
            return self._send(connection, 200, b"<html>please log in</html>", content_type="text/html")
        if method == "HEAD":
            connection.sock.sendall(f"HTTP/1.1 {status} Status\r\ncontent-length: 0\r\n\r\n".encode())
            return True
        cut = fault("cut")
        if cut is not None and rng.random() < cut.get("probability", 1):
            whole = connection.answer(status, answer)
            connection.sock.sendall(whole[:rng.randrange(0, len(whole))])
            self.statuses["cut"] = self.statuses.get("cut", 0) + 1
            return False
        return self._send(connection, status, answer, content_type=content_type)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--upstream", type=int, required=True)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--control-port", type=int, default=0)
    arguments = parser.parse_args()
    proxy = FaultProxy(arguments.port, arguments.upstream)
    control = Control(proxy, arguments.control_port)
    print(json.dumps({"port": proxy.port, "control_port": control.port}), flush=True)
    try:
        control.run()
    except KeyboardInterrupt:
        sys.exit(0)


if __name__ == "__main__":
    main()

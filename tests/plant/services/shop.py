"""The shop: pages of 3D models, and prices asked of the MES."""

import itertools
import json
import random

from ..messaging import QUEUES
from .http_service import HttpService, Probe


class Shop(HttpService):
    """Pages are cached in Redis (`cache`) and sessions in memcached; both may be None.
    `send(queue, message id, body)` hands a task to the MES."""

    def __init__(self, truth, log, send, pace, cache=None, sessions=None):
        super().__init__("shop", {"GET /": self._home, "GET /models/{id}": self._model, "POST /models/{id}/price": self._price,
                                  "GET /healthz": Probe()}, truth, log, quiet=("/healthz",))
        self._send = send
        self._pace = pace
        self._cache = cache
        self._sessions = sessions
        self._numbers = itertools.count(1)

    def start(self):
        self.start_http()
        self._log.info("started")

    def stop(self):
        self.stop_http()
        self._log.info("stopped")

    def _visit(self, headers):
        if self._sessions is not None and headers.get("X-Session"):
            self._sessions.seen(headers["X-Session"])

    def _home(self, headers, **_):
        self._visit(headers)
        return 200, {"shop": "printed parts"}

    def _model(self, model, trace, headers, **_):
        self._visit(headers)
        key = f"model:{model}"
        if self._cache is not None and self._cache.get(key, key, trace_id=trace) is not None:
            return 200, {"model": model}
        self._pace.sleep(random.Random(model).uniform(0.01, 0.05))  # as reading it from disk
        if self._cache is not None:
            self._cache.put(key, key, "page")
        return 200, {"model": model}

    def _price(self, model, trace, headers, **_):
        self._visit(headers)
        request = f"s-{next(self._numbers)}"
        if not self._send(QUEUES[1], request, json.dumps({"model": model, "trace_id": trace})):
            return 503, {"error": "no price can be asked now"}
        return 202, {"request": request}

"""The partner API: partners' programs ask for prices. Two instances of it run behind the gateway."""

import collections
import itertools
import json
import threading

from ..messaging import QUEUES
from .http_service import HttpService, Probe

QUOTES_KEPT = 5000


class PartnerApi(HttpService):
    def __init__(self, truth, log, send, pace, instance):
        super().__init__("partner-api", {"POST /api/v1/quotes": self._quote, "GET /api/v1/quotes/{id}": self._look,
                                         "GET /api/v1/catalog": self._catalog, "GET /healthz": Probe()}, truth, log, instance, ("/healthz",))
        self._send = send
        self._pace = pace
        self._numbers = itertools.count(1)
        self._asked = collections.OrderedDict()
        self._lock = threading.Lock()

    def start(self):
        self.start_http()
        self._log.info("started", instance=self.instance)

    def stop(self):
        self.stop_http()
        self._log.info("stopped", instance=self.instance)

    def _quote(self, body, trace, headers, **_):
        model = json.loads(body)["model"]
        request = f"{self.instance}-{next(self._numbers)}"
        task = json.dumps({"model": model, "partner": headers.get("X-Partner", ""), "trace_id": trace})
        if not self._send(QUEUES[1], request, task):
            return 503, {"error": "no price can be asked now"}
        with self._lock:
            self._asked[model] = request
            if len(self._asked) > QUOTES_KEPT:
                self._asked.popitem(last=False)
        return 202, {"request": request}

    def _look(self, model, **_):
        with self._lock:
            return 200, {"model": model, "request": self._asked.get(model)}

    def _catalog(self, **_):
        self._pace.sleep(0.05)
        return 200, {"models": [f"m-{n}" for n in range(1, 101)]}

"""The CRM: takes orders, tells the MES, and hears what becomes of them."""

import itertools
import json
import time

from ..messaging import EVENTS, QUEUES, STATUS_QUEUE, Consumer
from .http_service import HttpService, Probe

FIRST_NAMES = ("ana", "boris", "chen", "dina", "emil", "fatima")


class Crm(HttpService):
    """`send(queue, message id, body)` hands a task to the MES, and what became of an order to the stream."""

    def __init__(self, truth, log, send, rabbitmq=None):
        super().__init__("crm", {"POST /orders": self._order, "GET /healthz": Probe()}, truth, log, quiet=("/healthz",))
        self._send = send
        self._rabbitmq = rabbitmq
        self._numbers = itertools.count(1)
        self.consumer = None

    def start(self):
        self.start_http()
        if self._rabbitmq is not None:
            self.consumer = Consumer(self._rabbitmq, self._truth, (STATUS_QUEUE,), 20, self._status, self._log)
            self.consumer.start()
        self._log.info("started")

    def stop(self):
        self.stop_http()
        if self.consumer is not None:
            self.consumer.stop()
            self.consumer = None
        self._log.info("stopped")

    def _order(self, body, trace, **_):
        wish = json.loads(body)
        number = next(self._numbers)
        order = f"o-{number}"
        name = FIRST_NAMES[number % len(FIRST_NAMES)]
        if number % 7 == 0:
            self._log.info("customer called back", order=order, email=f"{name}.{number}@example.com", phone=f"+1 202 555 {number % 10000:04d}")
        if wish.get("poison"):
            task = '{"order": "' + order  # cut off, as by a truncating proxy
        else:
            task = json.dumps({"order": order, "model": wish["model"], "customer": f"c-{number % 97}", "created": time.time(),
                               "trace_id": trace})
        if not self._send(QUEUES[0], order, task):
            return 503, {"error": "the MES cannot be told"}
        self._log.info("order published", order=order, model=wish["model"], trace_id=trace)
        return 201, {"order": order}

    def _status(self, delivery):
        message = json.loads(delivery.body)
        self._log.debug("order status received", order=message["order"], status=message["status"])
        if self._rabbitmq.stream_port:
            self._send(EVENTS, delivery.message_id, delivery.body)
        delivery.ack()

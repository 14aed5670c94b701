"""A Logstash by its documentation (https://www.elastic.co/guide/en/logstash/8.11/node-stats-api.html): it answers as that says. A stand-in,
since no package registry has a Logstash that could be started."""

import time

from watching import Service


class LogstashStandIn(Service):
    """Of its node statistics what is asked for. 20 events a second come in since the beginning, unless `moving` is false."""

    def __init__(self, moving=True):
        super().__init__(None)
        self._moving = moving
        self._begin = time.monotonic()

    def reply(self, path):
        if self.answer is not None:
            return self.status, self.answer
        if path != "/_node/stats":
            return 404, {"path": path, "status": 404, "error": {"message": "Not Found"}}
        more = int(20 * (time.monotonic() - self._begin)) if self._moving else 0
        return 200, {"version": "8.11.1", "jvm": {"mem": {"heap_used_percent": 41}}, "pipelines": {
            "shop": {"events": {"in": 20 + more, "filtered": 19 + more, "out": 18 + more}, "reloads": {"successes": 2, "failures": 1},
                     "queue": {"type": "persisted", "events_count": 2, "queue_size_in_bytes": 1000, "max_queue_size_in_bytes": 8000}},
            ".monitoring-logstash": {"events": None}}}

"""What is true: every number that a metric should show, counted where the thing happens.

All methods may be called from any thread. Counters run from the start of the plant and never go back, also when a server restarts
and its own counters begin at zero.
"""

import collections
import threading
import time

FINAL = ("closed", "rejected")  # an order stays so
DURATIONS_KEPT = 20_000  # of each algorithm, the newest


class QueueTruth:
    """One queue, message by message. A message is known by its message id."""

    def __init__(self, dead_letters=False):
        self.dead_letters = dead_letters
        self.waiting = {}  # id -> [when published, ready?]
        self.consumers = 0
        self.counts = collections.Counter()

    def published(self, message, when):
        self.counts["published"] += 1
        self.waiting[message] = [when, True]

    def delivered(self, message, redelivered, when):
        self.counts["delivered"] += 1
        self.counts["redelivered"] += bool(redelivered)
        if message not in self.waiting:  # settled before, but the broker never heard of it
            self.counts["settlements_lost"] += 1
            self.waiting[message] = [when, True]
        self.waiting[message][1] = False

    def returned(self, message):
        if message in self.waiting:
            self.waiting[message][1] = True

    def settled(self, message, how):
        if self.waiting.pop(message, None) is not None:
            self.counts[how] += 1

    def snapshot(self, now):
        ready = [when for when, is_ready in self.waiting.values() if is_ready]
        return {
            "ready": len(ready), "unacked": len(self.waiting) - len(ready), "depth": len(self.waiting), "consumers": self.consumers,
            **{k: self.counts[k] for k in ("published", "delivered", "redelivered", "acked", "rejected", "purged", "settlements_lost")},
            "head_age_seconds": now - min(ready) if ready else None,  # of the oldest ready message
            "oldest_age_seconds": now - min(w for w, _ in self.waiting.values()) if self.waiting else None,  # unacknowledged ones too
            "dead_letters": self.dead_letters,
        }


class Truth:
    def __init__(self):
        self._lock = threading.Lock()
        self._queues = {}
        self._streams = collections.Counter()
        self._counts = collections.Counter()  # (family, label, label, ...) -> count
        self._seconds = collections.Counter()  # sums of durations, by the same keys
        self._durations = collections.defaultdict(lambda: collections.deque(maxlen=DURATIONS_KEPT))
        self._order_status = {}
        self._orders_final = collections.Counter()
        self._gauges = {}

    # -- queues

    def queue(self, name, dead_letters=False):
        """Makes the queue known; nothing happens when it is."""
        with self._lock:
            self._queues.setdefault(name, QueueTruth(dead_letters))

    def stream(self, name):
        """Makes the stream known, which keeps what is published to it."""
        with self._lock:
            self._streams.setdefault(name, 0)

    def published(self, queue, message):
        with self._lock:
            if queue in self._streams:
                self._streams[queue] += 1
            else:
                self._queues[queue].published(message, time.time())

    def delivered(self, queue, message, redelivered):
        with self._lock:
            self._queues[queue].delivered(message, redelivered, time.time())

    def acked(self, queue, message):
        with self._lock:
            self._queues[queue].settled(message, "acked")

    def returned(self, queue, messages):
        """Requeued, or unacknowledged when the connection was lost."""
        with self._lock:
            for message in messages:
                self._queues[queue].returned(message)

    def dead_lettered(self, queue, message, dead_letter_queue):
        with self._lock:
            self._queues[queue].settled(message, "rejected")
            self._queues[dead_letter_queue].published(message, time.time())

    def purged(self, queue):
        with self._lock:
            q = self._queues[queue]
            for message in [m for m, (_, is_ready) in q.waiting.items() if is_ready]:
                q.settled(message, "purged")

    def consumers(self, queue, change):
        with self._lock:
            self._queues[queue].consumers += change

    # -- everything else

    def count(self, family, *labels, seconds=None):
        with self._lock:
            key = (family, *labels)
            self._counts[key] += 1
            if seconds is not None:
                self._seconds[key] += seconds

    def calculation(self, algorithm, result, seconds):
        self.count("calculations", algorithm, result, seconds=seconds)
        with self._lock:
            self._durations[algorithm].append(seconds)

    def order(self, order, status):
        """An order has this status from now on, as the database committed it."""
        with self._lock:
            if status in FINAL:
                self._order_status.pop(order, None)
                self._orders_final[status] += 1
            else:
                self._order_status[order] = status
            self._counts[("order_transitions", status)] += 1

    def gauge(self, name, value):
        """`value` may be a function, which is then asked when the truth is."""
        with self._lock:
            self._gauges[name] = value

    def orders_of_old(self, rows):
        """What the database held before the plant began: status -> rows."""
        with self._lock:
            self._orders_final.update(rows)

    def total(self, family, *labels):
        """The sum over what begins with these labels."""
        with self._lock:
            return sum(v for k, v in self._counts.items() if k[:1 + len(labels)] == (family, *labels))

    def snapshot(self):
        with self._lock:
            now = time.time()
            counts = dict(self._counts)
            seconds = dict(self._seconds)
            gauges = dict(self._gauges)
            out = {
                "queues": {name: q.snapshot(now) for name, q in self._queues.items()},
                "streams": {name: {"messages": n} for name, n in self._streams.items()},
                "calculations": {},
                "orders": {"by_status": dict(collections.Counter(self._order_status.values()) + self._orders_final), "transitions": {}},
                "caches": {}, "requests": [], "gateway": {"requests": [], "limited": [], "cache": []}, "log_lines": {},
            }
            durations = {k: list(v) for k, v in self._durations.items()}
        for key, n in sorted(counts.items()):
            family, labels = key[0], key[1:]
            if family == "calculations":
                algorithm = out["calculations"].setdefault(labels[0], {"ok": 0, "error": 0, "seconds_sum": 0.0,
                                                                       "durations": durations.get(labels[0], [])})
                algorithm[labels[1]] = n
                algorithm["seconds_sum"] += seconds.get(key, 0.0)
            elif family == "lookups":
                cache, prefix, result, reason = labels
                c = out["caches"].setdefault(cache, {"hits": 0, "misses": 0, "by_prefix": {}})
                p = c["by_prefix"].setdefault(prefix, {"hits": 0, "misses": 0, "miss_reasons": {}})
                for level in (c, p):
                    level["hits" if result == "hit" else "misses"] += n
                if result == "miss":
                    p["miss_reasons"][reason] = n
            elif family == "requests":
                out["requests"].append({**dict(zip(("service", "instance", "route", "method", "status"), labels)), "count": n,
                                        "seconds_sum": seconds.get(key, 0.0)})
            elif family == "gateway_requests":
                out["gateway"]["requests"].append({**dict(zip(("route", "partner", "method", "status"), labels)), "count": n})
            elif family == "gateway_limited":
                out["gateway"]["limited"].append({**dict(zip(("route", "partner", "outcome"), labels)), "count": n})
            elif family == "gateway_cache":
                out["gateway"]["cache"].append({**dict(zip(("route", "status"), labels)), "count": n})
            elif family == "order_transitions":
                out["orders"]["transitions"][labels[0]] = n
            elif family == "log_lines":
                out["log_lines"].setdefault(labels[0], {})[labels[1]] = n
            else:
                out.setdefault(family, {})["/".join(map(str, labels)) or "total"] = n
        for name, value in gauges.items():
            out[name] = value() if callable(value) else value
        return out

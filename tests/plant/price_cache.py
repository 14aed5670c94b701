"""Look-ups in Redis that know why they missed."""

import contextlib
import threading
import time

import redis


class Cache:
    """Values by key in Redis, with the truth counted and each look-up logged under `event`.

    A miss has a reason: `new` (the subject was never stored), `algorithm` (only under another key of the same subject), `expired`,
    `flushed`, or `evicted` (stored, not yet due, and gone although nobody flushed).
    """

    def __init__(self, server, truth, log, prefix, ttl_seconds, event):
        self._client = redis.Redis("127.0.0.1", server.port, socket_timeout=5)
        self._truth = truth
        self._log = log
        self.prefix = prefix
        self.ttl_seconds = ttl_seconds  # real seconds
        self._event = event
        self._lock = threading.Lock()
        self._stored = {}  # subject -> {key: (due, flushes seen)}
        self._flushes = 0

    def flushed(self):
        """Somebody emptied the cache."""
        with self._lock:
            self._flushes += 1

    def _reason(self, key, subject, now):
        with self._lock:
            keys = self._stored.get(subject)
            if keys is None:
                return "new"
            if key not in keys:
                return "algorithm"
            due, flushes = keys[key]
            if now >= due:
                return "expired"
            return "flushed" if flushes < self._flushes else "evicted"

    def get(self, key, subject, **fields):
        """The value as bytes or None. A cache that is away is a miss that nobody counts."""
        try:
            value = self._client.get(key)
        except redis.RedisError as e:
            self._log.warn("cache unavailable", error=str(e), key=key)
            return None
        reason = "" if value is not None else self._reason(key, subject, time.monotonic())
        result = "hit" if value is not None else "miss"
        self._truth.count("lookups", "redis", self.prefix, result, reason)
        more = {"reason": reason} if reason else {}
        self._log.debug(f"{self.prefix} cache lookup", event=self._event, key=key, key_prefix=self.prefix, result=result, **more, **fields)
        return value

    def put(self, key, subject, value):
        due = time.monotonic() + self.ttl_seconds  # taken first: what Redis has let go is never early by our clock
        with contextlib.suppress(redis.RedisError):
            self._client.set(key, value, px=max(1, int(self.ttl_seconds * 1000)))
            with self._lock:
                self._stored.setdefault(subject, {})[key] = (due, self._flushes)

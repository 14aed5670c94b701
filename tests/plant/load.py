"""Customers and partners: each actor sends what its generator decides, when it decides, whether or not the answers come."""

import collections
import concurrent.futures
import http.client
import json
import threading
import time

from . import decisions

THREADS = 8
WAITING = 64  # requests of one actor that may be on their way; more are left out and counted
KEPT = 2000  # decisions kept for the truth


class Client:
    """One connection a thread and server, kept open."""

    def __init__(self):
        self._local = threading.local()

    def request(self, port, method, path, body=None, headers=None):
        """(status, headers); status 0 when there was no answer."""
        connections = self._local.__dict__.setdefault("connections", {})
        for attempt in (1, 2):  # a kept connection may have been closed meanwhile
            connection = connections.get(port)
            fresh = connection is None
            if fresh:
                connection = connections[port] = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
            try:
                connection.request(method, path, body, headers or {})
                response = connection.getresponse()
                response.read()
                return response.status, response.headers
            except (OSError, http.client.HTTPException):
                connection.close()
                connections.pop(port, None)
                if fresh or attempt == 2:
                    break
        return 0, {}


class Actor:
    """Runs one generator at a rate that may change. `send(request)` runs on one of a few threads."""

    def __init__(self, name, truth, pace, send):
        self.name = name
        self._truth = truth
        self._pace = pace
        self._send = send
        self._pool = concurrent.futures.ThreadPoolExecutor(THREADS, thread_name_prefix=name)
        self._stop = threading.Event()
        self._thread = None
        self._in_flight = threading.Semaphore(WAITING)
        self._active = 0
        self._lock = threading.Lock()
        self.decided = collections.deque(maxlen=KEPT)

    def run(self, generator, rate):
        """Begins anew with this generator. `rate(seconds since now)` is in requests per plant second; 0 sends nothing."""
        self.pause()
        self._stop = threading.Event()
        self.decided.clear()
        self._thread = threading.Thread(target=self._loop, args=(generator, rate, self._stop), daemon=True, name=self.name)
        self._thread.start()

    def _loop(self, generator, rate, stop):
        begin = time.monotonic()
        due = begin
        while not stop.is_set():
            now_rate = rate((time.monotonic() - begin) * self._pace.speed)
            if now_rate <= 0:
                stop.wait(1)
                continue
            request = next(generator)
            due = max(due + request.gap / now_rate / self._pace.speed, time.monotonic() - 1)
            if stop.wait(max(0.0, due - time.monotonic())):
                return
            self.decided.append(request)
            if not self._in_flight.acquire(blocking=False):
                self._truth.count("left_out", self.name)
                continue
            with self._lock:
                self._active += 1
            self._pool.submit(self._one, request)

    def _one(self, request):
        try:
            self._send(request)
        finally:
            with self._lock:
                self._active -= 1
            self._in_flight.release()

    def pause(self):
        """No request is sent after this, and those on their way are waited for."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None
        while True:
            with self._lock:
                if self._active == 0:
                    return
            time.sleep(0.01)

    def close(self):
        self.pause()
        self._pool.shutdown()


class Load:
    """All actors. `ports()` gives service -> (port, through the gateway?) for shop, crm and partner-api as far as they are there."""

    def __init__(self, truth, pace, ports):
        self._truth = truth
        self._pace = pace
        self._ports = ports
        self._client = Client()
        self.actors = {name: Actor(name, truth, pace, self._send) for name in decisions.ACTORS}
        self._runs = 0

    def begin(self, seed, name, scenario, normal):
        self._runs += 1
        start = "" if self._runs == 1 else f"{self._runs}-"

        def rate(actor):
            usual, wanted = getattr(normal, actor), getattr(scenario, actor)
            if scenario.ramp <= 0:
                return lambda seconds: wanted
            return lambda seconds: usual + (wanted - usual) * min(1.0, seconds / scenario.ramp)

        for actor_name, actor in self.actors.items():
            actor.run(decisions.ACTORS[actor_name](seed, name, scenario, start), rate(actor_name))

    def pause(self):
        for actor in self.actors.values():
            actor.pause()

    def close(self):
        for actor in self.actors.values():
            actor.close()

    def decided(self):
        return {name: list(actor.decided) for name, actor in self.actors.items()}

    def _send(self, r):
        ports = self._ports()
        service, method, path, body = {
            "order": ("crm", "POST", "/orders", {"model": r.model, "tier": r.tier, **({"poison": True} if r.poison else {})}),
            "home": ("shop", "GET", "/", None),
            "model": ("shop", "GET", f"/models/{r.model}", None),
            "price": ("shop", "POST", f"/models/{r.model}/price", {}),
            "missing": ("shop", "GET", "/wp-login.php", None),
            "quote": ("partner-api", "POST", "/api/v1/quotes", {"model": r.model}),
            "look": ("partner-api", "GET", f"/api/v1/quotes/{r.model}", None),
            "catalog": ("partner-api", "GET", "/api/v1/catalog", None),
            "stranger": ("partner-api", "GET", "/api/v1/catalog", None),
        }[r.kind]
        port, through_gateway = ports.get(service, (None, False))
        if port is None:
            return
        headers = {"Content-Type": "application/json"} if body is not None else {}
        if r.session:
            headers["X-Session"] = r.session
        if r.partner:
            headers["X-API-Key"] = decisions.API_KEYS[r.partner]
        status, answer = self._client.request(port, method, path, json.dumps(body) if body is not None else None, headers)
        if through_gateway and status:
            self._account(r, method, status, answer)

    def _account(self, r, method, status, answer):
        """What the gateway did, as its client saw it."""
        route = {"home": "/", "model": "/models/{id}", "price": "/models/{id}/price", "missing": "other", "quote": "/api/v1/quotes",
                 "look": "/api/v1/quotes/{id}", "catalog": "/api/v1/catalog", "stranger": "/api/v1/catalog"}[r.kind]
        self._truth.count("gateway_requests", route, r.partner, method, str(status))
        if answer.get("X-Limit"):
            self._truth.count("gateway_limited", route, r.partner, answer["X-Limit"].lower())
        if answer.get("X-Cache"):
            self._truth.count("gateway_cache", route, answer["X-Cache"].lower())

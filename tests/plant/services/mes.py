"""The MES: prices 3D models and runs orders through production."""

import collections
import datetime
import heapq
import itertools
import json
import queue
import threading
import time

from .. import decisions
from ..messaging import QUEUES, STATUS_QUEUE, Consumer
from .http_service import HttpService, Probe

ATTEMPTS = 3  # of a message that cannot be handled, before it goes to the dead letters
ORDERS_REMEMBERED = 50_000
HOT = ("new", "priced", "in_production")
# What happens to a priced order, after how many plant seconds.
PRODUCTION = {"priced": ("in_production", 20.0), "in_production": ("shipped", 40.0), "shipped": ("closed", 60.0)}


class PoisonMessage(Exception):
    pass


class PriceCalculationError(Exception):
    pass


class Floor:
    """Production: moves orders from status to status when they are due."""

    def __init__(self, pace, advance):
        self._pace = pace
        self._advance = advance  # (order, created, status)
        self._due = []
        self._tie = itertools.count()
        self._lock = threading.Lock()

    def enter(self, order, created, status):
        if status in PRODUCTION:
            following, after = PRODUCTION[status]
            with self._lock:
                heapq.heappush(self._due, (time.monotonic() + self._pace.real(after), next(self._tie), order, created, following))

    def run(self, stop):
        while not stop.wait(0.25):
            while True:
                with self._lock:
                    if not self._due or self._due[0][0] > time.monotonic():
                        break
                    _, _, order, created, status = heapq.heappop(self._due)
                if not self._advance(order, created, status):
                    with self._lock:  # the database is away: later
                        heapq.heappush(self._due, (time.monotonic() + 1, next(self._tie), order, created, status))
                    break
                self.enter(order, created, status)


class Mes(HttpService):
    """`rabbitmq`, `cache` and `database` may be None: then tasks come by `submit`, every price is calculated, nothing is stored."""

    def __init__(self, truth, log, pace, seed, workers, algorithms, rabbitmq=None, cache=None, database=None, publisher=None):
        super().__init__("mes", {"GET /stats": self._stats, "GET /healthz": Probe(), "GET /prices/{model}": self._price_of}, truth, log,
                         quiet=("/stats", "/healthz"))
        self._pace = pace
        self._seed = seed
        self._workers = workers
        self._algorithms = algorithms
        self.algorithm = next(iter(algorithms))
        self._rabbitmq = rabbitmq
        self._cache = cache
        self._database = database
        self._publisher = publisher
        self._tasks = queue.Queue(maxsize=1000)
        self._attempts = collections.Counter()
        self._calculated = collections.Counter()  # (algorithm, model) -> how often
        self._orders = collections.OrderedDict()  # id -> status reached here, so that a redelivered order is not done twice
        self._lock = threading.Lock()
        self._busy = 0
        self._calculating = 0
        self._alive = 0
        self._transitions = collections.Counter()
        self._floor = Floor(pace, self._advance)
        self._stop = threading.Event()
        self._threads = []
        self.consumer = None
        truth.gauge("mes", self.state)

    # -- life

    def start(self):
        self.start_http()
        self.start_work()
        self._log.info("started", algorithm=self.algorithm, workers=self._workers)

    def stop(self):
        self.stop_work()
        self.stop_http()
        self._log.info("stopped")

    def start_work(self):
        """Workers, production and the consumer; HTTP is served without them too."""
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._work, args=(self._stop,), daemon=True, name=f"mes-{i}") for i in range(self._workers)]
        self._threads.append(threading.Thread(target=self._floor.run, args=(self._stop,), daemon=True, name="mes-floor"))
        for thread in self._threads:
            thread.start()
        if self._rabbitmq is not None:
            self.consumer = Consumer(self._rabbitmq, self._truth, QUEUES, self._workers, self._tasks.put, self._log)
            self.consumer.start()

    def stop_work(self, abruptly=False):
        """`abruptly`: as a killed process, whose unacknowledged messages the broker gets back."""
        self._stop.set()
        if self.consumer is not None:
            (self.consumer.die if abruptly else self.consumer.stop)()
            self.consumer = None
        for thread in self._threads:
            thread.join(30)
        while True:  # what no worker had begun: the broker has it still
            try:
                self._tasks.get_nowait()
            except queue.Empty:
                break

    def state(self):
        with self._lock:
            return {"workers": self._alive, "workers_busy": self._busy, "calculations_in_progress": self._calculating,
                    "orders_total": dict(self._transitions), "algorithm": self.algorithm}

    def idle(self):
        with self._lock:
            return self._busy == 0 and self._tasks.empty()

    # -- HTTP

    def _stats(self, **_):
        state = self.state()
        return 200, {"workers": {"total": state["workers"], "busy": state["workers_busy"]},
                     "calculations": {"in_progress": state["calculations_in_progress"]},
                     "orders": {status: state["orders_total"].get(status, 0) for status in (*HOT, "shipped", "closed", "rejected")},
                     "algorithm": state["algorithm"]}

    def _price_of(self, model, trace, **_):
        try:
            return 200, {"model": model, "price": self.price(model, trace)}
        except PriceCalculationError as e:
            return 500, {"error": str(e)}

    # -- work

    def submit(self, task):
        """A task without a broker; dropped when too many wait."""
        try:
            self._tasks.put_nowait(task)
            return True
        except queue.Full:
            self._log.warn("too many price requests wait, one was dropped")
            return False

    def _work(self, stop):
        with self._lock:
            self._alive += 1
        try:
            while not stop.is_set():
                try:
                    delivery = self._tasks.get(timeout=0.5)
                except queue.Empty:
                    continue
                with self._lock:
                    self._busy += 1
                try:
                    self._handle(delivery, stop)
                finally:
                    with self._lock:
                        self._busy -= 1
        finally:
            with self._lock:
                self._alive -= 1

    def _handle(self, delivery, stop):
        try:
            task = json.loads(delivery.body)
            if not isinstance(task, dict) or "model" not in task:
                raise PoisonMessage("a task without a model")
        except (ValueError, PoisonMessage) as e:
            self._poison(delivery, e, stop)
            return
        trace = task.get("trace_id", "")
        status, price = "priced", None
        if delivery.queue == QUEUES[0]:
            self._order(task, "new")
        try:
            price = self.price(task["model"], trace)
        except PriceCalculationError:
            status = "rejected"
        if stop.is_set():
            return  # killed on the way: the broker delivers it again
        if delivery.queue == QUEUES[0]:
            self._order(task, status, price)
            if self._publisher is not None:
                self._publisher.publish(STATUS_QUEUE, f"{task['order']}-{status}", json.dumps({"order": task["order"], "status": status}))
        delivery.ack()

    def _poison(self, delivery, problem, stop):
        with self._lock:
            self._attempts[delivery.message_id] += 1
            attempt = self._attempts[delivery.message_id]
        self._log.error("message cannot be read", problem, queue=delivery.queue, message_id=delivery.message_id, attempt=attempt)
        self._pace.wait(stop, 0.2)
        if attempt < ATTEMPTS:
            delivery.requeue()
        else:
            with self._lock:
                del self._attempts[delivery.message_id]
            self._log.warn("message dead-lettered", queue=delivery.queue, message_id=delivery.message_id)
            delivery.reject()

    def price(self, model, trace=""):
        """From the cache, or calculated and stored there. Raises PriceCalculationError."""
        algorithm = self.algorithm
        key = f"price:{algorithm}:{model}"
        if self._cache is not None:
            cached = self._cache.get(key, model, trace_id=trace)
            if cached is not None:
                return float(cached)
        price = self._calculate(algorithm, model, trace)
        if self._cache is not None:
            self._cache.put(key, model, f"{price:.2f}")
        return price

    def _calculate(self, algorithm, model, trace):
        with self._lock:
            self._calculating += 1
            nth = self._calculated[algorithm, model]
            self._calculated[algorithm, model] += 1
        seconds, fails = decisions.calculation(self._seed, algorithm, self._algorithms[algorithm], model, nth)
        begin = time.monotonic()
        self._pace.sleep(seconds)
        took = round(time.monotonic() - begin, 6)
        with self._lock:
            self._calculating -= 1
        self._truth.calculation(algorithm, "error" if fails else "ok", took)
        about = {"event": "price_calculation", "algorithm": algorithm, "model": model, "duration_s": took, "trace_id": trace}
        if fails:
            problem = PriceCalculationError(f"mesh of {model} is not closed")
            try:
                raise problem
            except PriceCalculationError as e:
                self._log.error("price calculation failed", e, result="error", **about)
                raise
        self._log.info("price calculated", result="ok", **about)
        return 5 + seconds * 40

    # -- orders

    def _order(self, task, status, price=None):
        order, created = task["order"], datetime.datetime.fromtimestamp(task["created"], datetime.timezone.utc)
        with self._lock:
            if self._orders.get(order, "") in (status, "priced", "rejected"):
                return  # delivered again; done already
        if self._database is not None and not self._database.order(order, created, status, task["model"], task.get("customer", ""), price,
                                                                   self._stop):
            return
        with self._lock:
            self._orders[order] = status
            if len(self._orders) > ORDERS_REMEMBERED:
                self._orders.popitem(last=False)
            self._transitions[status] += 1
        self._truth.order(order, status)
        self._floor.enter(order, created, status)

    def _advance(self, order, created, status):
        if self._database is not None and not self._database.order(order, created, status, "", "", None, self._stop):
            return False
        with self._lock:
            self._transitions[status] += 1
        self._truth.order(order, status)
        self._log.info("order status changed", event="order_status", order=order, status=status)
        return True

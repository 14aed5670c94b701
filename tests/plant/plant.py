"""Starts, breaks and stops the parts of the plant."""

import contextlib
import os
import pathlib
import shutil
import stat
import tempfile
import threading
import time
import types

from . import messaging, servers, sidelight_config
from .load import Load
from .logs import ServiceLog
from .pace import Pace
from .price_cache import Cache
from .scenarios import ALGORITHMS, NORMAL, WORKERS, scenario
from .services.crm import Crm
from .services.mes import Mes
from .services.shop import Shop
from .servers.process import wait_until
from .truth import Truth
from .truth_server import TruthServer

SERVERS = ("rabbitmq", "redis")
SERVICES = ("mes", "crm", "shop")
ALL_PARTS = (*SERVERS, *SERVICES)
PAGE_TTL = 60.0  # plant seconds that the shop caches a page


def _reachable_by_others(path):
    return all(p.stat().st_mode & stat.S_IXOTH for p in (path, *path.parents))


class Plant:
    """A running plant:   with Plant(tmp_path, scenario="normal_day", seed=1) as plant: ...

    directory   made when missing; holds logs/, secrets/, servers/ and sidelight.yaml
    scenario    a name of scenarios.SCENARIOS
    seed        the same seed makes the same decisions in the same order
    speed       plant seconds in a real second: rates are multiplied and durations divided by it
    parts       names of ALL_PARTS; default all. A part that is not there is done without
    timestamps  whether messages carry the timestamp property
    workers     of the MES: how many prices it calculates at a time
    """

    def __init__(self, directory, scenario="normal_day", seed=1, speed=1.0, parts=None, timestamps=True, workers=WORKERS,
                 statistics_interval_ms=5000, cache_memory="64mb"):
        unknown = set(parts or ()) - set(ALL_PARTS)
        if unknown:
            raise ValueError(f"there are no parts {sorted(unknown)}; there are: {', '.join(ALL_PARTS)}")
        self.directory = pathlib.Path(directory)
        self.parts = set(parts or ALL_PARTS)
        self.seed = seed
        self.pace = Pace(speed)
        self.scenario = scenario
        self._first_scenario = scenario
        self._timestamps = timestamps
        self._workers = workers
        self._statistics_interval_ms = statistics_interval_ms
        self._cache_memory = cache_memory
        self._truth = Truth()
        self._stack = contextlib.ExitStack()
        self._active_faults = contextlib.ExitStack()
        self._publishers = {}
        self._stopped = set()
        self._lock = threading.RLock()  # of what starts and stops
        self.rabbitmq = self.redis = None
        self.mes = self.crm = self.shop = None
        self.load = None

    # -- life

    def __enter__(self):
        try:
            self._start()
        except BaseException:
            self._stack.close()
            raise
        return self

    def __exit__(self, *_):
        self._stack.close()

    def _start(self):
        self._make_folders()
        self._make_servers()
        for name in SERVERS:
            server = getattr(self, name)
            if server is not None:
                why = server.missing()
                if why:
                    raise RuntimeError(why)
        started = [getattr(self, name) for name in SERVERS if name in self.parts]
        for server in started:
            self._stack.callback(server.stop)
            server.begin()
        for server in started:
            server.ready()
        if self.rabbitmq is not None:
            wait_until(self._declared, 30, "queues declared", self.rabbitmq.process)
        self._make_services()
        self.load = Load(self._truth, self.pace, self._entrances)
        for name in SERVICES:
            if name in self.parts:
                service = getattr(self, name)
                self._stack.callback(self._stop_quietly, name)
                service.start()
        self.truth_server = TruthServer({"/truth": self.truth, "/decisions": self.decisions})
        self._stack.callback(self.truth_server.close)
        self._stack.callback(self._close_publishers)
        self._stack.callback(self.load.close)
        self._stack.callback(self._active_faults.close)
        for name, value in (("scenario", lambda: self.scenario), ("seed", self.seed), ("speed", self.pace.speed),
                            ("stopped", lambda: sorted(self._stopped))):
            self._truth.gauge(name, value)
        self.switch(self._first_scenario)

    def _declared(self):
        try:
            messaging.declare(self.rabbitmq, self._truth)
            return True
        except messaging.LOST:
            return False

    def _make_folders(self):
        self.directory.mkdir(parents=True, exist_ok=True)
        self.logs = self.directory / "logs"
        self.logs.mkdir(exist_ok=True)
        self.secrets = self.directory / "secrets"
        self.secrets.mkdir(exist_ok=True, mode=0o700)
        self.passwords = {"plant": "plant-services", "sidelight": f"look-only-{self.seed}"}
        for name, password in self.passwords.items():
            path = self.secrets / f"{name}.pw"
            path.write_text(password + "\n", encoding="ascii")
            path.chmod(0o600)
        self.server_folder = self.directory / "servers"
        shutil.rmtree(self.server_folder, ignore_errors=True)
        if os.geteuid() == 0 and not _reachable_by_others(self.directory.resolve()):
            # Servers that give up root could not enter: they live elsewhere and are linked.
            elsewhere = pathlib.Path(tempfile.mkdtemp(prefix="sidelight-plant-"))
            elsewhere.chmod(0o755)
            self._stack.callback(shutil.rmtree, elsewhere, ignore_errors=True)
            self.server_folder.unlink(missing_ok=True)
            self.server_folder.symlink_to(elsewhere)
            self.server_folder = elsewhere
        else:
            self.server_folder.mkdir()
            self.server_folder.chmod(0o755)

    def _make_servers(self):
        if "rabbitmq" in self.parts:
            self.rabbitmq = servers.RabbitMQ(self.server_folder / "rabbitmq", self.passwords, self._statistics_interval_ms)
        if "redis" in self.parts:
            self.redis = servers.Redis(self.server_folder / "redis", self.passwords, self._cache_memory)

    def _log(self, service):
        log = ServiceLog(self.logs, service, self._truth)
        self._stack.callback(log.close)
        return log

    def _make_services(self):
        logs = {name: self._log(name) for name in ("shop", "crm", "mes")}
        price_cache = page_cache = None
        if self.redis is not None:
            price_cache = Cache(self.redis, self._truth, logs["mes"], "price", self.pace.real(NORMAL.price_ttl), "price_cache_lookup")
            page_cache = Cache(self.redis, self._truth, logs["shop"], "model", self.pace.real(PAGE_TTL), "page_cache_lookup")
        self._caches = [c for c in (price_cache, page_cache) if c is not None]
        if self.rabbitmq is not None:
            self._publishers = {name: messaging.Publisher(self.rabbitmq, self._truth, self._timestamps) for name in SERVICES}
        self.mes = Mes(self._truth, logs["mes"], self.pace, self.seed, self._workers, ALGORITHMS, self.rabbitmq, price_cache, None,
                       self._publishers.get("mes"))
        self.crm = Crm(self._truth, logs["crm"], self._sender("crm"), self.rabbitmq)
        self.shop = Shop(self._truth, logs["shop"], self._sender("shop"), self.pace, page_cache)

    def _sender(self, service):
        """How a service hands a task to the MES: by the broker, or straight when there is none."""
        if self.rabbitmq is not None:
            return self._publishers[service].publish
        return lambda queue, message_id, body: self.mes.submit(types.SimpleNamespace(
            queue=queue, message_id=message_id, body=body, ack=lambda: None, requeue=lambda: None, reject=lambda: None))

    def _close_publishers(self):
        for publisher in self._publishers.values():
            publisher.close()

    def _stop_quietly(self, name):
        if name not in self._stopped:
            self.stop(name)

    def _entrances(self):
        """service -> (port, through the gateway?)"""
        return {name: (getattr(self, name).port, False) for name in ("shop", "crm") if name in self.parts - self._stopped}

    # -- single parts

    def stop(self, name):
        """Stops a server or service as an operator does."""
        with self._lock:
            self._part(name).stop()
            self._stopped.add(name)

    def kill(self, name):
        """As the kernel's OOM killer: a server gets SIGKILL, the MES's connections break off."""
        with self._lock:
            part = self._part(name)
            if name == "mes":
                part.stop_work(abruptly=True)
            (part.kill if hasattr(part, "kill") else part.stop)()
            self._stopped.add(name)

    def start(self, name):
        """Starts again what was stopped, on the same ports and with the same data."""
        with self._lock:
            self._part(name).start()
            self._stopped.discard(name)

    def _part(self, name):
        if name not in self.parts:
            raise ValueError(f"part {name!r} is not in this plant; it has: {', '.join(sorted(self.parts))}")
        return getattr(self, name.replace("-", "_"))

    # -- scenarios

    def switch(self, name):
        """Ends the faults of the present scenario and begins another one; returns when its faults are in place."""
        wanted = scenario(name)
        with self._lock:
            self._active_faults.close()
            self.scenario = name
            self.mes.algorithm = wanted.algorithm
            self.load.begin(self.seed, name, wanted, NORMAL)
            for fault in wanted.faults:
                getattr(self, f"_fault_{fault}")()

    def pause_load(self):
        """No customer or partner asks for anything until the next `switch` or `resume_load`."""
        self.load.pause()

    def resume_load(self):
        self.load.begin(self.seed, self.scenario, scenario(self.scenario), NORMAL)

    def rest(self, seconds=60):
        """Stops the load and waits until the MES has nothing to do and the CRM has heard of it. Needs a MES that works."""
        self.pause_load()
        wait_until(lambda: self.mes.idle() and all(q["depth"] == 0 for q in self._truth.snapshot()["queues"].values()
                                                   if not q["dead_letters"]), seconds, "the plant at rest")

    # -- faults

    def flush_cache(self):
        for cache in self._caches:
            cache.flushed()
        self.redis.command("flushall")

    def restart_broker(self, downtime=0.0):
        """Stops the broker between two messages, so that what it confirmed and what was acknowledged is what it has, and starts it."""
        with self._lock, contextlib.ExitStack() as stack:
            for publisher in self._publishers.values():
                stack.enter_context(publisher.lock)
            for service in (self.mes, self.crm):
                if service.consumer is not None:
                    stack.enter_context(service.consumer.lock)
            time.sleep(0.3)  # acknowledgements are not answered: let it read them
            self.rabbitmq.stop()
        self.pace.sleep(downtime)
        self.rabbitmq.start()

    def _fault_dead_consumer(self):
        self.mes.stop_work(abruptly=True)
        self._active_faults.callback(self.mes.start_work)

    def _fault_cache_flush(self):
        self.flush_cache()

    def _fault_broker_restart(self):
        self.restart_broker(downtime=2.0)

    # -- what is known

    def truth(self):
        return self._truth.snapshot()

    def decisions(self):
        """What each actor decided in this scenario, in order: the newest of them."""
        return {name: [f"{r.kind} {r.model} {r.partner}".strip() for r in requests] for name, requests in self.load.decided().items()}

    def write_config(self, path=None, **options):
        """Writes Sidelight's configuration for this plant (default DIR/sidelight.yaml) and returns its path. Options:
        sections=(...) of sidelight_config.SECTIONS, interval="5s", listen="127.0.0.1:9464", more={top-level keys}."""
        return sidelight_config.write(self, path, **options)

    def addresses(self):
        """Where everything listens."""
        out = {"truth": f"http://127.0.0.1:{self.truth_server.port}/truth"}
        if self.rabbitmq is not None:
            out["rabbitmq"] = f"amqp://plant@127.0.0.1:{self.rabbitmq.port}"
            out["rabbitmq management"] = f"http://127.0.0.1:{self.rabbitmq.management_port}"
            out["rabbitmq prometheus"] = f"http://127.0.0.1:{self.rabbitmq.prometheus_port}/metrics"
        if self.redis is not None:
            out["redis"] = self.redis.url
        for name in SERVICES:
            if name in self.parts:
                out[name] = f"http://127.0.0.1:{getattr(self, name).port}"
        return out

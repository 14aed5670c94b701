"""Starts, breaks and stops the parts of the plant."""

import contextlib
import functools
import os
import pathlib
import shutil
import stat
import tempfile
import threading
import time
import types

from . import database, messaging, sidelight_config
from .assembly import ALL_PARTS, SERVERS, SERVICES, Services, check_parts, make_gateway, make_servers
from .load import Load
from .pace import Pace
from .scenarios import NORMAL, SCENARIOS, WORKERS, scenario
from .servers.guardian import Guardian
from .servers.process import wait_until
from .truth import Truth
from .truth_server import TruthServer


def _reachable_by_others(path):
    return all(p.stat().st_mode & stat.S_IXOTH for p in (path, *path.parents))


class Plant:
    """A running plant:   with Plant(tmp_path, scenario="normal_day", seed=1) as plant: ...

    directory   made when missing; holds logs/, secrets/, servers/ and sidelight.yaml
    scenario    a name of scenarios.SCENARIOS
    seed        the same seed makes the same decisions in the same order
    speed       plant seconds in a real second: rates are multiplied and durations divided by it
    parts       names of assembly.ALL_PARTS; default all. What is not there is done without
    timestamps  whether messages carry the timestamp property
    workers     of the MES: how many prices it calculates at a time
    statistics_interval_ms   of the broker's management API
    cache_memory             Redis' maxmemory
    stream      whether the broker has the stream protocol, and a stream of each order's status

    Servers are the attributes rabbitmq, redis, redis_replica, memcached, postgres, replica, gateway, services mes, crm, shop,
    partner_api_a, partner_api_b; None when the part is not there.
    """

    rabbitmq = redis = redis_replica = memcached = postgres = replica = gateway = None
    mes = crm = shop = partner_api_a = partner_api_b = None

    def __init__(self, directory, scenario="normal_day", seed=1, speed=1.0, parts=None, timestamps=True, workers=WORKERS,
                 statistics_interval_ms=5000, cache_memory="64mb", stream=False):
        self.directory = pathlib.Path(directory).resolve()
        self.parts = check_parts(ALL_PARTS if parts is None else parts)
        self.seed = seed
        self.pace = Pace(speed)
        self.scenario = scenario
        self.load = self.truth_server = None
        self._options = types.SimpleNamespace(timestamps=timestamps, workers=workers, statistics_interval_ms=statistics_interval_ms,
                                              cache_memory=cache_memory, stream=stream)
        self._truth = Truth()
        self._stack = contextlib.ExitStack()
        self._active_faults = contextlib.ExitStack()
        self._services = self._guardian = None
        self._stopped = set()
        self._lock = threading.RLock()  # of what starts and stops

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
        self._guardian = Guardian()
        self._stack.callback(self._guardian.close)
        self._start_servers()
        self._services = Services(self, self._truth, self._options)
        self._stack.callback(self._services.close)
        for name in (n for n in SERVICES if n in self.parts):
            setattr(self, name.replace("-", "_"), self._services.parts[name])
            self._stack.callback(self._end, name)
            self._services.parts[name].start()
        if "gateway" in self.parts:
            self.gateway = make_gateway(self)
            self._check(self.gateway)
            self.gateway.guardian = self._guardian
            self.gateway.shop = self.shop.port if self.shop else None
            self.gateway.partner_api = [p.port for p in (self.partner_api_a, self.partner_api_b) if p]
            self._stack.callback(self._end, "gateway")
            self.gateway.start()
        self.load = Load(self._truth, self.pace, self._entrances)
        self.truth_server = TruthServer({"/truth": self.truth, "/decisions": self.decisions, "/addresses": self.addresses},
                                        {f"/scenario/{name}": functools.partial(self._switched, name) for name in SCENARIOS})
        self._stack.callback(self.truth_server.close)
        self._stack.callback(self.load.close)
        self._stack.callback(self._active_faults.close)
        for name, value in (("scenario", lambda: self.scenario), ("seed", self.seed), ("speed", self.pace.speed),
                            ("stopped", lambda: sorted(self._stopped))):
            self._truth.gauge(name, value)
        self.switch(self.scenario)

    def _start_servers(self):
        made = make_servers(self, self._options)
        for server in made.values():
            self._check(server)
            server.guardian = self._guardian
        for name, server in made.items():
            setattr(self, name.replace("-", "_"), server)
            self._stack.callback(self._end, name)
            if name == "replica":
                self.postgres.ready()
                database.make(self.postgres, self.passwords["sidelight"])
            server.begin()
        if self.postgres is not None and self.replica is None:
            self.postgres.ready()
            database.make(self.postgres, self.passwords["sidelight"])
        if self.postgres is not None:
            self._truth.orders_of_old(database.SEED_ROWS)
        for server in made.values():
            server.ready()
        if self.rabbitmq is not None:
            wait_until(self._declared, 30, "queues declared", self.rabbitmq.process)

    @staticmethod
    def _check(server):
        why = server.missing()
        if why:
            raise RuntimeError(why)

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
        if self.server_folder.is_symlink():
            self.server_folder.unlink()
        shutil.rmtree(self.server_folder, ignore_errors=True)
        if os.geteuid() == 0 and not _reachable_by_others(self.directory):
            # Servers that give up root could not enter: they live elsewhere and are linked.
            elsewhere = pathlib.Path(tempfile.mkdtemp(prefix="sidelight-plant-"))
            elsewhere.chmod(0o755)
            self._stack.callback(shutil.rmtree, elsewhere, ignore_errors=True)
            self.server_folder.symlink_to(elsewhere)
            self.server_folder = elsewhere
        else:
            self.server_folder.mkdir()
            self.server_folder.chmod(0o755)

    def _end(self, name):
        """At the end of the plant: nobody needs what servers would still write down."""
        if name not in self._stopped:
            part = self._part(name)
            (part.kill if hasattr(part, "kill") else part.stop)()

    def _entrances(self):
        """service -> (port, through the gateway?): where customers and partners knock."""
        there = self.parts - self._stopped
        out = {"crm": (self.crm.port, False)} if "crm" in there else {}
        if "gateway" in self.parts:
            if "gateway" in there:
                out["shop"] = out["partner-api"] = (self.gateway.port, True)
            return out
        if "shop" in there:
            out["shop"] = (self.shop.port, False)
        for name in ("partner-api-a", "partner-api-b"):
            if name in there:
                out.setdefault("partner-api", (self._part(name).port, False))
        return out

    # -- single parts

    def stop(self, name):
        """Stops a server or service as an operator does."""
        with self._lock:
            self._part(name).stop()
            self._stopped.add(name)

    def kill(self, name):
        """As the kernel's OOM killer: a server ends without a word, the MES's connections break off."""
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
            self._services.parts["mes"].algorithm = wanted.algorithm
            self.load.begin(self.seed, name, wanted, NORMAL)
            for fault in wanted.faults:
                getattr(self, f"_fault_{fault}")()

    def _switched(self, name):
        self.switch(name)
        return {"scenario": name}

    def pause_load(self):
        """No customer or partner asks for anything until the next `switch` or `resume_load`."""
        self.load.pause()

    def resume_load(self):
        self.load.begin(self.seed, self.scenario, scenario(self.scenario), NORMAL)

    def rest(self, seconds=180):
        """Stops the load and waits until the MES has nothing to do and the CRM has heard of it. Needs a MES that works."""
        self.pause_load()
        wait_until(lambda: self.mes.idle() and all(q["depth"] == 0 for q in self._truth.snapshot()["queues"].values()
                                                   if not q["dead_letters"]), seconds, "the plant at rest")

    # -- faults

    def flush_cache(self):
        for cache in self._services.caches:
            cache.flushed()
        self.redis.command("flushall")

    def restart_broker(self, downtime=0.0):
        """Stops the broker between two messages, so that what it confirmed and what was acknowledged is what it has; starts it again
        after `downtime` plant seconds."""
        with self._lock:
            with contextlib.ExitStack() as stack:
                for publisher in self._services.publishers.values():
                    stack.enter_context(publisher.lock)
                for service in (self.mes, self.crm):
                    if service is not None and service.consumer is not None:
                        stack.enter_context(service.consumer.lock)
                time.sleep(0.3)  # acknowledgements are not answered: let it read them
                self.rabbitmq.stop()
            self.pace.sleep(downtime)
            self.rabbitmq.start()

    def set_timestamps(self, on):
        """Whether messages carry the timestamp property from now on."""
        for publisher in self._services.publishers.values():
            publisher.timestamps = on

    def pause_replica(self):
        """The replica receives and does not replay: its lag grows until `resume_replica`."""
        self.replica.sql("select pg_wal_replay_pause()")

    def resume_replica(self):
        self.replica.sql("select pg_wal_replay_resume()")

    def _fault_dead_consumer(self):
        if self.mes is not None:
            self.mes.stop_work(abruptly=True)
            self._active_faults.callback(self.mes.start_work)

    def _fault_cache_flush(self):
        if self.redis is not None:
            self.flush_cache()

    def _fault_slow_database(self):
        if self.postgres is not None:
            report = database.Report(self.postgres, self.pace)
            self._active_faults.callback(report.stop)
            report.start()

    def _fault_broker_restart(self):
        if self.rabbitmq is not None:
            self.restart_broker(downtime=2.0)

    # -- what is known

    def truth(self):
        """Every number that a metric should show; README.md says what each means."""
        return self._truth.snapshot()

    def decisions(self):
        """What each actor decided in this scenario, in order: the newest of them."""
        return {name: [f"{r.kind} {r.model} {r.partner}".strip() for r in requests] for name, requests in self.load.decided().items()}

    def write_config(self, path=None, **options):
        """Writes Sidelight's configuration for this plant (default DIR/sidelight.yaml) and returns its path. Options:
        sections=(...) of sidelight_config.SECTIONS, interval="1s", listen="127.0.0.1:9464", more={top-level keys, and in "collectors" further ones}."""
        return sidelight_config.write(self, path, **options)

    def addresses(self):
        """Where everything listens."""
        out = {}
        for name in (*SERVERS, *SERVICES, "gateway"):
            part = getattr(self, name.replace("-", "_"))
            if part is not None:
                out[name] = f"{'http://' if name in SERVICES or name == 'gateway' else ''}127.0.0.1:{part.port}"
        if self.rabbitmq is not None:
            out["rabbitmq management"] = f"http://127.0.0.1:{self.rabbitmq.management_port}"
            out["rabbitmq prometheus"] = f"http://127.0.0.1:{self.rabbitmq.prometheus_port}/metrics"
        if self.gateway is not None:
            out["gateway stub_status"] = f"http://127.0.0.1:{self.gateway.status_port}/stub_status"
        out["truth"] = f"http://127.0.0.1:{self.truth_server.port}/truth"
        return out

"""Makes the servers and services of a plant and tells them of each other."""

import types

from . import messaging, servers
from .database import Database
from .logs import ServiceLog
from .price_cache import Cache
from .scenarios import ALGORITHMS, NORMAL
from .services.crm import Crm
from .services.mes import Mes
from .services.partner_api import PartnerApi
from .services.shop import Shop
from .sessions import Sessions

SERVERS = ("rabbitmq", "redis", "redis-replica", "memcached", "postgres", "replica")
SERVICES = ("mes", "crm", "shop", "partner-api-a", "partner-api-b")
ALL_PARTS = (*SERVERS, *SERVICES, "gateway")
NEEDS = {"replica": "postgres", "redis-replica": "redis"}
PAGE_TTL = 60.0  # plant seconds that the shop caches a page
SESSION_TTL = 120.0
PARTNER_RATE = 10  # requests that the gateway lets a partner make, per plant second
CATALOG_TTL = 10.0


def check_parts(parts):
    unknown = set(parts) - set(ALL_PARTS)
    if unknown:
        raise ValueError(f"there are no parts {sorted(unknown)}; there are: {', '.join(ALL_PARTS)}")
    for part, other in NEEDS.items():
        if part in parts and other not in parts:
            raise ValueError(f"part {part!r} needs part {other!r}")
    return set(parts)


def make_servers(plant, options):
    """Part name -> server, in the order in which they are to start."""
    folder, out = plant.server_folder, {}
    for name in (p for p in SERVERS if p in plant.parts):
        if name == "rabbitmq":
            server = servers.RabbitMQ(folder / name, plant.passwords, options.statistics_interval_ms, options.stream)
        elif name == "redis":
            server = servers.Redis(folder / name, plant.passwords, options.cache_memory)
        elif name == "redis-replica":
            server = servers.Redis(folder / name, plant.passwords, options.cache_memory, out["redis"])
        elif name == "memcached":
            server = servers.Memcached(folder / name)
        elif name == "postgres":
            server = servers.PostgreSQL(folder / name)
        else:
            server = servers.Replica(folder / name, out["postgres"])
        out[name] = server
    return out


def make_gateway(plant):
    """The gateway begins after the services, whose ports it needs."""
    pace = plant.pace
    return servers.Nginx(plant.server_folder / "gateway", plant.logs / "gateway", max(1, round(PARTNER_RATE * pace.speed)),
                         max(1, round(pace.real(CATALOG_TTL))))


class Services:
    """The services of a plant, by part name in `parts`; those that are not wanted are made too, and never started."""

    def __init__(self, plant, truth, options):
        self.caches = []
        self.publishers = {}
        self.logs = {name: ServiceLog(plant.logs, name, truth) for name in self._log_names(plant)}
        pace = plant.pace
        price_cache = self._cache(plant, truth, "mes", "price", pace.real(NORMAL.price_ttl))
        page_cache = self._cache(plant, truth, "shop", "model", pace.real(PAGE_TTL))
        sessions = Sessions(plant.memcached, truth, pace.real(SESSION_TTL)) if plant.memcached is not None else None
        database = Database(plant.postgres, self.logs["mes"]) if plant.postgres is not None else None
        rabbitmq = plant.rabbitmq
        if rabbitmq is not None:
            self.publishers = {name: messaging.Publisher(rabbitmq, truth, options.timestamps) for name in SERVICES}
        mes = Mes(truth, self.logs["mes"], pace, plant.seed, options.workers, ALGORITHMS, rabbitmq, price_cache, database,
                  self.publishers.get("mes"))

        def straight(queue, message_id, body):
            """How tasks reach the MES without a broker."""
            return mes.submit(types.SimpleNamespace(queue=queue, message_id=message_id, body=body, ack=lambda: None, requeue=lambda: None,
                                                    reject=lambda: None))

        def send(service):
            return self.publishers[service].publish if rabbitmq is not None else straight

        self.parts = {"mes": mes, "crm": Crm(truth, self.logs["crm"], send("crm"), rabbitmq),
                      "shop": Shop(truth, self.logs["shop"], send("shop"), pace, page_cache, sessions)}
        for name in ("partner-api-a", "partner-api-b"):
            log = self.logs.get("partner-api") or self.logs["shop"]  # one file for both; the shop's for an API that never starts
            self.parts[name] = PartnerApi(truth, log, send(name), pace, name)

    @staticmethod
    def _log_names(plant):
        wanted = ["mes", "crm", "shop"]
        return wanted + ["partner-api"] if {"partner-api-a", "partner-api-b"} & plant.parts else wanted

    def _cache(self, plant, truth, service, prefix, ttl):
        if plant.redis is None:
            return None
        self.caches.append(Cache(plant.redis, truth, self.logs[service], prefix, ttl, f"{prefix}_cache_lookup"))
        return self.caches[-1]

    def close(self):
        for publisher in self.publishers.values():
            publisher.close()
        for log in self.logs.values():
            log.close()

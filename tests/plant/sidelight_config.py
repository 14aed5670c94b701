"""Writes the configuration with which Sidelight watches the whole plant."""

import json
import pathlib
import subprocess

from ports import free_port

from .services.mes import HOT

SECTIONS = ("logs", "output", "log_metrics", "rabbitmq", "redis", "memcached", "postgres", "nginx", "http_json", "process", "objectives")


def known_to(program):
    """Which sections the program's schema has: a program of another version may know fewer."""
    schema = json.loads(subprocess.run([program, "schema", "--json-schema"], stdout=subprocess.PIPE, check=True, timeout=30).stdout)

    def keys(what):
        return set(what.get("properties", {})).union(*(keys(choice) for choice in what.get("anyOf", ())))

    return (keys(schema) | keys(schema["properties"].get("collectors", {}))) & set(SECTIONS)


def settings(plant, sections=None, interval=None, listen=None, more=None):
    """The configuration as a dictionary. `sections` selects from SECTIONS (default: all that the plant's parts allow); `interval` is
    for all collectors (default: their own); `more` is merged over the top level, and its collectors with the plant's."""
    wanted = set(SECTIONS if sections is None else sections)
    unknown = wanted - set(SECTIONS)
    if unknown:
        raise ValueError(f"there are no sections {sorted(unknown)}; there are: {', '.join(SECTIONS)}")
    out = {"http": {"listen": listen or f"127.0.0.1:{free_port()}"}}
    if "logs" in wanted:
        out["logs"] = _logs(plant)
        out["state_dir"] = str(plant.directory / "state")
    if "output" in wanted:
        out["output"] = {"file": {"path": str(plant.directory / "out" / "events.ndjson")}}
        (plant.directory / "out").mkdir(exist_ok=True)
    collectors = {name: value for name, value in _collectors(plant, interval).items() if name in wanted}
    if collectors:
        out["collectors"] = collectors
    if "log_metrics" in wanted:
        out["log_metrics"] = {"presets": ["app", "mes", *(["gateway"] if "gateway" in plant.parts else [])]}
    if "objectives" in wanted:
        out["objectives"] = {"mes_queue_drain_seconds": 600, "mes_queue_head_age_seconds": 900, "mes_cache_hit_ratio": 0.3,
                             "mes_price_calculation_duration_seconds": 10}
    more = dict(more or {})
    if "collectors" in more:
        more["collectors"] = {**out.get("collectors", {}), **more["collectors"]}
    out.update(more)
    return out


def _logs(plant):
    inputs = [{"paths": [str(plant.logs / service / f"{service}.log")], "format": "json", "service": service}
              for service in ("shop", "crm", "mes", "partner-api") if service in plant.parts or service == "partner-api" and
              "partner-api-a" in plant.parts]
    if "gateway" in plant.parts:
        inputs.append({"paths": [str(plant.logs / "gateway" / "access.log")], "format": "json", "service": "gateway"})
        inputs.append({"paths": [str(plant.logs / "gateway" / "error.log")], "format": "nginx_error", "service": "gateway"})
    return inputs


def _collectors(plant, interval):
    common = {"interval": interval} if interval else {}
    secrets = plant.secrets / "sidelight.pw"
    out = {}
    if plant.rabbitmq is not None:
        out["rabbitmq"] = {"name": "mes-broker", "url": f"http://127.0.0.1:{plant.rabbitmq.management_port}", "username": "sidelight",
                           "password_file": str(secrets), "queues": ["mes.*"], **common}
    if plant.redis is not None:
        out["redis"] = {"name": "price-cache", "url": plant.redis.url, "username": "sidelight", "password_file": str(secrets),
                        "replicas": plant.redis_replica is not None, **common}
    if plant.memcached is not None:
        out["memcached"] = {"name": "sessions", "address": f"127.0.0.1:{plant.memcached.port}", **common}
    if plant.postgres is not None:
        slow = {"slow_interval": "5s"} if interval else {}  # sizes, indexes, shares of rows: by default each minute
        out["postgres"] = [{"name": name, "url": f"postgresql://127.0.0.1:{server.port}/mes", "username": "sidelight",
                            "password_file": str(secrets), **common, **slow, **more}
                           for name, server, more in (("mes-db", plant.postgres, {"hot_cold": [{
                               "table": "public.orders", "status_column": "status", "hot": list(HOT),
                               "partial_index_min_rows": 10_000}]}),  # the plant's table is a small one
                                                      ("mes-db-replica", plant.replica, {})) if server]
    if plant.gateway is not None:
        out["nginx"] = {"name": "gateway", "url": f"http://127.0.0.1:{plant.gateway.status_port}/stub_status", **common}
    if "mes" in plant.parts:
        out["http_json"] = {"name": "mes", "url": f"http://127.0.0.1:{plant.mes.port}/stats", **common, "metrics": [
            {"name": "mes_workers_busy", "pointer": "/workers/busy", "type": "gauge", "help": "Workers that price a model now."},
            {"name": "mes_workers", "pointer": "/workers/total", "type": "gauge", "help": "Workers that run."},
            {"name": "mes_calculations_in_progress", "pointer": "/calculations/in_progress", "type": "gauge",
             "help": "Price calculations that run now."},
            *({"name": "mes_orders_total", "pointer": f"/orders/{status}", "type": "counter", "labels": {"status": status},
               "help": "Orders that reached a status."}
              for status in ("new", "priced", "in_production", "shipped", "closed", "rejected"))]}
    out["process"] = {}
    return out


def write(plant, path=None, **options):
    """Writes the configuration (JSON, which is YAML) and returns its path; options as of `settings`."""
    path = pathlib.Path(path) if path else plant.directory / "sidelight.yaml"
    path.write_text(json.dumps(settings(plant, **options), indent=2) + "\n", encoding="utf-8")
    return path

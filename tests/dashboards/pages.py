"""Representative /metrics pages, made of the names, types and labels that the reference tells: every metric, every value of each label.

What a metric shows is a function of the time alone, so that a page scraped now continues what was written for an hour ago, and two
instances that watch one target show the same.
"""

import itertools
import math
import re
import zlib

from known import all_metrics

BUCKETS = (0.05, 0.25, 1, 5, 30)
# Values of labels whose values the reference leaves open.
EXAMPLES = {
    "vhost": ("/",), "queue": ("mes.price", "mes.orders"), "node": ("node-1", "node-2"), "version": ("3.10.8",), "database": ("mes",),
    "schema": ("public",), "table": ("orders", "items"), "index": ("orders_status",), "status": ("new", "priced", "shipped"),
    "mode": ("AccessShareLock",), "state": ("active", "idle"), "replica": ("standby-1",), "reason": ("hot share is small",),
    "pipeline": ("main",), "distribution": ("elasticsearch",), "process": ("shop",), "service_name": ("shop", "crm", "mes"),
    "route": ("/models/{id}",), "method": ("GET",), "level": ("info", "error"), "algorithm": ("v2",), "key_prefix": ("price",),
    "partner": ("acme", ""), "upstream": ("10.0.0.1:80",), "input": ("app",), "cause": ("connection refused",), "window": ("5m",),
    "status_class": ("2xx", "3xx", "4xx", "5xx"),
    "outcome": ("passed", "delayed", "rejected", "delayed_dry_run", "rejected_dry_run"),
}
# Where a label's values are those of one metric.
EXAMPLES_OF = {
    ("mes_price_cache_lookups_total", "result"): ("hit", "miss"),
    ("mes_price_cache_lookups_total", "reason"): ("none", "new", "expired", "evicted", "flushed", "algorithm"),
    ("mes_price_calculations_total", "result"): ("ok", "error"),
    ("gateway_cache_requests_total", "status"): ("hit", "miss", "expired", "stale"),
}
# By the beginning of a metric's name: which target shows it, and which collector watches that.
TARGETS = (("mes_queue", "rabbitmq", "mes-broker"), ("mes_dead", "rabbitmq", "mes-broker"), ("mes_stream", "rabbitmq", "mes-broker"),
           ("mes_broker", "rabbitmq", "mes-broker"), ("mes_cache", "redis", "price-cache"), ("mes_db", "postgres", "mes-db"),
           ("gateway", "nginx", "gateway"), ("log_store", "elasticsearch", "logs"), ("log_relay", "logstash", "relay"),
           ("mes_", "http_json", "mes"))
_UP = ("_up", "_successful")
_TIME = "_timestamp_seconds"


def _spread(text, low, high):
    """Always the same number for the same text."""
    return low + (high - low) * (zlib.crc32(text.encode()) % 1000) / 1000


def _gauge(name, labels, now):
    if name == "mes_queue_consumers" or name.endswith(_UP) or name.endswith("_info"):
        return 1
    if name.endswith(_TIME) or name == "process_start_time_seconds":
        return math.floor(now / 300) * 300 - 60
    if name.endswith("_objective"):
        return 5e10 if "bytes" in name else 0.9 if "ratio" in name else 600
    if name in ("sidelight_collector_stale", "mes_queue_stalled", "mes_broker_alarm", "mes_db_replica", "log_store_status"):
        return 0
    if name.endswith("_ratio"):
        return round(_spread(name + labels, 0.1, 0.8), 3)
    if name.endswith(("_limit_bytes", "_total_bytes", "_limit", "_max_fds", "_budget_bytes")):
        return 4e9
    if "_bytes" in name:
        # Free space shrinks and what is used grows, so that there is something to forecast.
        slope = -500 if "free" in name else 500
        return 2e9 + slope * (now % 2_000_000)
    return round(_spread(name + labels, 1, 50))


def _combinations(metric, collector=None, target=None):
    names = [label for label in metric.labels if label not in ("collector", "target")]
    fixed = [(label, value) for label, value in (("collector", collector), ("target", target)) if label in metric.labels]
    for values in itertools.product(*((metric.labels[name] or EXAMPLES_OF.get((metric.name, name)) or EXAMPLES[name]) for name in names)):
        pairs = dict(zip(names, values, strict=True))
        if pairs.get("result") == "hit" and pairs.get("reason", "none") != "none" or pairs.get("result") == "miss" and pairs.get("reason") == "none":
            continue
        yield [*fixed, *pairs.items()]


def _render(pairs):
    return ",".join(f'{name}="{value}"' for name, value in pairs)


def _samples(metric, pairs, now):
    """[(series, labels, value)] of one set of labels at one time."""
    labels = _render(pairs)
    if metric.type == "gauge":
        return [(metric.name, labels, _gauge(metric.name, labels, now))]
    since = now % 50_000_000
    count = since * _spread(metric.name + labels, 0.5, 3)
    if metric.type == "counter":
        return [(metric.name, labels, count)]
    out = [(f"{metric.name}_bucket", _render([*pairs, ("le", f"{le:g}" if le else "+Inf")]), count * share)
           for le, share in zip((*BUCKETS, 0), (0.1, 0.4, 0.7, 0.95, 1, 1), strict=True)]
    return [*out, (f"{metric.name}_sum", labels, count * 0.6), (f"{metric.name}_count", labels, count)]


def _two(collector, target):
    """A second target of each kind shows what a legend does not tell apart."""
    return [(collector, target), (collector, f"{target}-2")]


class Page:
    """What one instance shows. `beside` is "pod" or "targets"."""

    def __init__(self, beside):
        self._series = []
        for metric in all_metrics().values():
            if "collector" in metric.labels:
                of = {t for _, collector, target in TARGETS for t in _two(collector, target)} if beside == "targets" else ()
            elif "target" in metric.labels:
                of = _two(*next(t[1:] for t in TARGETS if metric.name.startswith(t[0]))) if beside == "targets" else ()
            elif metric.name.startswith(("process_", "sidelight_build", "sidelight_config", "sidelight_http")) or metric.name.endswith("_objective"):
                of = [(None, None)]
            else:
                of = [(None, None)] if beside == "pod" else ()
            self._series += [(metric, pairs) for collector, target in sorted(of, key=str) for pairs in _combinations(metric, collector, target)]

    def samples(self, now):
        """[(metric, [(series, labels, value)])], together what belongs to one metric."""
        out = {}
        for metric, pairs in self._series:
            out.setdefault(metric.name, (metric, []))[1].extend(_samples(metric, pairs, now))
        return list(out.values())

    def text(self, now):
        """As /metrics shows it."""
        lines = []
        for metric, samples in self.samples(now):
            lines.append(f"# TYPE {metric.name} {metric.type}")
            lines += [f"{series}{{{labels}}} {value!r}" for series, labels, value in samples]
        return "\n".join(lines) + "\n"


def outside_kubernetes(page):
    """What `page` shows of the program itself."""
    def text(now):
        return "".join(line + "\n" for line in page.text(now).splitlines() if re.match(r"(# TYPE )?(sidelight|process)_", line))
    return text


def foreign_text(now):
    """What Prometheus and kube-state-metrics would add."""
    alert = 'alertname="MesQueueDrainTooLong",severity="page",team="mes",area="{area}",target="mes-broker"'
    areas = ("queue", "cache", "apps", "database", "gateway", "capacity", "logs", "sidecar")
    lines = [line for area in areas for line in (f'ALERTS{{alertstate="firing",{alert.format(area=area)}}} 1',
                                                 f"ALERTS_FOR_STATE{{{alert.format(area=area)}}} {now - 700:.0f}")]
    lines += [f'ALERTS{{alertname="MesDbLongQueries",alertstate="firing",severity="ticket",area="{area}",team="mes"}} 1' for area in areas]
    # What is not counted: an alert that waits for its time, and one that always fires.
    lines += ['ALERTS{alertname="MesDbDown",alertstate="pending",severity="page",area="database",team="mes"} 1',
              'ALERTS{alertname="MesDbReplicaLag",alertstate="pending",severity="ticket",area="database",team="mes"} 1',
              'ALERTS{alertname="MesDbConnectionsNearLimit",alertstate="firing",severity="ticket",area="database",team="mes"} 1',
              'ALERTS{alertname="Watchdog",alertstate="firing",severity="none"} 1']
    lines.append(f'kube_replicaset_created{{namespace="shop",replicaset="shop-7d9"}} {now - 60:.0f}')
    return "\n".join(lines) + "\n"


def history(page, labels, begin, end, step):
    """OpenMetrics with times, of what `page` showed from `begin` to `end`, for `promtool tsdb create-blocks-from openmetrics`."""
    by_series = {}
    for now in range(int(begin), int(end), step):
        for metric, samples in page.samples(now):
            for series, own, value in samples:
                by_series.setdefault(metric.name, (metric, {}))[1].setdefault((series, own), []).append((now, value))
    extra = _render(labels.items())
    lines = []
    for metric, series in by_series.values():
        family = metric.name.removesuffix("_total") if metric.type == "counter" and metric.name.endswith("_total") else metric.name
        lines.append(f"# TYPE {family} {metric.type if family != metric.name or metric.type != 'counter' else 'unknown'}")
        for (name, own), values in series.items():
            labels = ",".join(part for part in (own, extra) if part)
            lines += [f"{name}{{{labels}}} {value!r} {now}" for now, value in values]
    return lines


def long_history(begin, end, step=120, cluster=""):
    """Lines of what rules recorded for days: what forecasts, comparisons with a week and growth by the day read."""
    recorded = {
        'mes:cache_hit_ratio:rate30m{target="price-cache"}': lambda t: 0.7,
        'mes:db_size_bytes:max{target="mes-db",database="mes"}': lambda t: _gauge("mes_db_size_bytes", "", t),
        'mes:db_table_size_bytes:max{target="mes-db",database="mes",schema="public",table="orders"}': lambda t: _gauge("mes_db_table_size_bytes", "",
            t),
    }
    for queue in EXAMPLES["queue"]:
        recorded[f'mes:queue_depth:max{{target="mes-broker",vhost="/",queue="{queue}"}}'] = lambda t: 7
    for node in EXAMPLES["node"]:
        recorded |= {
            f'mes:cache_memory_bytes:max{{target="price-cache",node="{node}"}}': lambda t: _gauge("mes_cache_memory_bytes", "", t),
            f'mes:broker_disk_free_bytes:min{{target="mes-broker",node="{node}"}}': lambda t: _gauge("mes_broker_disk_free_bytes", "", t),
            f'log_store:disk_used_ratio:max{{target="logs",node="{node}"}}':
                lambda t: 1 - _gauge("log_store_disk_free_bytes", "", t) / _gauge("log_store_disk_total_bytes", "", t),
        }
    recorded |= {series.replace('",', '-2",', 1) if "," in series else series.replace('"}', '-2"}'): value for series, value in recorded.items()}
    lines = []
    for series, value in sorted(recorded.items()):
        lines.append(f"# TYPE {series.partition('{')[0]} gauge")
        if cluster:
            series = series.replace("}", f',cluster="{cluster}"}}')
        lines += [f"{series} {value(t)!r} {t}" for t in range(int(begin), int(end), step)]
    return lines

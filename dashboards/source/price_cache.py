"""Price cache: what it hits, why it misses, and how much calculation that saves."""

from . import limits
from .dashboard import Dashboard
from .grafana import Column, Query, Row, Thresholds, in_color, on_right_axis, reference_line, stat, states, table, timeseries
from .shared import (CLUSTER, OBJECTIVE_LINE, UP_TEXTS, annotations, kibana, objective, runbook, selector, service_namespace_choice,
                     target_choice)
from .dashboard import Text

CACHE = selector("cluster", "target")
LOGS = selector("cluster", "namespace")
NODE = "{{node}} ({{target}})"
NO_CACHE = "No cache is watched"
NO_LOGS = "No log of the MES is read (log_metrics preset mes)"
ANSWERS = f'sidelight:collector_up:max{selector("cluster", "target", collector="redis|memcached")}'


def dashboard():
    return Dashboard(
        uid="sidelight-price-cache",
        title="Price cache",
        description="Hit rate as the server and as the MES's own log tell it, misses by reason, the calculation time that hits save, and the "
                    "calculations that misses cost.",
        variables=[CLUSTER, target_choice("redis|memcached"), service_namespace_choice("mes_price_calculations_total"),
                   Text("trace", "Trace id")],
        annotations=annotations("cache|apps"),
        links=[kibana("sidelight-slow-prices", "Logs: slow price calculations"),
               kibana("sidelight-trace", "Logs: one trace", 'trace.id : "${trace}"')],
        items=[*_now(), *_hits(), *_calculations(), *_server()],
    )


def _now():
    ratio = limits.HIT_RATIO.thresholds()
    return [
        Row("Now"),
        stat("Hit rate", "Share of look-ups that the servers answered, of the last five minutes, all chosen caches together.",
             [Query(f"sum(mes:cache_hits:rate5m{CACHE}) / (sum(mes:cache_lookups:rate5m{CACHE}) > 0)")], "percentunit", thresholds=ratio,
             decimals=1, links=runbook("MesCacheHitRateUnderFloor", "MesCacheHitRateUnderItsWeek"), absent="No look-ups"),
        stat("Against its week", "Hit rate of 30 minutes divided by the mean of the last seven days, of the worst cache. The ticket "
             "comes under 80 %. Absent until six days are known.",
             [Query(f"min(mes:cache_hit_ratio:rate30m{CACHE} / (mes:cache_hit_ratio:avg7d{CACHE} > 0))")], "percentunit",
             thresholds=Thresholds(((None, "red"), (0.8, "green"))), decimals=0, links=runbook("MesCacheHitRateUnderItsWeek"),
             absent="Less than a week known"),
        stat("Time saved", "Over the time shown: hits, times what a calculation took on average in the hour before each.",
             [Query(f"sum(avg_over_time(mes:price_cache_saved_seconds:rate5m{LOGS}[$__range])) * $__range_s", instant=True)], "s",
             decimals=1, absent="No log of the MES is read"),
        stat("Workers spared", "Seconds of calculation that hits spare each second: as many workers would be needed more without the cache.",
             [Query(f"sum(mes:price_cache_saved_seconds:rate5m{LOGS})")], "short", decimals=1, absent="No log of the MES is read"),
        stat("Price within", "95 of 100 price calculations are done within this time, of the slowest namespace.",
             [Query(f"max(mes:price_calculation_duration_seconds:p95{LOGS})")], "s", thresholds=limits.PRICE_TIME.thresholds(),
             links=runbook("MesPriceCalculationSlow"), absent="No calculation lately"),
        stat("Prices that fail", "Share of price calculations that end with an error.",
             [Query(f"max(mes:price_calculation_error_ratio:rate5m{LOGS})")], "percentunit", thresholds=limits.PRICE_ERRORS.thresholds(),
             decimals=1, links=runbook("MesPriceCalculationFailing"), absent="No calculation lately"),
    ]


def _hits():
    return [
        Row("Hits and misses"),
        timeseries("Hit rate of the servers",
                   "Of each cache, of 5 minutes, beside the mean of its week and the floor that holds until there is a week "
                   "(mes_cache_hit_ratio_objective).",
                   [Query(f"mes:cache_hit_ratio:rate5m{CACHE}", "{{target}}"), Query(f"mes:cache_hit_ratio:avg7d{CACHE}", "week of {{target}}"),
                    objective(limits.HIT_RATIO, CACHE)],
                   "percentunit", maximum=1, thresholds=limits.HIT_RATIO.thresholds(), overrides=[OBJECTIVE_LINE],
                   links=runbook("MesCacheHitRateUnderFloor", "MesCacheHitRateUnderItsWeek"), absent="No look-ups"),
        timeseries("Hit rate by kind of key", "From the look-ups that the MES logs: the server cannot tell keys apart.",
                   [Query(f"sum by (key_prefix) (mes:price_cache_lookups:rate5m{selector('cluster', 'namespace', result='hit')}) "
                          f"/ (sum by (key_prefix) (mes:price_cache_lookups:rate5m{LOGS}) > 0)", "{{key_prefix}}")],
                   "percentunit", maximum=1, absent=NO_LOGS),
        timeseries("Misses by reason", "new: never seen; expired: outlived; evicted: thrown out for want of memory; flushed: the cache was emptied; "
                   "algorithm: another version of the calculation.",
                   [Query(f"sum by (reason) (mes:price_cache_lookups:rate5m{selector('cluster', 'namespace', result='miss')})", "{{reason}}")],
                   "ops", stack=True, links=runbook("MesCacheHitRateUnderItsWeek"), absent=NO_LOGS),
        timeseries("Look-ups of the servers", "All chosen caches together.",
                   [Query(f"sum(mes:cache_hits:rate5m{CACHE})", "hits"), Query(f"sum(mes:cache_misses:rate5m{CACHE})", "misses")], "ops", stack=True,
                   overrides=[in_color("/^hits$/", "green"), in_color("/^misses$/", "orange")], absent=NO_CACHE),
        timeseries("Hit rate: five minutes and half an hour",
                   "The exporter's own ratio of five minutes, and the recorded one of 30 minutes that alerts read.",
                   [Query(f'max by (cluster, target) (mes_cache_hit_ratio{selector("cluster", "target", window="5m")})', "5 min {{target}}"),
                    Query(f"mes:cache_hit_ratio:rate30m{CACHE}", "30 min {{target}}")],
                   "percentunit", maximum=1, links=runbook("MesCacheHitRateUnderFloor"), absent="No look-ups"),
        timeseries("Calculation time saved each second",
                   "Seconds of calculation that hits spare each second, and the price of one calculation on average in the last hour.",
                   [Query(f"sum(mes:price_cache_saved_seconds:rate5m{LOGS})", "saved"),
                    Query(f"avg(mes:price_calculation_duration_seconds:avg1h{LOGS})", "one calculation")],
                   "short", overrides=[on_right_axis("/one calculation/", "s")], absent=NO_LOGS),
    ]


def _calculations():
    return [
        Row("Calculations"),
        timeseries("Time of a calculation",
                   "50 and 95 of 100 are done within this time. The objective is mes_price_calculation_duration_seconds_objective.",
                   [Query(f"mes:price_calculation_duration_seconds:p50{LOGS}", "50 of 100 {{namespace}}"),
                    Query(f"mes:price_calculation_duration_seconds:p95{LOGS}", "95 of 100 {{namespace}}"), objective(limits.PRICE_TIME, LOGS)],
                   "s", thresholds=limits.PRICE_TIME.thresholds(), overrides=[OBJECTIVE_LINE], links=runbook("MesPriceCalculationSlow"),
                   absent="No calculation lately"),
        timeseries("Time by algorithm", "95 of 100 calculations of each algorithm are done within this time.",
                   [Query("histogram_quantile(0.95, sum by (algorithm, le) "
                          f"(mes:price_calculation_duration_seconds_bucket:rate5m{LOGS})) >= 0", "{{algorithm}}")],
                   "s", thresholds=limits.PRICE_TIME.thresholds(), links=runbook("MesPriceCalculationSlow"), absent="No calculation lately"),
        timeseries("Calculations", "By algorithm and result.",
                   [Query(f"sum by (algorithm, result) (mes:price_calculations:rate5m{LOGS})", "{{algorithm}} {{result}}")], "ops", stack=True,
                   overrides=[in_color("/error/", "red")], links=runbook("MesPriceCalculationFailing"), absent=NO_LOGS),
        timeseries("Workers", "Workers of the MES and how many calculate (collectors.http_json; without it nothing is shown).",
                   [Query("mes:workers:max{cluster=~\"$cluster\"}", "workers {{target}}"),
                    Query("mes:workers_busy:max{cluster=~\"$cluster\"}", "busy {{target}}"),
                    Query("mes:calculations_in_progress:max{cluster=~\"$cluster\"}", "calculations in progress {{target}}")],
                   "short", absent="No MES is watched (collectors.http_json)"),
        timeseries("Workers busy", "Share of the MES's workers that calculate: near 100 % the queue grows.",
                   [Query("mes:workers_busy_ratio:max{cluster=~\"$cluster\"}", "{{target}}")], "percentunit", maximum=1,
                   absent="No MES is watched (collectors.http_json)"),
        timeseries("Orders", "Orders by the status that they entered, as the MES counts them.",
                   [Query("sum by (status) (mes:orders:rate5m{cluster=~\"$cluster\"})", "{{status}}")], "count:orders/s", stack=True,
                   absent="No MES is watched (collectors.http_json)"),
    ]


def _server():
    return [
        Row("Servers"),
        timeseries("Memory", "Memory of each server, and its limit where it has one.",
                   [Query(f"mes:cache_memory_bytes:max{CACHE}", NODE), Query(f"mes:cache_memory_limit_bytes:max{CACHE}", f"limit {NODE}")], "bytes",
                   overrides=[reference_line("/^limit/")], links=runbook("MesCacheEvictions"), absent=NO_CACHE),
        timeseries("Evictions and expiries", "Evicted: live keys thrown out for want of memory. Expired: outlived.",
                   [Query(f"sum(mes:cache_evictions:rate5m{CACHE})", "evicted"), Query(f"sum(mes:cache_expired:rate5m{CACHE})", "expired")], "ops",
                   links=runbook("MesCacheEvictions"), absent=NO_CACHE),
        timeseries("Evictions for each miss", "Of 30 minutes. From the dashed line on a ticket says that the cache is too small.",
                   [Query(f"mes:cache_evictions:rate30m{CACHE} / (mes:cache_misses:rate30m{CACHE} > 0)", "{{target}}")], "short",
                   thresholds=limits.EVICTIONS.thresholds(line=True), links=runbook("MesCacheEvictions"), absent="No misses"),
        timeseries("Keys", "Keys of each server.", [Query(f"mes:cache_keys:max{CACHE}", NODE)], "short", absent=NO_CACHE),
        timeseries("Commands and clients", "Commands a second of each cache, and connected clients of each server.",
                   [Query(f"mes:cache_commands:rate5m{CACHE}", "commands {{target}}"), Query(f"mes:cache_clients:max{CACHE}", f"clients {NODE}")],
                   "ops", overrides=[on_right_axis("/^clients/", "short")], absent=NO_CACHE),
        timeseries("Round trip", "Time of one PING (memcached: version), as the sidecar measures it.",
                   [Query(f"mes:cache_latency_seconds:max{CACHE}", NODE)], "s", absent=NO_CACHE),
        states("Answering", "Whether the cache answers any instance of Sidelight that watches it.", [Query(ANSWERS, "{{target}}")], UP_TEXTS, width=8,
               links=runbook("MesCacheDown"), absent=NO_CACHE),
        states("Replicas linked", "Whether each replica is connected with its primary.",
               [Query(f"mes:cache_replica_link_up:max{CACHE}", NODE)], UP_TEXTS, width=8, links=runbook("MesCacheReplicaLinkDown"),
               absent="No replica"),
        timeseries("Replicas behind", "Bytes that a replica has not received yet.", [Query(f"mes:cache_replica_lag_bytes:max{CACHE}", NODE)], "bytes",
                   links=runbook("MesCacheReplicaLinkDown"), absent="No replica"),
        table("Roles", "Who is primary and who follows.", {"cluster": "Cluster", "target": "Cache", "node": "Server", "role": "Role"},
              [Column("Known", f"max by (cluster, target, node, role) (mes:cache_role:max{CACHE})", "short")], height=5, hide=("Value",), absent=NO_CACHE),
    ]

"""Capacity: what grows, and when it reaches its limit if it goes on like this."""

from . import limits
from .dashboard import Dashboard
from .grafana import Column, Query, Row, Thresholds, guess_line, on_right_axis, reference_line, stat, table, timeseries
from .shared import CLUSTER, MESSAGES_A_SECOND, OBJECTIVE_LINE, annotations, kibana, objective, runbook, selector, to_dashboard, to_sidecar
from .dashboard import Choice

T = selector("cluster", "target")
C = selector("cluster")
NODE = "{{node}} ({{target}})"
DATABASE = "{{database}} ({{target}})"
STEADY = "Not growing, or too little history"
FORECAST = guess_line("/forecast/")
DAY = 86400


def soon(days):
    """Red under `days`, yellow under three times that."""
    return Thresholds(((None, "red"), (days * DAY, "yellow"), (3 * days * DAY, "green")))


def dashboard():
    return Dashboard(
        uid="sidelight-capacity",
        title="Capacity",
        description="Growth of databases, disks, caches, logs and queues, straight-line forecasts (recording rules, only where there is history "
                    "enough) and the time until limits.",
        variables=[CLUSTER, Choice("target", "Target", "label_values(sidelight:collector_up:max{cluster=~\"$cluster\"}, target)")],
        annotations=annotations("capacity|log-store|database"),
        links=[kibana("sidelight-errors", "Logs: errors by service")],
        items=[*_until(), *_database(), *_disks(), *_traffic()],
        since="now-7d",
        refresh="5m",
    )


def _until():
    return [
        Row("Time until limits"),
        stat("Database at planned size", "Until the first database reaches mes_db_size_bytes_objective, at the growth of seven days.",
             [Query(f"min(mes:db_size_bytes:seconds_until_objective{T})")], "s", width=6, decimals=0, thresholds=soon(30),
             links=runbook("CapacityDbSize"), absent=STEADY),
        stat("Broker's disk at its limit",
             "Until the first broker node falls under its free-disk limit and blocks publishers, at the rate of six hours.",
             [Query(f"min(mes:broker_disk_free_bytes:seconds_until_limit{T})")], "s", width=6, decimals=0, thresholds=soon(1),
             links=runbook("CapacityBrokerDisk"), absent=STEADY),
        stat("Log store at high watermark", "Until the first disk of the log store reaches the high watermark, at the growth of two days.",
             [Query(f"min(log_store:disk_used_ratio:seconds_until_high_watermark{T})")], "s", width=6, decimals=0, thresholds=soon(3),
             links=runbook("CapacityLogStoreDisk"), absent=STEADY),
        stat("Cache full", "Until the first cache server reaches its memory limit and evicts, at the growth of six hours. A cache may well be full.",
             [Query(f"min(mes:cache_memory_bytes:seconds_until_limit{T})")], "s", width=6, decimals=0, links=runbook("MesCacheEvictions"),
             absent=STEADY),
    ]


def _database():
    by = {"cluster": "Cluster", "target": "Server", "database": "Database", "schema": "Schema", "table": "Table"}
    labels = ", ".join(by)
    return [
        Row("Databases"),
        timeseries("Size and forecast", "Of each database, where a straight line through seven days ends in 30 days, and what is planned.",
                   [Query(f"mes:db_size_bytes:max{T}", DATABASE),
                    Query(f"clamp_min(mes:db_size_bytes:forecast30d{T}, 0)", f"forecast, in 30 days: {DATABASE}"),
                    Query(f"mes:db_size_bytes:objective{T}", "objective {{target}}")], "bytes", width=12, overrides=[FORECAST, OBJECTIVE_LINE],
                   links=[*runbook("CapacityDbSize", "MesDbSizeOverObjective"), to_dashboard("database", "MES database")],
                   absent="No database is watched"),
        timeseries("Time until the planned size", "At the growth of seven days. The ticket comes at 30 days.",
                   [Query(f"mes:db_size_bytes:seconds_until_objective{T}", DATABASE)], "s", width=12, links=runbook("CapacityDbSize"), absent=STEADY),
        table("Largest tables", "And how fast they grow, over the last day.", by, [
            Column("Size", f"topk(20, max by ({labels}) (mes:db_table_size_bytes:max{T}))", "bytes"),
            Column("Growth a day",
                   f"(max by ({labels}) (mes:db_table_size_bytes:max{T}) - max by ({labels}) (mes:db_table_size_bytes:max{T} offset 1d)) "
                   f"and topk(20, max by ({labels}) (mes:db_table_size_bytes:max{T}))", "bytes"),
            Column("Rows (estimate)",
                   f"max by ({labels}) (mes:db_table_rows:max{T}) and topk(20, max by ({labels}) (mes:db_table_size_bytes:max{T}))", "short"),
        ], sort="Size", absent="No database is watched"),
    ]


def _disks():
    return [
        Row("Disks and memory"),
        timeseries("Broker: free disk and forecast",
                   "Of each node, where a straight line through six hours ends in a day (0: it is full before that), and its limit.",
                   [Query(f"mes:broker_disk_free_bytes:min{T}", NODE),
                    Query(f"clamp_min(mes:broker_disk_free_bytes:forecast1d{T}, 0)", f"forecast, in a day: {NODE}"),
                    Query(f"mes:broker_disk_limit_bytes:max{T}", f"limit {NODE}")], "bytes", overrides=[FORECAST, reference_line("/^limit/")],
                   links=[*runbook("CapacityBrokerDisk", "MesBrokerAlarm"), to_dashboard("queue", "MES queue")], absent="No broker is watched"),
        timeseries("Log store: disk and forecast",
                   "Used share of each node's disk, where a straight line through two days ends in three days (100 %: it is full "
                   "before that), and watermarks.",
                   [Query(f"log_store:disk_used_ratio:max{T}", NODE),
                    Query(f"clamp(log_store:disk_used_ratio:forecast3d{T}, 0, 1)", f"forecast, in three days: {NODE}"),
                    Query(f"min by (level) (log_store:disk_watermark_ratio:max{T})", "watermark {{level}}"),
                    objective(limits.STORE_DISK, T)], "percentunit", thresholds=limits.STORE_DISK.thresholds(),
                   overrides=[FORECAST, OBJECTIVE_LINE, reference_line("/^watermark low/", "yellow"),
                              reference_line("/^watermark high/", "orange"), reference_line("/^watermark flood/")],
                   links=[*runbook("CapacityLogStoreDisk", "LogStoreDiskFilling"), to_dashboard("logs", "Log pipeline")],
                   absent="No log store is watched"),
        timeseries("Cache: memory", "Of each server, and its limit.",
                   [Query(f"mes:cache_memory_bytes:max{T}", NODE), Query(f"mes:cache_memory_limit_bytes:max{T}", f"limit {NODE}")], "bytes",
                   overrides=[reference_line("/^limit/")], links=[*runbook("MesCacheEvictions"), to_dashboard("price", "Price cache")],
                   absent="No cache is watched"),
        timeseries("Time until the broker's limit", "At the rate of six hours. The ticket comes at a day.",
                   [Query(f"mes:broker_disk_free_bytes:seconds_until_limit{T}", NODE)], "s", links=runbook("CapacityBrokerDisk"), absent=STEADY),
        timeseries("Time until the high watermark", "At the growth of two days. The ticket comes at three days.",
                   [Query(f"log_store:disk_used_ratio:seconds_until_high_watermark{T}", NODE)], "s", links=runbook("CapacityLogStoreDisk"),
                   absent=STEADY),
        timeseries("Time until the cache is full", "At the growth of six hours.", [Query(f"mes:cache_memory_bytes:seconds_until_limit{T}", NODE)],
                   "s", links=runbook("MesCacheEvictions"), absent=STEADY),
    ]


def _traffic():
    return [
        Row("Traffic"),
        timeseries("Logs", "Bytes of log a day, at the rate of each moment, and documents in the store.",
                   [Query(f"sum(sidelight:read_bytes:rate5m{C}) * {DAY}", "log a day"), Query(f"sum(log_store:documents:max{T})", "documents")],
                   "bytes",
                   overrides=[on_right_axis("/documents/", "short")], links=[to_dashboard("logs", "Log pipeline")], absent="No log is shipped"),
        timeseries("Requests and prices", "Of all services, and prices calculated, a second.",
                   [Query(f"sum(app:requests:rate5m{C})", "requests"), Query(f"sum(mes:price_calculations:rate5m{C})", "price calculations")],
                   "reqps", absent="No log of an application is read"),
        timeseries("Queues: in beside out", "Published messages less acknowledged ones, of all queues: over zero for long, workers are too few.",
                   [Query(f"sum(mes:queue_published:rate5m{T}) - sum(mes:queue_acked:rate5m{T})", "difference")], MESSAGES_A_SECOND, minimum=None,
                   links=[*runbook("MesQueueBacklogGrowing"), to_dashboard("queue", "MES queue")], absent="No broker is watched"),
        timeseries("Database connections", "Taken share of the connections that each server allows. From the dashed line on a ticket is made.",
                   [Query(f"sum by (cluster, target) (mes:db_connections:max{T}) / (mes:db_connections_limit:max{T} > 0)", "{{target}}")],
                   "percentunit",
                   width=12, maximum=1, thresholds=limits.DB_CONNECTIONS.thresholds(line=True), links=runbook("MesDbConnectionsNearLimit"),
                   absent="No database is watched"),
        timeseries("Memory of pods", "Working set as a share of the limit, of the ten pods with most.",
                   [Query(f"topk(10, max by (cluster, namespace, pod, instance) (pod_memory_working_set_bytes{C} / (pod_memory_limit_bytes{C} > 0)))",
                          "{{pod}} {{instance}}")], "percentunit", width=12, maximum=1, links=[to_sidecar("${__field.labels.instance}")],
                   absent="No pod with a limit"),
    ]

"""MES database: do queries for current (hot) orders read the archive (cold) too; and is the server well."""

from . import limits
from .dashboard import Dashboard
from .grafana import NEUTRAL, Column, Query, Row, Thresholds, bars, in_color, reference_line, stat, states, table, timeseries
from .shared import (CLUSTER, OBJECTIVE_LINE, UP_TEXTS, annotations, kibana, objective, runbook, selector, target_choice, to_dashboard)

DB = selector("cluster", "target")
TABLE = "{{schema}}.{{table}} ({{target}})"
BY_TABLE = {"cluster": "Cluster", "target": "Server", "database": "Database", "schema": "Schema", "table": "Table"}
BY_INDEX = {**BY_TABLE, "index": "Index"}
NONE = "No database is watched (collectors.postgres)"
NO_HOT = "No table is configured (hot_cold)"
ADVICE = {**BY_TABLE, "action": "Do", "reason": "Because"}


def per(labels, name):
    return f"max by ({', '.join(labels)}) ({name}{DB})"


def dashboard():
    return Dashboard(
        uid="sidelight-mes-database",
        title="MES database hot/cold",
        description="PostgreSQL of the MES: share of hot orders, what an index on their status is worth, what to do; tables and indexes, "
                    "connections, locks, replicas.",
        variables=[CLUSTER, target_choice("postgres")],
        annotations=annotations("database|capacity"),
        links=[kibana("sidelight-errors", "Logs: errors by service")],
        items=[*_now(), *_hot_cold(), *_tables(), *_load(), *_replicas()],
        since="now-6h",
    )


def _now():
    return [
        Row("Now"),
        stat("Hot rows", "Share of rows in a hot status (the configured statuses), of the table with the most.",
             [Query(f"max(mes:db_hot_rows_ratio:max{DB})")], "percentunit", decimals=1, absent="No table is configured"),
        stat("Worst selectivity", "Share of the table that the hot statuses select through an index on the status: 0 is good, 1 useless.",
             [Query(f"max(mes:db_status_index_selectivity_ratio:max{DB})")], "percentunit", decimals=1, thresholds=limits.SELECTIVITY.thresholds(),
             links=runbook("MesDbHotSelectivityPoor"), absent="No index on a status"),
        stat("Advice", "Changes that Sidelight suggests; the table below says which and why.",
             [Query(f"count(mes:db_advice:max{DB}) or 0 * count(sidelight:collector_up:max{selector('cluster', 'target', collector='postgres')})")],
             "short", thresholds=Thresholds(((None, "green"), (1, "yellow"))), links=runbook("MesDbHotSelectivityPoor"), absent="No database is watched"),
        stat("Replica behind", "Lag of the replica that is furthest behind.", [Query(f"max(mes:db_replication_lag_seconds:max{DB})")], "s",
             thresholds=limits.REPLICA_LAG.thresholds(), links=runbook("MesDbReplicaLag"), absent="No replica"),
        stat("Connections", "Share of the connections that the fullest server allows.",
             [Query(f"max(sum by (cluster, target) (mes:db_connections:max{DB}) / (mes:db_connections_limit:max{DB} > 0))")], "percentunit",
             decimals=0, thresholds=limits.DB_CONNECTIONS.thresholds(), links=runbook("MesDbConnectionsNearLimit"), absent="No database is watched"),
        stat("Long queries", "Queries that are active for longer than long_query of the configuration (default 30 s).",
             [Query(f"sum(mes:db_long_queries:max{DB})")], "short", thresholds=limits.LONG_QUERIES.thresholds(), links=runbook("MesDbLongQueries"),
             absent="No database is watched"),
    ]


def _hot_cold():
    return [
        Row("Hot and cold"),
        timeseries("Hot rows by table", "Share of rows in a hot status. It falls as the archive grows.",
                   [Query(f"mes:db_hot_rows_ratio:max{DB}", TABLE)],
                   "percentunit", width=7, maximum=1, absent=NO_HOT),
        bars("Rows by status", "Share of each status in the table, as PostgreSQL's statistics estimate it.",
             [Query(f"sort_desc(mes:db_status_share_ratio:max{DB})", "{{status}} {{table}} ({{target}})", instant=True)], "percentunit", width=10, maximum=1,
             decimals=1, absent=NO_HOT),
        timeseries("Selectivity of status indexes", "Share of the table that the hot statuses select through the index. The objective is "
                   "mes_db_status_index_selectivity_ratio_objective.",
                   [Query(f"mes:db_status_index_selectivity_ratio:max{DB}", "{{index}} on " + TABLE), objective(limits.SELECTIVITY, DB)],
                   "percentunit", width=7, thresholds=limits.SELECTIVITY.thresholds(), overrides=[OBJECTIVE_LINE], links=runbook("MesDbHotSelectivityPoor"),
                   absent="No index on a status"),
        table("What to do", "Advice from the statistics of the configured tables. partial_index: an index of the hot statuses alone; "
              "partition_by_month: old months apart; analyze: statistics are old; grant: Sidelight may not read them.", ADVICE,
              [Column("Known", per(ADVICE, "mes:db_advice:max"), "short")], height=6, wide={"Do": 130, "Because": 300}, hide=("Value",), absent="No advice",
              links=runbook("MesDbHotSelectivityPoor")),
    ]


def _tables():
    return [
        Row("Tables and indexes"),
        table("Tables", "Size and use of the largest tables; partitions are counted to their root table.", BY_TABLE, [
            Column("Size", per(BY_TABLE, "mes:db_table_size_bytes:max"), "bytes"),
            Column("Rows (estimate)", per(BY_TABLE, "mes:db_table_rows:max"), "short"),
            Column("Dead rows", per(BY_TABLE, "mes:db_table_dead_rows:max"), "short"),
            Column("Sequential scans", per(BY_TABLE, "mes:db_table_sequential_scans:rate5m"), "ops", decimals=2),
            Column("Index scans", per(BY_TABLE, "mes:db_table_index_scans:rate5m"), "ops", decimals=2),
            Column("Partitions", per(BY_TABLE, "mes:db_partitions:max"), "short"),
        ], sort="Size", absent=NONE),
        timeseries("Sequential scans by table", "Scans of whole tables: on a large table each reads the archive.",
                   [Query(f"topk(10, mes:db_table_sequential_scans:rate5m{DB})", TABLE)], "ops", links=runbook("MesDbHotSelectivityPoor"),
                   absent=NONE),
        timeseries("Dead rows by table", "Rows that vacuum has not taken away yet.", [Query(f"topk(10, mes:db_table_dead_rows:max{DB})", TABLE)],
                   "short", absent=NONE),
        timeseries("Size of databases", "Of each database, and what is planned (mes_db_size_bytes_objective; there is no default).",
                   [Query(f"mes:db_size_bytes:max{DB}", "{{database}} ({{target}})"),
                    Query(f"mes:db_size_bytes:objective{DB}", "objective {{target}}")], "bytes",
                   overrides=[OBJECTIVE_LINE], links=[*runbook("MesDbSizeOverObjective", "CapacityDbSize"), to_dashboard("capacity", "Capacity")],
                   absent=NONE),
        table("Indexes", "Size and use of indexes. One that is never scanned costs each write.", BY_INDEX, [
            Column("Size", per(BY_INDEX, "mes:db_index_size_bytes:max"), "bytes"),
            Column("Scans", per(BY_INDEX, "mes:db_index_scans:rate5m"), "ops", decimals=2),
            Column("Selectivity", per(BY_INDEX, "mes:db_status_index_selectivity_ratio:max"), "percentunit", limits.SELECTIVITY.thresholds(),
                   decimals=1),
        ], sort="Size", absent=NONE),
    ]


def _load():
    return [
        Row("Load"),
        timeseries("Connections by state", "Of all databases of the chosen servers, and the limit of each server.",
                   [Query(f"sum by (state) (mes:db_connections:max{DB})", "{{state}}"),
                    Query(f"mes:db_connections_limit:max{DB}", "limit {{target}}")],
                   "short", overrides=[reference_line("/^limit/")], links=runbook("MesDbConnectionsNearLimit"), absent=NONE),
        timeseries("Transactions", "Committed and rolled back.", [Query(f"sum by (result) (mes:db_transactions:rate5m{DB})", "{{result}}")], "ops",
                   overrides=[in_color("/rollback/", "orange")], absent=NONE),
        timeseries("Longest query, oldest transaction", "Of all databases of a server. A transaction that is open for long keeps vacuum from taking dead rows away.",
                   [Query(f"max by (cluster, target) (mes:db_longest_query_seconds:max{DB})", "query {{target}}"),
                    Query(f"max by (cluster, target) (mes:db_oldest_transaction_seconds:max{DB})", "transaction {{target}}")],
                   "s", links=runbook("MesDbLongQueries"), absent=NONE),
        timeseries("Locks", "Held and awaited, by mode.", [Query(f"sum by (mode) (mes:db_locks:max{DB})", "{{mode}}")], "short", absent=NONE),
        timeseries("Waiting for locks, deadlocks", "Sessions that wait for a lock, and deadlocks a second.",
                   [Query(f"sum by (cluster, target) (mes:db_lock_waiters:max{DB})", "waiting {{target}}"),
                    Query(f"sum by (cluster, target) (mes:db_deadlocks:rate5m{DB})", "deadlocks a second {{target}}")],
                   "short", links=runbook("MesDbLongQueries"), absent=NONE),
        timeseries("Blocks found in memory",
                   "Share of blocks that PostgreSQL found in its own memory. When current queries read the archive it falls.",
                   [Query(f"mes:db_block_hit_ratio:rate5m{DB}", "{{database}} ({{target}})")], "percentunit", maximum=1,
                   absent="No block read lately"),
    ]


def _replicas():
    return [
        Row("Replicas"),
        timeseries("Replicas behind", "As the primary sees its replicas, and as a replica sees itself (self). The objective is "
                   "mes_db_replication_lag_seconds_objective.",
                   [Query(f"mes:db_replication_lag_seconds:max{DB}", "{{replica}} ({{target}})"), objective(limits.REPLICA_LAG, DB)], "s",
                   thresholds=limits.REPLICA_LAG.thresholds(), overrides=[OBJECTIVE_LINE], links=runbook("MesDbReplicaLag", "MesDbReplicaMissing"), absent="No replica"),
        timeseries("Bytes behind", "Of the write-ahead log.", [Query(f"mes:db_replication_lag_bytes:max{DB}", "{{replica}} ({{target}})")], "bytes",
                   links=runbook("MesDbReplicaLag", "MesDbReplicaMissing"), absent="No replica"),
        states("Answering", "Whether the server answers any instance of Sidelight that watches it.",
               [Query(f'sidelight:collector_up:max{selector("cluster", "target", collector="postgres")}', "{{target}}")], UP_TEXTS, width=8,
               links=runbook("MesDbDown"), absent=NONE),
        table("Servers", "Version of each server, and whether it is a replica.", {"cluster": "Cluster", "target": "Server", "version": "Version"},
              [Column("Replica", f"max by (cluster, target, version) (mes_db_info{DB} * on (cluster, target) group_left () mes:db_replica:max{DB})",
                      "short", NEUTRAL, mappings=({"type": "value", "options": {"0": {"text": "primary", "color": "green", "index": 0},
                                                                                "1": {"text": "replica", "color": "blue", "index": 1}}},))],
              height=5, absent=NONE),
    ]

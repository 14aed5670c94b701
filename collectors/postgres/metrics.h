// The metrics of the PostgreSQL collector.
#pragma once

#include <vector>

#include "agent/base/metric_info.h"

namespace sidelight::postgres {

inline constexpr MetricInfo kInfo{.name = "mes_db_info",
                                  .role = MetricRole::beside_a_target,
                                  .labels = "target; version",
                                  .max_series = 4,
                                  .help = "1, with the version of the server."};
inline constexpr MetricInfo kReplica{.name = "mes_db_replica",
                                     .role = MetricRole::beside_a_target,
                                     .labels = "target",
                                     .help = "1 while the server is in recovery (a replica), else 0."};
inline constexpr MetricInfo kConnections{
    .name = "mes_db_connections",
    .role = MetricRole::beside_a_target,
    .labels =
        "target; database; state: active, idle, idle in transaction, idle in transaction (aborted), fastpath "
        "function call, disabled, starting",
    .max_series = 600,
    .help = "Connections of clients."};
inline constexpr MetricInfo kConnectionsLimit{.name = "mes_db_connections_limit",
                                              .role = MetricRole::beside_a_target,
                                              .labels = "target",
                                              .help =
                                                  "Connections that ordinary roles can have together: "
                                                  "max_connections without those reserved for superusers."};
inline constexpr MetricInfo kTransactions{.name = "mes_db_transactions_total",
                                          .role = MetricRole::beside_a_target,
                                          .labels = "target; database; result: commit, rollback",
                                          .max_series = 200,
                                          .help = "Transactions that ended."};
inline constexpr MetricInfo kLocks{.name = "mes_db_locks",
                                   .role = MetricRole::beside_a_target,
                                   .labels = "target; database; mode",
                                   .max_series = 900,
                                   .help = "Locks that are held, without our own."};
inline constexpr MetricInfo kLockWaiters{.name = "mes_db_lock_waiters",
                                         .role = MetricRole::beside_a_target,
                                         .labels = "target; database",
                                         .max_series = 100,
                                         .help = "Sessions that wait for a lock."};
inline constexpr MetricInfo kDeadlocks{.name = "mes_db_deadlocks_total",
                                       .role = MetricRole::beside_a_target,
                                       .labels = "target; database",
                                       .max_series = 100,
                                       .help = "Deadlocks."};
inline constexpr MetricInfo kBlocksHit{.name = "mes_db_blocks_hit_total",
                                       .role = MetricRole::beside_a_target,
                                       .labels = "target; database",
                                       .max_series = 100,
                                       .help = "Blocks found in the server's buffers."};
inline constexpr MetricInfo kBlocksRead{.name = "mes_db_blocks_read_total",
                                        .role = MetricRole::beside_a_target,
                                        .labels = "target; database",
                                        .max_series = 100,
                                        .help = "Blocks asked of the operating system."};
inline constexpr MetricInfo kReplicationLagSeconds{
    .name = "mes_db_replication_lag_seconds",
    .role = MetricRole::beside_a_target,
    .unit = "seconds",
    .labels = "target; replica",
    .max_series = 50,
    .help = "How old what a replica shows is: on the primary one for each replica, on a replica self."};
inline constexpr MetricInfo kReplicationLagBytes{
    .name = "mes_db_replication_lag_bytes",
    .role = MetricRole::beside_a_target,
    .unit = "bytes",
    .labels = "target; replica",
    .max_series = 50,
    .help = "Log that a replica has not replayed: on the primary one for each replica, on a replica self."};
inline constexpr MetricInfo kLongQueries{.name = "mes_db_long_queries",
                                         .role = MetricRole::beside_a_target,
                                         .labels = "target; database",
                                         .max_series = 100,
                                         .help = "Queries that have been active for longer than long_query."};
inline constexpr MetricInfo kLongestQuery{
    .name = "mes_db_longest_query_seconds",
    .role = MetricRole::beside_a_target,
    .unit = "seconds",
    .labels = "target; database",
    .max_series = 100,
    .help = "How long the oldest active query has been active; 0 when there is none."};
inline constexpr MetricInfo kOldestTransaction{
    .name = "mes_db_oldest_transaction_seconds",
    .role = MetricRole::beside_a_target,
    .unit = "seconds",
    .labels = "target; database",
    .max_series = 100,
    .help = "Age of the oldest open transaction; 0 when there is none."};
inline constexpr MetricInfo kDatabaseSize{.name = "mes_db_size_bytes",
                                          .role = MetricRole::beside_a_target,
                                          .unit = "bytes",
                                          .labels = "target; database",
                                          .max_series = 100,
                                          .help = "Size of the database."};
inline constexpr MetricInfo kTableSize{
    .name = "mes_db_table_size_bytes",
    .role = MetricRole::beside_a_target,
    .unit = "bytes",
    .labels = "target; database; schema; table",
    .max_series = 1000,
    .help = "Size of the table without its indexes, partitions included; of the largest tables."};
inline constexpr MetricInfo kIndexSize{
    .name = "mes_db_index_size_bytes",
    .role = MetricRole::beside_a_target,
    .unit = "bytes",
    .labels = "target; database; schema; table; index",
    .max_series = 4000,
    .help = "Size of the index, partitions included; of the largest tables."};
inline constexpr MetricInfo kTableRows{.name = "mes_db_table_rows",
                                       .role = MetricRole::beside_a_target,
                                       .labels = "target; database; schema; table",
                                       .max_series = 1000,
                                       .help = "Rows, as VACUUM or ANALYZE last estimated them."};
inline constexpr MetricInfo kDeadRows{
    .name = "mes_db_table_dead_rows",
    .role = MetricRole::beside_a_target,
    .labels = "target; database; schema; table",
    .max_series = 1000,
    .help = "Dead rows that VACUUM has not yet removed (estimate); absent on a replica."};
inline constexpr MetricInfo kSequentialScans{.name = "mes_db_table_sequential_scans_total",
                                             .role = MetricRole::beside_a_target,
                                             .labels = "target; database; schema; table",
                                             .max_series = 1000,
                                             .help = "Scans that read the whole table or a whole partition."};
inline constexpr MetricInfo kTableIndexScans{.name = "mes_db_table_index_scans_total",
                                             .role = MetricRole::beside_a_target,
                                             .labels = "target; database; schema; table",
                                             .max_series = 1000,
                                             .help = "Scans of the table through its indexes."};
inline constexpr MetricInfo kIndexScans{.name = "mes_db_index_scans_total",
                                        .role = MetricRole::beside_a_target,
                                        .labels = "target; database; schema; table; index",
                                        .max_series = 4000,
                                        .help = "Scans of the index."};
inline constexpr MetricInfo kPartitions{.name = "mes_db_partitions",
                                        .role = MetricRole::beside_a_target,
                                        .labels = "target; database; schema; table",
                                        .max_series = 1000,
                                        .help = "Partitions that hold rows; of partitioned tables."};
inline constexpr MetricInfo kHotRows{.name = "mes_db_hot_rows_ratio",
                                     .role = MetricRole::beside_a_target,
                                     .unit = "ratio",
                                     .labels = "target; database; schema; table",
                                     .max_series = 50,
                                     .help = "Share of rows with a hot status, from pg_stats (estimate)."};
inline constexpr MetricInfo kStatusShare{
    .name = "mes_db_status_share_ratio",
    .role = MetricRole::beside_a_target,
    .unit = "ratio",
    .labels = "target; database; schema; table; status",
    .max_series = 1000,
    .help = "Share of rows with this status, from pg_stats (estimate): hot ones and the most common."};
inline constexpr MetricInfo kStatusSelectivity{.name = "mes_db_status_index_selectivity_ratio",
                                               .role = MetricRole::beside_a_target,
                                               .unit = "ratio",
                                               .labels = "target; database; schema; table; index",
                                               .max_series = 500,
                                               .help =
                                                   "Share of the table's rows that the hot statuses select "
                                                   "through the index: near 0 is good, 1 is useless."};
inline constexpr MetricInfo kAdvice{
    .name = "mes_db_advice",
    .role = MetricRole::beside_a_target,
    .labels =
        "target; database; schema; table; action: partial_index, partition_by_month, analyze, grant; reason",
    .max_series = 200,
    .help = "1 while something should be done about a table of hot_cold; the status page has the statement."};

}  // namespace sidelight::postgres

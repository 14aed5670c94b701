#include "collectors/postgres/server_state.h"

#include <algorithm>
#include <array>
#include <map>
#include <utility>

#include "collectors/postgres/metrics.h"

namespace sidelight {
namespace {

using namespace postgres;

constexpr const char* kServerSql =
    "select current_setting('server_version'), pg_is_in_recovery(),"
    " current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int,"
    " pg_has_role(current_user, 'pg_read_all_stats', 'usage'), quote_ident(current_user),"
    " current_setting('server_version_num')::int";

// Those of the configuration first, at most as many as there may be series.
constexpr const char* kDatabasesSql =
    "select d.datname, s.xact_commit, s.xact_rollback, s.deadlocks, s.blks_hit, s.blks_read"
    " from pg_stat_database s join pg_database d on d.oid = s.datid"
    " where d.datallowconn and not d.datistemplate"
    " order by (d.datname = any ($1::text[])) desc, d.datname limit 100";

// Our own session is a connection, but neither a long query nor an old transaction.
constexpr const char* kActivitySql =
    "select a.datname, coalesce(a.state, 'starting'), count(*),"
    " count(*) filter (where a.state = 'active' and a.pid <> pg_backend_pid()"
    "   and clock_timestamp() - a.query_start > $1::float8 * interval '1 second'),"
    " max(extract(epoch from clock_timestamp() - a.query_start))"
    "   filter (where a.state = 'active' and a.pid <> pg_backend_pid()),"
    " max(extract(epoch from clock_timestamp() - a.xact_start)) filter (where a.pid <> pg_backend_pid())"
    " from pg_stat_activity a where a.backend_type = 'client backend' and a.datname is not null"
    " group by 1, 2";

// Held locks belong to a database; who waits for a row waits for a transaction, which belongs to none.
constexpr const char* kLocksSql =
    "with l as materialized (select database, pid, mode, granted from pg_locks where pid <> pg_backend_pid())"
    " select d.datname, l.mode, count(*) from l join pg_database d on d.oid = l.database where l.granted"
    " group by 1, 2"
    " union all"
    " select a.datname, null, count(distinct l.pid) from l join pg_stat_activity a on a.pid = l.pid"
    " where not l.granted and a.datname is not null group by 1";

constexpr std::array kTableLockModes = {
    "AccessShareLock", "RowShareLock",          "RowExclusiveLock", "ShareUpdateExclusiveLock",
    "ShareLock",       "ShareRowExclusiveLock", "ExclusiveLock",    "AccessExclusiveLock"};
constexpr std::array kStates = {"active", "idle", "idle in transaction", "idle in transaction (aborted)"};

constexpr const char* kReplicasSql =
    "select application_name, coalesce(host(client_addr), 'local'),"
    " pg_wal_lsn_diff(case when pg_is_in_recovery() then pg_last_wal_receive_lsn() else pg_current_wal_lsn() "
    "end,"
    "   coalesce(replay_lsn, flush_lsn, write_lsn)),"
    " extract(epoch from replay_lag)"
    " from pg_stat_replication where state in ('streaming', 'catchup') order by 1, 2 limit 50";

constexpr const char* kOwnLagSql =
    "select extract(epoch from clock_timestamp()), pg_wal_lsn_diff(pg_last_wal_receive_lsn(), '0/0'),"
    " pg_wal_lsn_diff(pg_last_wal_replay_lsn(), '0/0'),"
    " (select pg_wal_lsn_diff(latest_end_lsn, '0/0') from pg_stat_wal_receiver limit 1),"
    " extract(epoch from pg_last_xact_replay_timestamp()),"
    " coalesce((select status = 'streaming' from pg_stat_wal_receiver limit 1), false)";

}  // namespace

ServerState::ServerState(const PostgresOptions& options, std::vector<std::string> databases)
    : options_(options), databases_(std::move(databases)) {}

Expected<void> ServerState::read(SqlSession& session, const Deadline& deadline, SampleList& out) {
  using Step = Expected<void> (ServerState::*)(SqlSession&, const Deadline&, SampleList&);
  for (const Step step :
       {&ServerState::read_server, &ServerState::read_databases, &ServerState::read_activity,
        &ServerState::read_locks, &ServerState::read_replicas}) {
    if (auto done = (this->*step)(session, deadline, out); !done) return done;
  }
  return replica_ ? read_own_lag(session, deadline, out) : Expected<void>();
}

Expected<void> ServerState::read_server(SqlSession& session, const Deadline& deadline, SampleList& out) {
  const auto rows = session.query(kServerSql, {}, deadline);
  if (!rows) return std::unexpected(rows.error());
  if (rows->size() != 1) return fail("the server gave no answer to the question who it is");
  const SqlRow& r = rows->front();
  if (r.number(5).value_or(0) < 120000)
    return fail("PostgreSQL " + r.text_or_empty(0) + " is too old; 12 or later is needed");
  if (!r.flag(3)) {
    const std::string role = r.text_or_empty(4);
    return fail("role " + role +
                " may not see other users' sessions; as a superuser run: GRANT pg_monitor TO " + role + ";");
  }
  replica_ = r.flag(1);
  out.gauge(kInfo, 1, {{"version", r.text_or_empty(0)}});
  out.gauge(kReplica, replica_ ? 1 : 0);
  if (const auto limit = r.number(2)) out.gauge(kConnectionsLimit, *limit);
  return {};
}

Expected<void> ServerState::read_databases(SqlSession& session, const Deadline& deadline, SampleList& out) {
  const auto rows = session.query(kDatabasesSql, {array_literal(databases_)}, deadline);
  if (!rows) return std::unexpected(rows.error());
  shown_.clear();
  for (const SqlRow& r : *rows) {
    const std::string database = r.text_or_empty(0);
    shown_.push_back(database);
    const auto count = [&](const MetricInfo& info, std::size_t column, Labels labels) {
      if (const auto value = r.number(column)) out.counter(info, *value, std::move(labels));
    };
    count(kTransactions, 1, {{"database", database}, {"result", "commit"}});
    count(kTransactions, 2, {{"database", database}, {"result", "rollback"}});
    count(kDeadlocks, 3, {{"database", database}});
    count(kBlocksHit, 4, {{"database", database}});
    count(kBlocksRead, 5, {{"database", database}});
  }
  return {};
}

Expected<void> ServerState::read_activity(SqlSession& session, const Deadline& deadline, SampleList& out) {
  const std::string seconds = std::to_string(static_cast<double>(options_.long_query.count()) / 1000);
  const auto rows = session.query(kActivitySql, {seconds}, deadline);
  if (!rows) return std::unexpected(rows.error());
  struct Activity {
    std::map<std::string, double> states;
    double long_queries = 0;
    double longest = 0;
    double oldest = 0;
  };
  std::map<std::string, Activity> all;
  for (const std::string& database : shown_) {
    for (const char* state : kStates) all[database].states[state] = 0;
  }
  for (const SqlRow& r : *rows) {
    const auto it = all.find(r.text_or_empty(0));
    if (it == all.end()) continue;
    Activity& a = it->second;
    a.states[r.text_or_empty(1)] += r.number(2).value_or(0);
    a.long_queries += r.number(3).value_or(0);
    a.longest = std::max(a.longest, r.number(4).value_or(0));
    a.oldest = std::max(a.oldest, r.number(5).value_or(0));
  }
  for (const auto& [database, a] : all) {
    for (const auto& [state, n] : a.states)
      out.gauge(kConnections, n, {{"database", database}, {"state", state}});
    out.gauge(kLongQueries, a.long_queries, {{"database", database}});
    out.gauge(kLongestQuery, a.longest, {{"database", database}});
    out.gauge(kOldestTransaction, a.oldest, {{"database", database}});
  }
  return {};
}

Expected<void> ServerState::read_locks(SqlSession& session, const Deadline& deadline, SampleList& out) {
  const auto rows = session.query(kLocksSql, {}, deadline);
  if (!rows) return std::unexpected(rows.error());
  std::map<std::pair<std::string, std::string>, double> held;
  std::map<std::string, double> waiters;
  for (const std::string& database : shown_) waiters[database] = 0;
  for (const std::string& database : databases_) {
    if (!waiters.contains(database)) continue;
    for (const char* mode : kTableLockModes) held[{database, mode}] = 0;
  }
  for (const SqlRow& r : *rows) {
    const std::string database = r.text_or_empty(0);
    if (!waiters.contains(database)) continue;
    if (const auto mode = r.text(1)) {
      held[{database, *mode}] += r.number(2).value_or(0);
    } else {
      waiters[database] = r.number(2).value_or(0);
    }
  }
  for (const auto& [key, n] : held) out.gauge(kLocks, n, {{"database", key.first}, {"mode", key.second}});
  for (const auto& [database, n] : waiters) out.gauge(kLockWaiters, n, {{"database", database}});
  return {};
}

Expected<void> ServerState::read_replicas(SqlSession& session, const Deadline& deadline, SampleList& out) {
  const auto rows = session.query(kReplicasSql, {}, deadline);
  if (!rows) return std::unexpected(rows.error());
  std::map<std::string, int> names;
  for (const SqlRow& r : *rows) ++names[r.text_or_empty(0)];
  std::map<std::string, ReplicaLag> worst;
  for (const SqlRow& r : *rows) {
    std::string replica = r.text_or_empty(0);
    if (names[replica] > 1) replica += "@" + r.text_or_empty(1);
    const auto bytes = r.number(2);
    auto seconds = r.number(3);
    if (bytes && *bytes <= 0) seconds = 0;
    ReplicaLag& w = worst[replica];
    if (bytes) w.bytes = std::max(w.bytes.value_or(0), *bytes);
    if (seconds) w.seconds = std::max(w.seconds.value_or(0), *seconds);
  }
  for (const auto& [replica, lag] : worst) {
    if (lag.seconds) out.gauge(kReplicationLagSeconds, *lag.seconds, {{"replica", replica}});
    if (lag.bytes) out.gauge(kReplicationLagBytes, *lag.bytes, {{"replica", replica}});
  }
  return {};
}

Expected<void> ServerState::read_own_lag(SqlSession& session, const Deadline& deadline, SampleList& out) {
  const auto rows = session.query(kOwnLagSql, {}, deadline);
  if (!rows) return std::unexpected(rows.error());
  if (rows->empty()) return {};
  const SqlRow& r = rows->front();
  const ReplicaLag lag = lag_.measure({.now = r.number(0).value_or(0),
                                       .received = r.number(1),
                                       .replayed = r.number(2),
                                       .announced = r.number(3),
                                       .last_commit = r.number(4),
                                       .streaming = r.flag(5)});
  if (lag.seconds) out.gauge(kReplicationLagSeconds, *lag.seconds, {{"replica", "self"}});
  if (lag.bytes) out.gauge(kReplicationLagBytes, *lag.bytes, {{"replica", "self"}});
  return {};
}

}  // namespace sidelight

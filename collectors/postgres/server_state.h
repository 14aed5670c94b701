// What is cheap to ask and is asked at each run: connections, transactions, locks, queries, replication.
#pragma once

#include <string>
#include <vector>

#include "collectors/postgres/options.h"
#include "collectors/postgres/replica_lag.h"
#include "collectors/postgres/sample_list.h"
#include "collectors/postgres/session.h"

namespace sidelight {

class ServerState {
 public:
  // `databases` come first where there are too many to be shown. `options` outlives it.
  ServerState(const PostgresOptions& options, std::vector<std::string> databases);

  // Of the whole server, through one session. An Error where the server does not answer or the role may not
  // see other users' sessions.
  Expected<void> read(SqlSession& session, const Deadline& deadline, SampleList& out);
  // As of the last read().
  bool is_replica() const { return replica_; }

 private:
  Expected<void> read_server(SqlSession& session, const Deadline& deadline, SampleList& out);
  Expected<void> read_databases(SqlSession& session, const Deadline& deadline, SampleList& out);
  Expected<void> read_activity(SqlSession& session, const Deadline& deadline, SampleList& out);
  Expected<void> read_locks(SqlSession& session, const Deadline& deadline, SampleList& out);
  Expected<void> read_replicas(SqlSession& session, const Deadline& deadline, SampleList& out);
  Expected<void> read_own_lag(SqlSession& session, const Deadline& deadline, SampleList& out);

  const PostgresOptions& options_;
  std::vector<std::string> databases_;
  std::vector<std::string> shown_;  // databases of the present run
  bool replica_ = false;
  ReplicaLagMeter lag_;
};

}  // namespace sidelight

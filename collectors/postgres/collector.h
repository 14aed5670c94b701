// PostgreSQL 12 and later: what its statistics views say about connections, locks, replication, tables and
// indexes, and what pg_stats says about hot and cold rows. docs/collectors/postgres.md has the source of each
// metric and the role that is needed.
#pragma once

#include <memory>
#include <vector>

#include "agent/base/metric_info.h"
#include "collectors/framework/collector.h"
#include "collectors/postgres/options.h"

namespace sidelight {

// `context` outlives it. The configuration has checked the URL and the names of tables.
std::unique_ptr<Collector> make_postgres_collector(const PostgresOptions& options,
                                                   const CollectorContext& context);
std::vector<DeclaredMetric> postgres_metrics();

}  // namespace sidelight

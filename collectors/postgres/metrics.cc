#include "collectors/postgres/metrics.h"

#include "collectors/postgres/collector.h"

namespace sidelight {

std::vector<DeclaredMetric> postgres_metrics() {
  using namespace postgres;
  return {{kInfo, MetricKind::gauge},
          {kReplica, MetricKind::gauge},
          {kConnections, MetricKind::gauge},
          {kConnectionsLimit, MetricKind::gauge},
          {kTransactions, MetricKind::counter},
          {kLocks, MetricKind::gauge},
          {kLockWaiters, MetricKind::gauge},
          {kDeadlocks, MetricKind::counter},
          {kBlocksHit, MetricKind::counter},
          {kBlocksRead, MetricKind::counter},
          {kReplicationLagSeconds, MetricKind::gauge},
          {kReplicationLagBytes, MetricKind::gauge},
          {kLongQueries, MetricKind::gauge},
          {kLongestQuery, MetricKind::gauge},
          {kOldestTransaction, MetricKind::gauge},
          {kDatabaseSize, MetricKind::gauge},
          {kTableSize, MetricKind::gauge},
          {kIndexSize, MetricKind::gauge},
          {kTableRows, MetricKind::gauge},
          {kDeadRows, MetricKind::gauge},
          {kSequentialScans, MetricKind::counter},
          {kTableIndexScans, MetricKind::counter},
          {kIndexScans, MetricKind::counter},
          {kPartitions, MetricKind::gauge},
          {kHotRows, MetricKind::gauge},
          {kStatusShare, MetricKind::gauge},
          {kStatusSelectivity, MetricKind::gauge},
          {kAdvice, MetricKind::gauge}};
}

}  // namespace sidelight

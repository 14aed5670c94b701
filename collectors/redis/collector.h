// Redis, and what speaks its protocol (Valkey, KeyDB): one server, or a primary with its replicas. INFO and
// PING alone are asked; docs/collectors/redis.md has the rights.
#pragma once

#include <memory>
#include <vector>

#include "agent/base/metric_info.h"
#include "collectors/framework/collector.h"
#include "collectors/redis/options.h"

namespace sidelight {

// `context` outlives it. The options have been checked by the configuration.
std::unique_ptr<Collector> make_redis_collector(const RedisOptions& options, const CollectorContext& context);
// Without those that all caches share (cache_metrics()).
std::vector<DeclaredMetric> redis_metrics();

}  // namespace sidelight

// The answer to INFO (https://redis.io/commands/info).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "collectors/cache/cache_metrics.h"
#include "collectors/redis/endpoint.h"

namespace sidelight {

struct RedisInfo {
  CacheReading reading;  // without the latency
  std::string run_id;    // of the server process
  std::string role;      // "master", "slave", or what it says
  std::string replication_id;
  std::optional<double> primary_offset;  // master_repl_offset
  std::optional<double> replica_offset;  // slave_repl_offset; on replicas
  std::optional<bool> link_up;           // on replicas
  std::vector<RedisEndpoint> replicas;   // that a primary names; at most kMaxCacheNodes
  bool is_replica() const { return role == "slave"; }
};

// Nothing when the text is no answer to INFO.
std::optional<RedisInfo> parse_redis_info(std::string_view text);

}  // namespace sidelight

// Which servers make up a cache, as its Sentinels know it (https://redis.io/docs/management/sentinel).
#pragma once

#include <string>
#include <vector>

#include "collectors/redis/connection.h"

namespace sidelight {

struct RedisTopology {
  RedisEndpoint primary;
  std::vector<RedisEndpoint> replicas;  // that Sentinel can reach; at most kMaxCacheNodes - 1
  std::vector<std::string> warnings;    // Sentinels that did not answer, replicas that are down
};

// Asks one Sentinel after the other until one knows the master. `nodes_tls`: the servers speak TLS.
Expected<RedisTopology> ask_sentinels(const SentinelOptions& options, const TlsOptions& tls, bool nodes_tls,
                                      FileSystem& fs, const Clock& clock, const Deadline& deadline,
                                      RedisConnection& connection);

// The answers to SENTINEL GET-MASTER-ADDR-BY-NAME and SENTINEL REPLICAS.
Expected<RedisEndpoint> parse_master_address(const RespValue& reply, bool tls);
void parse_replicas(const RespValue& reply, bool tls, RedisTopology& out);

}  // namespace sidelight

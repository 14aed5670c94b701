// Which targets to watch, as the configuration says it.
#pragma once

#include <optional>
#include <vector>

#include "collectors/http_json/options.h"
#include "collectors/log_store/options.h"
#include "collectors/memcached/options.h"
#include "collectors/nginx/options.h"
#include "collectors/postgres/options.h"
#include "collectors/process/options.h"
#include "collectors/rabbitmq/options.h"
#include "collectors/redis/options.h"

namespace sidelight {

// One list a kind of collector, each in the configuration's order.
struct CollectorSettings {
  std::vector<HttpJsonOptions> http_json;
  std::vector<LogStoreOptions> elasticsearch;
  std::vector<LogRelayOptions> logstash;
  std::vector<MemcachedOptions> memcached;
  std::optional<ProcessOptions> process;  // about this pod: there is but one
  std::vector<NginxOptions> nginx;
  std::vector<RabbitmqOptions> rabbitmq;
  std::vector<RedisOptions> redis;
  std::vector<PostgresOptions> postgres;
};

}  // namespace sidelight

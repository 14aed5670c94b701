// Settings of the collectors of where logs go: Elasticsearch or OpenSearch, and Logstash.
#pragma once

#include <string>

#include "collectors/framework/collector.h"
#include "collectors/framework/http_fetch.h"

namespace sidelight {

struct LogStoreOptions {
  // A cluster has more to do than to answer us.
  TargetOptions target{.name = {}, .interval = std::chrono::seconds(15), .timeout = std::chrono::seconds(10)};
  std::string url;  // of any node
  HttpAccess access;
};

struct LogRelayOptions {
  TargetOptions target;
  std::string url;  // of the monitoring API
  HttpAccess access;
};

}  // namespace sidelight

// Settings of the http_json collector.
#pragma once

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "agent/base/metric_info.h"
#include "collectors/framework/collector.h"
#include "collectors/framework/http_fetch.h"

namespace sidelight {

struct JsonMetric {
  std::string name;
  std::string pointer;  // see json_pointer.h
  MetricKind type = MetricKind::gauge;
  std::string help;
  std::vector<std::pair<std::string, std::string>> labels;       // constant
  std::vector<std::pair<std::string, std::string>> labels_from;  // label -> "key", "key1".. or a pointer
  std::size_t max_series = 100;
};

struct HttpJsonOptions {
  TargetOptions target;
  std::string url;
  HttpAccess access;
  std::vector<JsonMetric> metrics;
};

}  // namespace sidelight

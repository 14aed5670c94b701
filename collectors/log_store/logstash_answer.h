// GET /_node/stats of Logstash 7 and 8 (its documentation: "Node Stats API").
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agent/base/error.h"

namespace sidelight {

constexpr std::size_t kMaxRelayPipelines = 100;

struct LogRelayPipeline {
  std::string name;
  std::optional<double> events_in;
  std::optional<double> events_filtered;
  std::optional<double> events_out;
  std::optional<double> queue_events;
  std::optional<double> queue_bytes;        // of a persisted queue only
  std::optional<double> queue_limit_bytes;  // likewise
  std::optional<double> reload_successes;
  std::optional<double> reload_failures;
};

struct LogRelayStats {
  std::vector<LogRelayPipeline> pipelines;  // without those of Logstash's own; at most kMaxRelayPipelines
  std::optional<double> heap_used_ratio;
};

// An error when the text is something else; what is missing in it is absent.
Expected<LogRelayStats> parse_relay_stats(std::string_view body);

}  // namespace sidelight

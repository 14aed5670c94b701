// Metrics derived from logs, as the configuration says it.
#pragma once

#include <chrono>
#include <cstddef>
#include <string>
#include <utility>
#include <vector>

namespace sidelight {

enum class LogMetricType { counter, gauge, histogram };

// One metric. A *field* names a value of the parsed event: `level`, `message`, `service`, a name of the
// Elastic Common Schema ("http.request.method"), or a key of the line, also one that became something else on
// the way (`event` the message, `severity` the level: its value is as the line has it). Several may be given,
// separated by commas: the first one that the event has counts. Behind them may stand "|class" (204 becomes
// 2xx) or "|lower".
struct LogMetricRule {
  std::string name = {};
  std::string help = {};
  LogMetricType type = LogMetricType::counter;
  std::vector<std::string> inputs = {};  // names of log inputs; empty: all
  std::vector<std::pair<std::string, std::string>> when =
      {};                  // field -> pattern, all of which must match; see matcher.h
  std::string value = {};  // a field with a number; counters without one count events
  std::vector<std::pair<std::string, std::string>> labels =
      {};                                 // label -> field; empty values leave the label out
  std::vector<std::string> buckets = {};  // upper bounds of a histogram, ascending numbers
  bool split =
      false;  // fields hold lists ("502, 200"), as nginx writes them; each place of the lists is an event

  bool operator==(const LogMetricRule&) const = default;
};

struct LogMetricsOptions {
  std::vector<std::string> presets = {};  // app, mes, gateway
  std::vector<LogMetricRule> rules = {};
  std::size_t max_series = 1000;                  // of each metric
  std::chrono::milliseconds late_after{300'000};  // older events count only as late

  bool empty() const { return presets.empty() && rules.empty(); }
};

}  // namespace sidelight

// Rules, compiled, and what one event does to their metrics.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "agent/base/error.h"
#include "collectors/log_metrics/event_view.h"
#include "collectors/log_metrics/matcher.h"
#include "collectors/log_metrics/options.h"
#include "collectors/log_metrics/table.h"

namespace sidelight {

// Immutable; thread-safe.
class LogMetricRules {
 public:
  // `inputs` are the names of all log inputs, in order. An error names the rule and what is wrong with it.
  static Expected<LogMetricRules> make(const LogMetricsOptions& options,
                                       const std::vector<std::string>& inputs);
  struct Problem {
    std::optional<std::size_t> rule;  // its place in the options; none: it is one of a preset
    std::string message;              // as make() says it
  };
  // All that make() would fail for, in the order of the options.
  static std::vector<Problem> problems(const LogMetricsOptions& options,
                                       const std::vector<std::string>& inputs);

  // For the table; counts are by place in this list.
  const std::vector<LogMetricTable::Metric>& metrics() const { return metrics_; }
  // What they were made of, by the same places.
  const std::vector<LogMetricRule>& sources() const { return sources_; }
  // Whether any rule reads this input.
  bool reads(std::uint32_t input) const { return !by_input_[input].empty(); }
  void apply(std::uint32_t input, EventView& event, LogMetricTable& table) const;

 private:
  struct Rule {
    std::vector<Matcher> when;
    std::vector<FieldRef> labels;
    FieldRef value;  // no names: none
    bool split = false;
  };
  std::vector<Problem> add_all(const LogMetricsOptions& options, const std::vector<std::string>& inputs);
  Expected<void> add(const LogMetricRule& rule, const std::vector<std::string>& inputs);
  void count(std::size_t rule, EventView& event, LogMetricTable& table) const;
  void count_each(std::size_t rule, EventView& event, LogMetricTable& table) const;

  std::vector<LogMetricTable::Metric> metrics_;
  std::vector<LogMetricRule> sources_;
  std::vector<Rule> rules_;
  std::vector<std::vector<std::size_t>> by_input_;
};

// "502, 200 : 200" as nginx writes the values of several tries: commas between tries, colons between groups
// of servers.
std::vector<std::string_view> split_tries(std::string_view list);

}  // namespace sidelight

// How a metric is declared: one declaration gives its series and its row in docs/metrics.md.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace sidelight {

enum class MetricKind { counter, gauge, histogram };
// Which instances have it.
enum class MetricRole { every_instance, beside_a_pod, beside_a_target };

struct MetricInfo {
  std::string_view name = {};
  MetricRole role = MetricRole::beside_a_pod;
  std::string_view unit = {};    // "" for plain numbers
  std::string_view labels = {};  // "name" or "name: value, value" for a fixed set; several joined by "; "
  std::size_t max_series = 1;    // for each target, where the metric is about targets
  std::string_view help = {};    // one line
};

// A declared family. All of MetricInfo's views are string literals.
struct DeclaredMetric {
  MetricInfo info;
  MetricKind kind;
};

// The page docs/metrics.md, sorted by role and name.
std::string metrics_reference(std::vector<DeclaredMetric> declared);

}  // namespace sidelight

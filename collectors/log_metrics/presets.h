// Ready-made rules.
#pragma once

#include <string_view>
#include <vector>

#include "agent/base/metric_info.h"
#include "collectors/log_metrics/options.h"

namespace sidelight {

// `app`, `mes` or `gateway`; docs/log-metrics.md says which keys they read. Nothing for another name.
std::vector<LogMetricRule> log_metric_preset(std::string_view name);

// The metrics of all presets.
std::vector<DeclaredMetric> log_metric_presets_declared();

}  // namespace sidelight

// The list of all collectors. A new one is entered here, in settings.h and in config/schema_collectors.cc.
#pragma once

#include <vector>

#include "agent/base/metric_info.h"
#include "collectors/framework/collector.h"
#include "collectors/settings.h"

namespace sidelight {

// One task for each target. What `context` refers to outlives the tasks.
std::vector<CollectorTask> make_collectors(const CollectorSettings& settings,
                                           const CollectorContext& context);

// Every metric that a collector, the runner or the objectives can show.
std::vector<DeclaredMetric> collector_metrics();

}  // namespace sidelight

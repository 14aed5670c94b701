// The pod that this instance runs beside: its control group, and the processes that are visible from here.
#pragma once

#include <memory>
#include <vector>

#include "agent/base/metric_info.h"
#include "collectors/framework/collector.h"
#include "collectors/process/options.h"

namespace sidelight {

// `context` outlives it.
std::unique_ptr<Collector> make_process_collector(const ProcessOptions& options,
                                                  const CollectorContext& context);
std::vector<DeclaredMetric> process_metrics();

}  // namespace sidelight

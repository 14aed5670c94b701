// Logstash as the relay of logs: whether events pass, and how full its queues are.
#pragma once

#include <memory>
#include <vector>

#include "agent/base/metric_info.h"
#include "collectors/framework/collector.h"
#include "collectors/log_store/options.h"

namespace sidelight {

// `context` outlives it.
std::unique_ptr<Collector> make_logstash_collector(const LogRelayOptions& options,
                                                   const CollectorContext& context);
std::vector<DeclaredMetric> logstash_metrics();

}  // namespace sidelight

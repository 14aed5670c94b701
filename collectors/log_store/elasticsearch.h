// Elasticsearch and OpenSearch as the place that logs go to: whether it takes them, and how long it still
// will.
#pragma once

#include <memory>
#include <vector>

#include "agent/base/metric_info.h"
#include "collectors/framework/collector.h"
#include "collectors/log_store/options.h"

namespace sidelight {

// `context` outlives it.
std::unique_ptr<Collector> make_elasticsearch_collector(const LogStoreOptions& options,
                                                        const CollectorContext& context);
std::vector<DeclaredMetric> elasticsearch_metrics();

}  // namespace sidelight

// Any service that tells its state as JSON over HTTP: the configuration says which values become which
// metrics.
#pragma once

#include <memory>

#include "collectors/framework/collector.h"
#include "collectors/http_json/options.h"

namespace sidelight {

// `context` outlives it. The options have been checked by the configuration.
std::unique_ptr<Collector> make_http_json_collector(const HttpJsonOptions& options,
                                                    const CollectorContext& context);

}  // namespace sidelight

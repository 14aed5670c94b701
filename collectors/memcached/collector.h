// memcached, by its text protocol: `version` and `stats`. Its metrics are cache_metrics().
#pragma once

#include <memory>

#include "collectors/framework/collector.h"
#include "collectors/memcached/options.h"

namespace sidelight {

// `context` outlives it. The options have been checked by the configuration.
std::unique_ptr<Collector> make_memcached_collector(const MemcachedOptions& options,
                                                    const CollectorContext& context);

}  // namespace sidelight

// The answer to `stats` (memcached: doc/protocol.txt).
#pragma once

#include <optional>
#include <string_view>

#include "collectors/cache/cache_metrics.h"

namespace sidelight {

struct MemcachedStats {
  CacheReading reading;  // without the latency
  std::optional<double> process_id;
  std::optional<double> uptime_seconds;
};

// Whether `text` ends the answer: END, or an error.
bool is_whole_answer(std::string_view text);
// Nothing when the text is no answer to `stats`.
std::optional<MemcachedStats> parse_memcached_stats(std::string_view text);

}  // namespace sidelight

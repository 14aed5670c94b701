// The metrics of a cache server, whichever it is.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "agent/base/clock.h"
#include "agent/base/metric_info.h"
#include "collectors/framework/counter_window.h"
#include "collectors/framework/samples.h"

namespace sidelight {

// Nodes that one target shows at most.
constexpr std::size_t kMaxCacheNodes = 16;

// What one server says of itself; what it does not say is absent.
struct CacheReading {
  std::optional<double> hits;  // look-ups since it started, likewise all counters
  std::optional<double> misses;
  std::optional<double> evictions;
  std::optional<double> expired;
  std::optional<double> commands;
  std::optional<double> memory_bytes;
  std::optional<double> memory_limit_bytes;  // absent: unlimited
  std::optional<double> keys;
  std::optional<double> clients;
  std::optional<double> latency_seconds;
};

// The hit ratio of one server over five minutes, from own samples. One thread.
class HitRatio {
 public:
  // `process` tells one life of the server from the next: with a new one everything begins again, since its
  // counters have nothing to do with those before.
  void add(MonoTime now, const std::string& process, double hits, double misses);
  // 0 to 1. Nothing while there are no two samples, and without look-ups between them.
  std::optional<double> value() const;

 private:
  std::string process_;
  CounterWindow hits_{std::chrono::minutes(5)};
  CounterWindow misses_{std::chrono::minutes(5)};
};

void show_cache(const CacheReading& reading, const std::optional<double>& hit_ratio, const std::string& node,
                Samples& out);
std::vector<DeclaredMetric> cache_metrics();

}  // namespace sidelight

#include "agent/observe/http_metrics.h"

#include <algorithm>

namespace sidelight {
namespace {

constexpr std::array<const char*, 4> kClasses = {"2xx", "3xx", "4xx", "5xx"};

}  // namespace

HttpMetrics::HttpMetrics(MetricFamilies& f)
    : connections_(f.gauge({.name = "sidelight_http_connections",
                            .role = MetricRole::every_instance,
                            .help = "Connections open to this program's own port."})),
      evicted_(f.counter({.name = "sidelight_http_connections_evicted_total",
                          .role = MetricRole::every_instance,
                          .help = "Connections closed early to make room for new ones."})) {
  auto& answers = f.counters({.name = "sidelight_http_responses_total",
                              .role = MetricRole::every_instance,
                              .labels = "code: 2xx, 3xx, 4xx, 5xx",
                              .max_series = kClasses.size(),
                              .help = "Answers given on this program's own port."});
  for (std::size_t i = 0; i < kClasses.size(); ++i) answers_.at(i) = &answers.Add({{"code", kClasses.at(i)}});
}

void HttpMetrics::answered(int status) {
  answers_.at(static_cast<std::size_t>(std::clamp(status / 100, 2, 5) - 2))->Increment();
}

void HttpMetrics::connections(std::uint64_t open) {
  connections_.Set(static_cast<double>(open));
}
void HttpMetrics::connection_evicted() {
  evicted_.Increment();
}

}  // namespace sidelight

// The HTTP server's probe, as metrics.
#pragma once

#include <array>

#include "agent/observe/http_probe.h"
#include "agent/observe/metric_families.h"

namespace sidelight {

class HttpMetrics final : public HttpProbe {
 public:
  explicit HttpMetrics(MetricFamilies& families);
  void answered(int status) override;
  void connections(std::uint64_t open) override;
  void connection_evicted() override;

 private:
  std::array<Counter*, 4> answers_{};
  Gauge& connections_;
  Counter& evicted_;
};

}  // namespace sidelight

// The checkpoint store's probe, as metrics.
#pragma once

#include <atomic>

#include "agent/checkpoint/checkpoint_probe.h"
#include "agent/observe/metric_families.h"

namespace sidelight {

class CheckpointMetrics final : public CheckpointProbe {
 public:
  // Before the first commit the age counts from `start`.
  CheckpointMetrics(MetricFamilies& families, WallNanos start);
  // Computes the age; called at every scrape.
  void refresh(WallNanos now);

  void committed(WallNanos at, std::uint64_t bytes, std::uint64_t files) override;
  void unchanged(WallNanos at) override;
  void write_error() override;
  void damaged() override;

 private:
  Gauge& age_;
  Gauge& size_;
  Gauge& files_;
  Counter& commits_;
  Counter& write_errors_;
  Counter& damaged_;
  std::atomic<WallNanos> current_at_;
};

}  // namespace sidelight

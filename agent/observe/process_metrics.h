// What the kernel knows about this process, read from /proc at a scrape.
#pragma once

#include "agent/base/clock.h"
#include "agent/base/filesystem.h"
#include "agent/observe/metric_families.h"

namespace sidelight {

class ProcessMetrics {
 public:
  ProcessMetrics(MetricFamilies& families, FileSystem& files, double start_time_seconds);
  // Where /proc cannot be read the series keep their last values. Where descriptors must be
  // counted one by one (before Linux 6.2), very many of them are not counted each time.
  void refresh(MonoTime now);

 private:
  void refresh_stat();
  void refresh_descriptors(MonoTime now);

  FileSystem& files_;
  Counter& cpu_;
  Gauge& resident_;
  Gauge& virtual_;
  Gauge& threads_;
  Gauge& open_fds_;
  Gauge& max_fds_;
  MonoTime next_count_{};
};

}  // namespace sidelight

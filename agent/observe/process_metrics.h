// What the kernel knows about this process, read from /proc at every scrape.
#pragma once

#include "agent/base/filesystem.h"
#include "agent/observe/metric_families.h"

namespace sidelight {

class ProcessMetrics {
 public:
  ProcessMetrics(MetricFamilies& families, FileSystem& files, double start_time_seconds);
  // Where /proc cannot be read the series keep their last values.
  void refresh();

 private:
  void refresh_stat();
  void refresh_descriptors();

  FileSystem& files_;
  Counter& cpu_;
  Gauge& resident_;
  Gauge& virtual_;
  Gauge& threads_;
  Gauge& open_fds_;
  Gauge& max_fds_;
};

}  // namespace sidelight

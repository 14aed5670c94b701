#include "agent/observe/checkpoint_metrics.h"

#include <algorithm>

namespace sidelight {

CheckpointMetrics::CheckpointMetrics(MetricFamilies& f, WallNanos start)
    : age_(f.gauge({.name = "sidelight_checkpoint_age_seconds",
                    .unit = "seconds",
                    .help = "Since the checkpoint on disk was last known to be current (from the start, "
                            "before the first one)."})),
      size_(f.gauge({.name = "sidelight_checkpoint_size_bytes",
                     .unit = "bytes",
                     .help = "Size of the checkpoint on disk."})),
      files_(f.gauge({.name = "sidelight_checkpoint_files",
                      .help = "Files (generations of them) that the checkpoint knows."})),
      commits_(
          f.counter({.name = "sidelight_checkpoint_commits_total", .help = "Checkpoints written to disk."})),
      write_errors_(f.counter({.name = "sidelight_checkpoint_write_errors_total",
                               .help = "Checkpoints that could not be written; tried again."})),
      damaged_(f.counter({.name = "sidelight_checkpoint_damaged_total",
                          .help = "Checkpoints that could not be read at the start and were set aside."})),
      current_at_(start) {}

void CheckpointMetrics::refresh(WallNanos now) {
  // A clock set back must not make it negative.
  age_.Set(static_cast<double>(std::max<WallNanos>(now - current_at_.load(), 0)) / 1e9);
}

void CheckpointMetrics::committed(WallNanos at, std::uint64_t bytes, std::uint64_t files) {
  if (at > 0) current_at_.store(at);
  files_.Set(static_cast<double>(files));
  if (bytes == 0) return;  // loaded, not written
  size_.Set(static_cast<double>(bytes));
  commits_.Increment();
}

void CheckpointMetrics::unchanged(WallNanos at) {
  current_at_.store(at);
}
void CheckpointMetrics::write_error() {
  write_errors_.Increment();
}
void CheckpointMetrics::damaged() {
  damaged_.Increment();
}

}  // namespace sidelight

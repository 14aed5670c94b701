// The tail stage's probe, as metrics.
#pragma once

#include <array>
#include <mutex>
#include <vector>

#include "agent/observe/input_labels.h"
#include "agent/observe/metric_families.h"
#include "agent/tail/tail_probe.h"

namespace sidelight {

class TailMetrics final : public TailProbe {
 public:
  explicit TailMetrics(MetricFamilies& families);
  // From now on inputs are numbered by this list.
  void set_inputs(const std::vector<InputLabel>& labels);

  void files_open(std::uint64_t files) override;
  void files_tracked(std::uint64_t files) override;
  void input_files(std::uint32_t input, std::uint64_t files) override;
  void watch_mode(bool polling) override;
  void unreadable_files(std::uint64_t files) override;
  void ignored_files(std::uint64_t files) override;
  void lost_bytes(std::uint32_t input, std::uint64_t bytes, LossReason reason) override;
  void rotation(RotationKind kind) override;
  void read_error() override;
  void deleted_bytes_held(std::uint64_t bytes) override;
  void descriptor_limit_hit() override;

 private:
  using ByReason = std::array<Counter*, 3>;
  struct Input {
    InputLabel label;
    ByReason lost{};
    Gauge* files = nullptr;
  };
  ByReason lost_counters(const std::string& label);

  Gauge& files_open_;
  Gauge& files_tracked_;
  Family<Gauge>& matched_;
  Gauge& polling_;
  Gauge& unreadable_;
  Gauge& ignored_;
  Family<Counter>& lost_;
  std::array<Counter*, 3> rotations_{};
  Counter& read_errors_;
  Gauge& deleted_held_;
  Counter& descriptor_limit_hits_;

  std::mutex mutex_;  // guards inputs_
  std::vector<Input> inputs_;
};

}  // namespace sidelight

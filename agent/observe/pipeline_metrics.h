// The pipeline's probe, as metrics.
#pragma once

#include <array>
#include <mutex>
#include <vector>

#include "agent/base/clock.h"
#include "agent/observe/input_labels.h"
#include "agent/observe/metric_families.h"
#include "agent/observe/tailed_files.h"
#include "agent/pipeline/pipeline_probe.h"

namespace sidelight {

class PipelineMetrics final : public PipelineProbe {
 public:
  PipelineMetrics(MetricFamilies& families, const Clock& clock);
  // From now on inputs are numbered by this list. Counters of inputs that are gone stay, their gauges go.
  void set_inputs(const std::vector<InputLabel>& labels);

  void read(std::uint32_t input, std::uint64_t bytes) override;
  void events(std::uint32_t input, std::uint64_t lines, std::uint64_t events) override;
  void truncated(std::uint32_t input, std::uint64_t events, std::uint64_t bytes) override;
  void dropped(std::uint32_t input, std::uint64_t events, DropReason reason) override;
  void parse_errors(std::uint32_t input, std::uint64_t events) override;
  void lag(std::uint32_t input, std::uint64_t bytes, double seconds) override;
  void in_flight(std::uint64_t bytes_used, std::uint64_t budget) override;
  void input_paused(std::uint32_t input, bool paused, PauseReason reason) override;
  void files(const std::vector<FileProgress>& progress, std::size_t all) override;
  void reload(bool success) override;

  const TailedFiles& tailed_files() const { return tailed_files_; }

 private:
  static constexpr std::size_t kPauseReasons = 1;
  struct Counters {
    Counter* bytes = nullptr;
    Counter* lines = nullptr;
    Counter* events = nullptr;
    Counter* truncated_events = nullptr;
    Counter* truncated_bytes = nullptr;
    Counter* parse_errors = nullptr;
    std::array<Counter*, kDropReasons> dropped{};
  };
  struct Gauges {
    Gauge* lag_bytes = nullptr;  // both appear with the first report: an unknown lag is not shown as none
    Gauge* lag_seconds = nullptr;
    std::array<Gauge*, kPauseReasons> paused{};
  };
  struct Input {
    InputLabel label;
    Counters counters;
    Gauges gauges;  // none for the overflow
  };

  Counters counters_for(const std::string& label);
  Gauges gauges_for(const std::string& label);
  void remove(Gauges& gauges);
  // Both with mutex_ held. An index that a reload took away counts under the overflow.
  Counters counters_at(std::uint32_t input);
  Input* input_with_gauges(std::uint32_t input);

  const Clock& clock_;
  Family<Counter>& bytes_;
  Family<Counter>& lines_;
  Family<Counter>& events_;
  Family<Counter>& truncated_events_;
  Family<Counter>& truncated_bytes_;
  Family<Counter>& parse_errors_;
  Family<Counter>& dropped_;
  Family<Gauge>& lag_bytes_;
  Family<Gauge>& lag_seconds_;
  Family<Gauge>& paused_;
  Gauge& in_flight_;
  Gauge& budget_;
  Gauge& inputs_over_cap_;
  Family<Counter>& reloads_;
  Counter& reloads_good_;
  Counter& reloads_bad_;
  Gauge& reload_ok_;
  Gauge& reload_time_;

  TailedFiles tailed_files_;
  std::mutex mutex_;  // guards inputs_
  std::vector<Input> inputs_;
};

}  // namespace sidelight

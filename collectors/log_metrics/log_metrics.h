// Metrics derived from logs: what stands at the end of a pipeline that ships nothing.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "agent/base/clock.h"
#include "agent/base/error.h"
#include "agent/base/metric_page.h"
#include "agent/batch/encoder.h"
#include "agent/send/output.h"
#include "collectors/log_metrics/rules.h"
#include "collectors/log_metrics/table.h"

namespace sidelight {

// Counts live as long as this object, or go on in the one that follows it (reloads). Events older than
// late_after when they are read count only as late; an event without a time counts as one of now. What is
// read again after a crash (at most what the last checkpoint interval brought) is counted again by the new
// process, whose counters begin at zero.
class LogMetrics final : public MetricSource {
 public:
  // `inputs` are the names of the log inputs, in order.
  static Expected<std::unique_ptr<LogMetrics>> make(const LogMetricsOptions& options,
                                                    const std::vector<std::string>& inputs,
                                                    const Clock& clock);

  // Goes on from what `before` has counted for rules that are the same, and of inputs with the same names.
  // Before anything is counted here, and when `before` counts no more; it is of no use then.
  void adopt(LogMetrics& before);

  // For the pipeline's worker. Both refer to this object.
  std::unique_ptr<Encoder> make_encoder();
  std::unique_ptr<Output> make_output(const OutputContext& context);

  bool reads(std::uint32_t input) const { return rules_.reads(input); }
  // One event. For the encoder, on the worker's thread.
  void count(std::uint32_t input, const Record& record, const DocConstants& constants);
  // Thread-safe, from the pipeline's report.
  void lag(std::uint32_t input, std::uint64_t bytes);

  void families(std::vector<std::shared_ptr<const RenderedFamily>>& out) override;

 private:
  struct Input {
    std::string name;
    std::atomic<std::uint64_t> events{0};
    std::atomic<std::uint64_t> late{0};
    std::atomic<std::uint64_t> lag_bytes{0};
  };
  LogMetrics(LogMetricRules rules, const LogMetricsOptions& options, const std::vector<std::string>& inputs,
             const Clock& clock);
  LogMetricRules rules_;
  std::chrono::milliseconds late_after_;
  const Clock& clock_;
  LogMetricTable table_;
  std::vector<std::unique_ptr<Input>> inputs_;
};

// What log metrics keep about themselves, and the metrics of the presets.
std::vector<DeclaredMetric> log_metrics_declared();

}  // namespace sidelight

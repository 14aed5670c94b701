// The series that rules make: counted on one thread, shown on another, bounded.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

#include "agent/base/clock.h"
#include "agent/base/metric_page.h"
#include "collectors/framework/samples.h"

namespace sidelight {

// Thread-safe. Each metric has at most `max_series` label sets and one more for all the others ("overflow";
// gauges have none). When a metric is full, sets that nothing was counted for in the last hour make room. A
// gauge is shown for five minutes after its last event.
class LogMetricTable {
 public:
  static constexpr Nanos kIdle = std::chrono::hours(1);
  static constexpr Nanos kGaugeShown = std::chrono::minutes(5);

  struct Metric {
    std::string name;
    std::string help;
    MetricKind kind = MetricKind::counter;
    std::vector<std::string> labels;  // names
    std::vector<double> bounds;       // of a histogram
  };

  LogMetricTable(std::vector<Metric> metrics, std::size_t max_series, const Clock& clock);

  // One event of the metric with this index. `values` has one entry for each label name, "" leaves the label
  // out; counters add `value`, gauges take it, histograms observe it.
  void count(std::size_t metric, const std::vector<std::string>& values, double value);

  // Goes on from the series of a metric of another table, which is the same metric and loses them. Before
  // anything is counted for it here.
  void adopt(std::size_t metric, LogMetricTable& from, std::size_t its);
  // The same of what did not fit into `from`.
  void adopt_overflowed(const LogMetricTable& from);

  std::vector<SampleFamily> snapshot() const;
  std::size_t series() const;
  std::uint64_t overflowed() const;  // events that were counted under overflow, or left out

 private:
  struct Series {
    std::vector<std::string> values;
    double value = 0;
    HistogramValue histogram;
    MonoTime touched{};
  };
  struct Family {
    Metric metric;
    std::unordered_map<std::string, Series> series;  // by the values, joined
    std::unique_ptr<Series> overflow;
    MonoTime next_sweep{};
  };
  Series* find(Family& family, const std::vector<std::string>& values, MonoTime now);

  std::size_t max_series_;
  const Clock& clock_;
  mutable std::mutex mutex_;
  std::vector<Family> families_;
  std::uint64_t overflowed_ = 0;
};

}  // namespace sidelight

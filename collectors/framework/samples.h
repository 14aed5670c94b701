// What one run of a collector found out.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "agent/base/metric_info.h"
#include "collectors/framework/series_cap.h"

namespace sidelight {

// Name and value. Names are literals of the collector or checked by the configuration; values may be any
// bytes.
using Label = std::pair<std::string, std::string>;
using Labels = std::vector<Label>;

struct HistogramValue {
  std::vector<double> bounds;          // ascending, without +Inf
  std::vector<std::uint64_t> buckets;  // not cumulative; one more than bounds
  double sum = 0;
};

struct SampleFamily {
  std::string name;
  std::string help;
  MetricKind kind = MetricKind::gauge;
  struct Series {
    Labels labels;  // with those that the runner adds
    double value = 0;
    HistogramValue histogram;
  };
  std::vector<Series> series;
};

// For the person who looks at the status page: what to do about a target, and why.
struct Advice {
  std::string subject;  // "public.orders"
  std::string reason;
  std::string action;  // a command or statement to run by hand, never run by us
};

// Filled by one run, on its thread. A series that is added twice is a bug of the collector (aborts in debug;
// the last value wins else). Values that are no numbers (NaN, infinity) are left out: what is not known is
// absent.
class Samples {
 public:
  // `constant` are added to every series (the target); `cap` outlives the samples and remembers who was
  // admitted.
  Samples(Labels constant, SeriesCap& cap, MonoTime now);

  // `info` is copied. Beyond info.max_series gauges are dropped and counted, counters and histograms are
  // summed under the label value "overflow".
  void gauge(const MetricInfo& info, double value, Labels labels = {});
  void counter(const MetricInfo& info, double value, Labels labels = {});
  void histogram(const MetricInfo& info, const HistogramValue& value, Labels labels = {});
  void advise(Advice advice);
  // Something is missing although the run succeeded (a right, a statistic): shown on the status page and
  // logged, rate-limited.
  void warn(std::string message);

  const std::vector<SampleFamily>& families() const { return families_; }
  const std::vector<Advice>& advice() const { return advice_; }
  const std::vector<std::string>& warnings() const { return warnings_; }
  std::uint64_t dropped() const { return dropped_; }

 private:
  SampleFamily& family(const MetricInfo& info, MetricKind kind);
  SampleFamily::Series* add(const MetricInfo& info, MetricKind kind, Labels labels);

  Labels constant_;
  SeriesCap& cap_;
  MonoTime now_;
  std::vector<SampleFamily> families_;
  std::map<std::string, std::size_t, std::less<>> by_name_;
  std::vector<std::map<Labels, std::size_t>> by_labels_;  // as families_
  std::vector<Advice> advice_;
  std::vector<std::string> warnings_;
  std::uint64_t dropped_ = 0;
};

}  // namespace sidelight

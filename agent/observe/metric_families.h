// Metric families as they are declared: one declaration gives the series and its row in docs/metrics.md.
#pragma once

#include <prometheus/counter.h>
#include <prometheus/family.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>

#include <vector>

#include "agent/base/metric_info.h"

namespace sidelight {

using Counter = prometheus::Counter;
using Gauge = prometheus::Gauge;
using Histogram = prometheus::Histogram;
template <class T>
using Family = prometheus::Family<T>;

// Adds families to a registry and remembers their declarations. One thread, while the program starts.
class MetricFamilies {
 public:
  explicit MetricFamilies(prometheus::Registry& registry) : registry_(registry) {}

  Family<Counter>& counters(const MetricInfo& info);
  Family<Gauge>& gauges(const MetricInfo& info);
  Family<Histogram>& histograms(const MetricInfo& info);
  // The only series of a family without labels.
  Counter& counter(const MetricInfo& info) { return counters(info).Add({}); }
  Gauge& gauge(const MetricInfo& info) { return gauges(info).Add({}); }
  // Declares a family that something else than the registry collects.
  void declare(const MetricInfo& info, MetricKind kind) { declared_.push_back({info, kind}); }

  const std::vector<DeclaredMetric>& declared() const { return declared_; }

 private:
  prometheus::Registry& registry_;
  std::vector<DeclaredMetric> declared_;
};

}  // namespace sidelight

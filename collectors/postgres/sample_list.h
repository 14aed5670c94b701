// Series that are kept between runs, to be shown again until they are asked for anew.
#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "collectors/framework/samples.h"

namespace sidelight {

// Label values are made fit to be shown at once, so that two which then look the same are one series: their
// values are added.
class SampleList {
 public:
  void gauge(const MetricInfo& info, double value, Labels labels = {}) {
    add(info, MetricKind::gauge, value, std::move(labels));
  }
  void counter(const MetricInfo& info, double value, Labels labels = {}) {
    add(info, MetricKind::counter, value, std::move(labels));
  }
  void advise(Advice advice) { advice_.push_back(std::move(advice)); }
  void warn(std::string message) { warnings_.push_back(std::move(message)); }
  const std::vector<Advice>& advice() const { return advice_; }
  // In the order in which they came.
  void show(Samples& out) const;

 private:
  struct Kept {
    const MetricInfo* info;  // one of metrics.h: lives as long as the program
    MetricKind kind;
    double value;
    Labels labels;
  };
  void add(const MetricInfo& info, MetricKind kind, double value, Labels labels);

  std::vector<Kept> kept_;
  std::map<std::pair<std::string_view, Labels>, std::size_t> known_;
  std::vector<Advice> advice_;
  std::vector<std::string> warnings_;
};

}  // namespace sidelight

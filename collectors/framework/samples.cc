#include "collectors/framework/samples.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <utility>

namespace sidelight {
namespace {

constexpr std::string_view kOverflow = "overflow";
constexpr std::size_t kMaxNotes = 100;

}  // namespace

Samples::Samples(Labels constant, SeriesCap& cap, MonoTime now)
    : constant_(std::move(constant)), cap_(cap), now_(now) {}

SampleFamily& Samples::family(const MetricInfo& info, MetricKind kind) {
  const auto [it, is_new] = by_name_.try_emplace(std::string(info.name), families_.size());
  if (is_new) {
    families_.push_back({std::string(info.name), std::string(info.help), kind, {}});
    by_labels_.emplace_back();
  }
  assert(families_[it->second].kind == kind);
  return families_[it->second];
}

SampleFamily::Series* Samples::add(const MetricInfo& info, MetricKind kind, Labels labels) {
  const bool fits = cap_.admit(info.name, labels, info.max_series, now_);
  if (!fits) {
    ++dropped_;
    if (kind == MetricKind::gauge) return nullptr;
    for (auto& label : labels) label.second = kOverflow;
  }
  SampleFamily& f = family(info, kind);
  auto& known = by_labels_[by_name_.find(info.name)->second];
  const auto [it, is_new] = known.try_emplace(labels, f.series.size());
  if (is_new) {
    SampleFamily::Series series;
    series.labels = constant_;
    series.labels.insert(series.labels.end(), std::make_move_iterator(labels.begin()),
                         std::make_move_iterator(labels.end()));
    f.series.push_back(std::move(series));
  } else {
    assert(!fits);  // the same series twice, if it is not the overflow
  }
  return &f.series[it->second];
}

void Samples::gauge(const MetricInfo& info, double value, Labels labels) {
  if (!std::isfinite(value)) return;
  if (auto* series = add(info, MetricKind::gauge, std::move(labels))) series->value = value;
}

void Samples::counter(const MetricInfo& info, double value, Labels labels) {
  if (!std::isfinite(value)) return;
  add(info, MetricKind::counter, std::move(labels))->value += value;
}

void Samples::histogram(const MetricInfo& info, const HistogramValue& value, Labels labels) {
  assert(value.buckets.size() == value.bounds.size() + 1);
  HistogramValue& to = add(info, MetricKind::histogram, std::move(labels))->histogram;
  if (to.buckets.empty()) {
    to = value;
    return;
  }
  if (to.bounds != value.bounds) return;
  for (std::size_t i = 0; i < to.buckets.size(); ++i) to.buckets[i] += value.buckets[i];
  to.sum += value.sum;
}

void Samples::advise(Advice advice) {
  if (advice_.size() < kMaxNotes) advice_.push_back(std::move(advice));
}

void Samples::warn(std::string message) {
  if (warnings_.size() < kMaxNotes) warnings_.push_back(std::move(message));
}

}  // namespace sidelight

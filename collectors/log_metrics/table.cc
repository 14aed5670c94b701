#include "collectors/log_metrics/table.h"

#include <algorithm>
#include <utility>

namespace sidelight {
namespace {

constexpr Nanos kSweep = std::chrono::minutes(1);
constexpr std::size_t kMaxLabelBytes = 200;

// Values come from outside: what is beyond the length that is shown does not tell series apart.
std::string key_of(const std::vector<std::string>& values) {
  std::string key;
  for (const std::string& v : values) {
    key += std::string_view(v).substr(0, kMaxLabelBytes);
    key += '\0';
  }
  return key;
}

void observe(HistogramValue& h, const std::vector<double>& bounds, double value) {
  if (h.buckets.empty()) {
    h.bounds = bounds;
    h.buckets.resize(bounds.size() + 1);
  }
  const auto bucket = std::lower_bound(bounds.begin(), bounds.end(), value) - bounds.begin();
  ++h.buckets[static_cast<std::size_t>(bucket)];
  h.sum += value;
}

}  // namespace

LogMetricTable::LogMetricTable(std::vector<Metric> metrics, std::size_t max_series, const Clock& clock)
    : max_series_(max_series), clock_(clock) {
  for (Metric& m : metrics) families_.push_back({std::move(m), {}, nullptr, {}});
}

LogMetricTable::Series* LogMetricTable::find(Family& family, const std::vector<std::string>& values,
                                             MonoTime now) {
  std::string key = key_of(values);
  if (const auto it = family.series.find(key); it != family.series.end()) return &it->second;
  if (family.series.size() >= max_series_ && now >= family.next_sweep) {
    family.next_sweep = now + kSweep;
    std::erase_if(family.series, [&](const auto& s) { return now - s.second.touched >= kIdle; });
  }
  if (family.series.size() < max_series_) {
    Series& s = family.series[std::move(key)];
    for (const std::string& v : values) s.values.push_back(v.substr(0, kMaxLabelBytes));
    return &s;
  }
  ++overflowed_;
  if (family.metric.kind == MetricKind::gauge) return nullptr;
  if (!family.overflow) {
    family.overflow = std::make_unique<Series>();
    family.overflow->values.assign(values.size(), "overflow");
  }
  return family.overflow.get();
}

void LogMetricTable::count(std::size_t metric, const std::vector<std::string>& values, double value) {
  const std::lock_guard lock(mutex_);
  Family& family = families_[metric];
  const MonoTime now = clock_.now();
  Series* s = find(family, values, now);
  if (s == nullptr) return;
  s->touched = now;
  switch (family.metric.kind) {
    case MetricKind::counter:
      s->value += value;
      break;
    case MetricKind::gauge:
      s->value = value;
      break;
    case MetricKind::histogram:
      observe(s->histogram, family.metric.bounds, value);
      break;
  }
}

void LogMetricTable::adopt(std::size_t metric, LogMetricTable& from, std::size_t its) {
  const std::scoped_lock lock(mutex_, from.mutex_);
  Family& to = families_[metric];
  Family& old = from.families_[its];
  to.series = std::move(old.series);
  to.overflow = std::move(old.overflow);
  old.series.clear();
}

void LogMetricTable::adopt_overflowed(const LogMetricTable& from) {
  const std::uint64_t before = from.overflowed();
  const std::lock_guard lock(mutex_);
  overflowed_ += before;
}

std::vector<SampleFamily> LogMetricTable::snapshot() const {
  const std::lock_guard lock(mutex_);
  const MonoTime now = clock_.now();
  std::vector<SampleFamily> out;
  for (const Family& f : families_) {
    SampleFamily family{f.metric.name, f.metric.help, f.metric.kind, {}};
    const auto add = [&](const Series& s) {
      if (f.metric.kind == MetricKind::gauge && now - s.touched > kGaugeShown) return;
      SampleFamily::Series series;
      for (std::size_t i = 0; i < s.values.size(); ++i)
        if (!s.values[i].empty()) series.labels.emplace_back(f.metric.labels[i], s.values[i]);
      series.value = s.value;
      series.histogram = s.histogram;
      family.series.push_back(std::move(series));
    };
    for (const auto& [key, series] : f.series) add(series);
    if (f.overflow) add(*f.overflow);
    out.push_back(std::move(family));
  }
  return out;
}

std::size_t LogMetricTable::series() const {
  const std::lock_guard lock(mutex_);
  std::size_t n = 0;
  for (const Family& f : families_) n += f.series.size();
  return n;
}

std::uint64_t LogMetricTable::overflowed() const {
  const std::lock_guard lock(mutex_);
  return overflowed_;
}

}  // namespace sidelight

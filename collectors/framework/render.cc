#include "collectors/framework/render.h"

#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>

#include <algorithm>
#include <limits>
#include <sstream>

#include "agent/base/label_text.h"

namespace sidelight {
namespace {

prometheus::MetricType type_of(MetricKind kind) {
  switch (kind) {
    case MetricKind::counter:
      return prometheus::MetricType::Counter;
    case MetricKind::gauge:
      return prometheus::MetricType::Gauge;
    case MetricKind::histogram:
      return prometheus::MetricType::Histogram;
  }
  return prometheus::MetricType::Untyped;
}

prometheus::ClientMetric::Histogram histogram_of(const HistogramValue& value) {
  prometheus::ClientMetric::Histogram out;
  std::uint64_t count = 0;
  for (std::size_t i = 0; i < value.buckets.size(); ++i) {
    count += value.buckets[i];
    const double bound = i < value.bounds.size() ? value.bounds[i] : std::numeric_limits<double>::infinity();
    out.bucket.push_back({count, bound});
  }
  out.sample_count = count;
  out.sample_sum = value.sum;
  return out;
}

prometheus::ClientMetric metric_of(MetricKind kind, const SampleFamily::Series& series) {
  prometheus::ClientMetric m;
  for (const auto& [name, value] : series.labels) m.label.push_back({name, label_text(value)});
  if (kind == MetricKind::counter) m.counter.value = series.value;
  if (kind == MetricKind::gauge) m.gauge.value = series.value;
  if (kind == MetricKind::histogram) m.histogram = histogram_of(series.histogram);
  return m;
}

}  // namespace

std::vector<std::shared_ptr<const RenderedFamily>> render_families(
    const std::vector<SampleFamily>& families) {
  std::vector<std::shared_ptr<const RenderedFamily>> out;
  for (const SampleFamily& f : families) {
    if (f.series.empty()) continue;
    prometheus::MetricFamily family{f.name, f.help, type_of(f.kind), {}};
    for (const auto& series : f.series) family.metric.push_back(metric_of(f.kind, series));
    std::sort(family.metric.begin(), family.metric.end(),
              [](const auto& a, const auto& b) { return a.label < b.label; });
    std::ostringstream text;
    prometheus::TextSerializer().Serialize(text, {family});
    const std::string page = std::move(text).str();
    std::size_t samples = 0;  // behind the comment lines
    while (page[samples] == '#') samples = page.find('\n', samples) + 1;
    out.push_back(std::make_shared<RenderedFamily>(
        RenderedFamily{f.name, page.substr(0, samples), page.substr(samples)}));
  }
  return out;
}

}  // namespace sidelight

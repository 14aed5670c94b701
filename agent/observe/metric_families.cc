#include "agent/observe/metric_families.h"

#include <algorithm>
#include <tuple>

namespace sidelight {
namespace {

std::string_view kind_name(MetricKind kind) {
  switch (kind) {
    case MetricKind::counter:
      return "counter";
    case MetricKind::gauge:
      return "gauge";
    case MetricKind::histogram:
      return "histogram";
  }
  return "";
}

std::string_view role_heading(MetricRole role) {
  switch (role) {
    case MetricRole::every_instance:
      return "Every instance";
    case MetricRole::beside_a_pod:
      return "Beside a pod: the log path, metrics from logs, the pod itself";
    case MetricRole::beside_a_target:
      return "Beside a target: collectors";
  }
  return "";
}

void append_row(std::string& out, const DeclaredMetric& metric) {
  const MetricInfo& i = metric.info;
  out += "| `";
  out += i.name;
  out += "` | ";
  out += kind_name(metric.kind);
  out += " | ";
  out += i.unit.empty() ? "-" : i.unit;
  out += " | ";
  out += i.labels.empty() ? "-" : i.labels;
  out += " | " + std::to_string(i.max_series) + " | ";
  out += i.help;
  out += " |\n";
}

}  // namespace

Family<Counter>& MetricFamilies::counters(const MetricInfo& info) {
  declare(info, MetricKind::counter);
  return prometheus::BuildCounter()
      .Name(std::string(info.name))
      .Help(std::string(info.help))
      .Register(registry_);
}

Family<Gauge>& MetricFamilies::gauges(const MetricInfo& info) {
  declare(info, MetricKind::gauge);
  return prometheus::BuildGauge()
      .Name(std::string(info.name))
      .Help(std::string(info.help))
      .Register(registry_);
}

Family<Histogram>& MetricFamilies::histograms(const MetricInfo& info) {
  declare(info, MetricKind::histogram);
  return prometheus::BuildHistogram()
      .Name(std::string(info.name))
      .Help(std::string(info.help))
      .Register(registry_);
}

std::string metrics_reference(std::vector<DeclaredMetric> declared) {
  std::sort(declared.begin(), declared.end(), [](const DeclaredMetric& a, const DeclaredMetric& b) {
    return std::tie(a.info.role, a.info.name) < std::tie(b.info.role, b.info.name);
  });
  std::string out =
      "# Metrics\n\n"
      "<!-- Generated from the declarations in agent and collectors; a test compares. "
      "SIDELIGHT_UPDATE_GOLDEN=1 "
      "rewrites it. -->\n\n"
      "What `/metrics` shows, in base units. Counters start at 0 with the program where their labels are "
      "known "
      "then, so\n"
      "that a rate sees the first increment; a set of labels that comes up later (from logs, from queues) "
      "begins "
      "with its\n"
      "first value. *Series* is the most that one instance ever shows of a metric (buckets, sum and count of "
      "a "
      "histogram\n"
      "are one); a label that could grow is capped: counters beyond the cap are summed under `overflow`, "
      "gauges beyond\n"
      "it are left out, and `sidelight_inputs_over_cap` or `sidelight_collector_series_dropped_total` says "
      "so. For metrics "
      "with the\n"
      "label `target`, it is the most for each target.\n";
  const MetricRole* section = nullptr;
  for (const DeclaredMetric& metric : declared) {
    if (section == nullptr || *section != metric.info.role) {
      section = &metric.info.role;
      out += "\n## ";
      out += role_heading(*section);
      out += "\n\n| Metric | Type | Unit | Labels | Series | Meaning |\n|---|---|---|---|---|---|\n";
    }
    append_row(out, metric);
  }
  return out;
}

}  // namespace sidelight

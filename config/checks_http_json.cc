#include "config/checks_http_json.h"

#include <map>
#include <set>
#include <vector>

#include "collectors/http_json/json_pointer.h"
#include "collectors/http_json/metric_names.h"

namespace sidelight {
namespace {

// A list of one may stand in the file without its dash.
std::string item_path(const std::string& list, std::size_t i, const Findings& findings) {
  const std::string item = list + "[" + std::to_string(i) + "]";
  return findings.given(item + ".name") || findings.given(item) ? item : list;
}

std::set<std::string> label_names(const JsonMetric& metric) {
  std::set<std::string> names;
  for (const auto& [name, value] : metric.labels) names.insert(name);
  for (const auto& [name, source] : metric.labels_from) names.insert(name);
  return names;
}

// Empty, or what is wrong with one metric.
std::string check_metric(const JsonMetric& metric) {
  if (std::string wrong = check_counter_suffix(metric.name, metric.type == MetricKind::counter);
      !wrong.empty())
    return wrong;
  const auto pointer = parse_json_pointer(metric.pointer);
  if (!pointer) return {};  // said where the pointer is
  if (pointer->each() > 0 && metric.labels_from.empty())
    return "its pointer has a *, so that it may have many values: labels_from must tell them apart";
  for (const auto& [name, value] : metric.labels)
    if (std::string wrong = check_json_label_name(name); !wrong.empty())
      return "label \"" + name + "\": " + wrong;
  for (const auto& [name, source] : metric.labels_from) {
    if (std::string wrong = check_json_label_name(name); !wrong.empty())
      return "label \"" + name + "\": " + wrong;
    if (const auto from = parse_label_source(source, pointer->each()); !from)
      return "label \"" + name + "\": " + from.error().message;
  }
  if (label_names(metric).size() != metric.labels.size() + metric.labels_from.size())
    return "a label is given twice";
  return {};
}

// Families of one name have one type, one help and one set of label names, whoever exports them.
std::string compare(const JsonMetric& metric, const JsonMetric& earlier) {
  if (metric.type != earlier.type) return "another metric of this name has another type";
  if (metric.help != earlier.help) return "another metric of this name has another help; give both the same";
  if (label_names(metric) != label_names(earlier))
    return "another metric of this name has other labels; give both the same names";
  return {};
}

}  // namespace

void check_http_json(const Settings& settings, Findings& findings) {
  std::map<std::string, const JsonMetric*> known;
  std::set<std::string> from_logs;
  for (const auto& rule : settings.log_metrics.rules) from_logs.insert(rule.name);
  const auto& targets = settings.collectors.http_json;
  for (std::size_t t = 0; t < targets.size(); ++t) {
    const std::string target = item_path("collectors.http_json", t, findings);
    for (std::size_t m = 0; m < targets[t].metrics.size(); ++m) {
      const JsonMetric& metric = targets[t].metrics[m];
      std::string wrong = check_metric(metric);
      const auto [earlier, is_new] = known.try_emplace(metric.name, &metric);
      if (wrong.empty() && !is_new) wrong = compare(metric, *earlier->second);
      if (wrong.empty() && from_logs.contains(metric.name)) wrong = "log_metrics has a metric of this name";
      if (!wrong.empty())
        findings.error_at(item_path(target + ".metrics", m, findings), metric.name + ": " + wrong);
    }
  }
}

}  // namespace sidelight

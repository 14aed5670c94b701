#include "collectors/log_metrics/rules.h"

#include <algorithm>
#include <set>

#include "collectors/log_metrics/presets.h"

namespace sidelight {
namespace {

constexpr std::size_t kMostTries = 32;

MetricKind kind_of(LogMetricType type) {
  switch (type) {
    case LogMetricType::counter:
      return MetricKind::counter;
    case LogMetricType::gauge:
      return MetricKind::gauge;
    case LogMetricType::histogram:
      return MetricKind::histogram;
  }
  return MetricKind::counter;
}

bool is_name(const std::string& s) {
  const auto letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; };
  if (s.empty() || !letter(s[0])) return false;
  return std::all_of(s.begin(), s.end(), [&](char c) { return letter(c) || (c >= '0' && c <= '9'); });
}

// Empty, or what is wrong with the rule's names.
std::string check_names(const LogMetricRule& rule) {
  if (!is_name(rule.name)) return "its name may hold letters, digits and _ only";
  if (rule.name.starts_with("sidelight_")) return "names that begin with sidelight_ are the program's own";
  const bool total = rule.name.ends_with("_total");
  if (total != (rule.type == LogMetricType::counter))
    return total ? "names that end in _total are for counters" : "the name of a counter ends in _total";
  for (const auto& [label, field] : rule.labels) {
    static const std::set<std::string> kTaken = {"instance", "job", "pod",     "namespace",
                                                 "service",  "le",  "quantile"};
    if (!is_name(label) || label.starts_with("__"))
      return "label \"" + label + "\": letters, digits and _ only";
    if (kTaken.contains(label))
      return "label \"" + label + "\" belongs to the scrape or to the format; take another name";
  }
  return {};
}

Expected<std::vector<double>> bounds_of(const LogMetricRule& rule) {
  std::vector<double> bounds;
  if (rule.type != LogMetricType::histogram) {
    if (!rule.buckets.empty()) return fail("buckets are for histograms");
    return bounds;
  }
  for (const std::string& text : rule.buckets) {
    const auto number = number_of(text);
    if (!number) return fail("bucket \"" + text + "\" is no number");
    if (!bounds.empty() && *number <= bounds.back()) return fail("buckets must ascend");
    bounds.push_back(*number);
  }
  if (bounds.empty()) bounds = {0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10};
  return bounds;
}

// With "502, 200" several tries; a field that holds one value has it for all of them.
std::string_view at(const std::vector<std::string_view>& tries, std::size_t i) {
  if (tries.empty()) return {};
  const std::string_view v =
      tries.size() == 1 ? tries[0] : (i < tries.size() ? tries[i] : std::string_view());
  return v == "-" ? std::string_view() : v;
}

}  // namespace

std::vector<std::string_view> split_tries(std::string_view list) {
  std::vector<std::string_view> out;
  while (!list.empty() && out.size() < kMostTries) {
    // A colon parts groups only between spaces: addresses hold colons too.
    const std::size_t end = std::min({list.find(','), list.find(" : "), list.size()});
    std::string_view item = list.substr(0, end);
    while (!item.empty() && item.front() == ' ') item.remove_prefix(1);
    while (!item.empty() && item.back() == ' ') item.remove_suffix(1);
    out.push_back(item);
    if (end == list.size()) break;
    list.remove_prefix(end + (list[end] == ',' ? 1 : 3));
  }
  return out;
}

Expected<LogMetricRules> LogMetricRules::make(const LogMetricsOptions& options,
                                              const std::vector<std::string>& inputs) {
  LogMetricRules out;
  const std::vector<Problem> wrong = out.add_all(options, inputs);
  if (!wrong.empty()) return fail(wrong.front().message);
  return out;
}

std::vector<LogMetricRules::Problem> LogMetricRules::problems(const LogMetricsOptions& options,
                                                              const std::vector<std::string>& inputs) {
  return LogMetricRules().add_all(options, inputs);
}

std::vector<LogMetricRules::Problem> LogMetricRules::add_all(const LogMetricsOptions& options,
                                                             const std::vector<std::string>& inputs) {
  std::vector<Problem> out;
  by_input_.resize(inputs.size());
  const auto take = [&](const LogMetricRule& rule, std::optional<std::size_t> place) {
    if (auto added = add(rule, inputs); !added)
      out.push_back({place, "log metric " + rule.name + ": " + added.error().message});
  };
  for (const std::string& preset : options.presets)
    for (const LogMetricRule& rule : log_metric_preset(preset)) take(rule, std::nullopt);
  for (std::size_t i = 0; i < options.rules.size(); ++i) take(options.rules[i], i);
  return out;
}

Expected<void> LogMetricRules::add(const LogMetricRule& rule, const std::vector<std::string>& inputs) {
  if (const std::string wrong = check_names(rule); !wrong.empty()) return fail(wrong);
  const auto same_name = [&](const auto& m) { return m.name == rule.name; };
  if (std::any_of(metrics_.begin(), metrics_.end(), same_name))
    return fail("another rule or preset makes it already");
  LogMetricTable::Metric metric{
      rule.name, rule.help.empty() ? "From logs." : rule.help, kind_of(rule.type), {}, {}};
  auto bounds = bounds_of(rule);
  if (!bounds) return std::unexpected(bounds.error());
  metric.bounds = std::move(*bounds);
  Rule compiled;
  compiled.split = rule.split;
  for (const auto& [field, pattern] : rule.when) {
    auto matcher = Matcher::make(field, pattern);
    if (!matcher) return std::unexpected(matcher.error());
    compiled.when.push_back(std::move(*matcher));
  }
  for (const auto& [label, field] : rule.labels) {
    auto ref = parse_field_ref(field);
    if (!ref) return fail("label " + label + ": \"" + field + "\" names no field");
    metric.labels.push_back(label);
    compiled.labels.push_back(std::move(*ref));
  }
  if (!rule.value.empty()) {
    auto ref = parse_field_ref(rule.value);
    if (!ref) return fail("value: \"" + rule.value + "\" names no field");
    compiled.value = std::move(*ref);
  } else if (rule.type != LogMetricType::counter) {
    return fail("gauges and histograms need a value");
  }
  for (const std::string& name : rule.inputs)
    if (std::find(inputs.begin(), inputs.end(), name) == inputs.end())
      return fail("there is no log input \"" + name + "\"");
  for (std::size_t i = 0; i < inputs.size(); ++i)
    if (rule.inputs.empty() ||
        std::find(rule.inputs.begin(), rule.inputs.end(), inputs[i]) != rule.inputs.end())
      by_input_[i].push_back(rules_.size());
  rules_.push_back(std::move(compiled));
  metrics_.push_back(std::move(metric));
  sources_.push_back(rule);
  return {};
}

void LogMetricRules::apply(std::uint32_t input, EventView& event, LogMetricTable& table) const {
  for (const std::size_t rule : by_input_[input]) {
    const auto& when = rules_[rule].when;
    if (!std::all_of(when.begin(), when.end(), [&](const Matcher& m) { return m.matches(event); })) continue;
    if (rules_[rule].split) {
      count_each(rule, event, table);
    } else {
      count(rule, event, table);
    }
  }
}

void LogMetricRules::count(std::size_t rule, EventView& event, LogMetricTable& table) const {
  const Rule& r = rules_[rule];
  double value = 1;
  if (!r.value.names.empty()) {
    const auto number = number_of(event.text(r.value));
    // A counter cannot go down.
    if (!number || (metrics_[rule].kind == MetricKind::counter && *number < 0)) return;
    value = *number;
  }
  std::vector<std::string> labels;
  labels.reserve(r.labels.size());
  for (const FieldRef& label : r.labels)
    labels.push_back(sidelight::apply(label.transform, event.text(label)));
  table.count(rule, labels, value);
}

void LogMetricRules::count_each(std::size_t rule, EventView& event, LogMetricTable& table) const {
  const Rule& r = rules_[rule];
  std::vector<std::string> texts;  // event.text() lends a view for one call only
  for (const FieldRef& label : r.labels) texts.emplace_back(event.text(label));
  if (!r.value.names.empty()) texts.emplace_back(event.text(r.value));
  std::vector<std::vector<std::string_view>> lists;
  std::size_t tries = 0;
  for (const std::string& text : texts) {
    lists.push_back(split_tries(text));
    tries = std::max(tries, lists.back().size());
  }
  for (std::size_t i = 0; i < tries; ++i) {
    double value = 1;
    if (!r.value.names.empty()) {
      const auto number = number_of(at(lists.back(), i));
      if (!number || (metrics_[rule].kind == MetricKind::counter && *number < 0)) continue;
      value = *number;
    }
    std::vector<std::string> labels;
    labels.reserve(r.labels.size());
    for (std::size_t l = 0; l < r.labels.size(); ++l)
      labels.push_back(sidelight::apply(r.labels[l].transform, at(lists[l], i)));
    table.count(rule, labels, value);
  }
}

}  // namespace sidelight

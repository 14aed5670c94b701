#include "collectors/http_json/metric_names.h"

#include <algorithm>

namespace sidelight {
namespace {

// What the program's own metrics begin with; a test compares with all that are declared.
constexpr std::string_view kOwnPrefixes[] = {
    "sidelight_",  "process_",   "mes_queue_", "mes_stream_", "mes_dead_letter_",
    "mes_broker_", "mes_cache_", "mes_db_",    "gateway_",    "log_store_",
    "log_relay_",  "pod_",       "app_",       "mes_price_",  "ALERTS"};
constexpr std::string_view kOwnSuffixes[] = {"_objective"};
constexpr std::string_view kFormatSuffixes[] = {"_bucket", "_count", "_sum", "_created"};
constexpr std::string_view kTakenLabels[] = {"target",    "instance", "job", "pod",
                                             "namespace", "service",  "le",  "quantile"};

bool is_name(std::string_view text) {
  const auto letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; };
  const auto digit = [](char c) { return c >= '0' && c <= '9'; };
  return !text.empty() && letter(text.front()) &&
         std::all_of(text.begin(), text.end(), [&](char c) { return letter(c) || digit(c); });
}

}  // namespace

std::string check_json_metric_name(const std::string& name) {
  if (!is_name(name)) return "a metric's name has letters, digits and _ only, and begins with no digit";
  for (const std::string_view own : kOwnPrefixes)
    if (name.starts_with(own)) return "names that begin with " + std::string(own) + " are the program's own";
  for (const std::string_view own : kOwnSuffixes)
    if (name.ends_with(own)) return "names that end with " + std::string(own) + " are the program's own";
  for (const std::string_view taken : kFormatSuffixes)
    if (name.ends_with(taken)) return "the ending " + std::string(taken) + " is for parts of histograms";
  return {};
}

std::string check_counter_suffix(std::string_view name, bool counter) {
  const bool total = name.ends_with("_total");
  if (counter && !total) return "the name of a counter ends in _total";
  if (!counter && total) return "the ending _total is for counters; is it one?";
  return {};
}

std::string check_json_label_name(std::string_view name) {
  if (!is_name(name) || name.starts_with("__"))
    return "a label's name has letters, digits and _ only, begins with no digit and not with __";
  if (std::find(std::begin(kTakenLabels), std::end(kTakenLabels), name) != std::end(kTakenLabels))
    return "this label belongs to the scrape, to the collector or to the format; take another name";
  return {};
}

}  // namespace sidelight

// What a service may answer: the first line is the metric's pointer, the second one a label's, the rest the
// document.
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <set>
#include <string_view>

#include "collectors/http_json/json_reading.h"

namespace {

std::string_view take_line(std::string_view& text) {
  const std::size_t end = std::min(text.find('\n'), text.size());
  const std::string_view line = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  return line;
}

void check(bool good) {
  if (!good) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view text(reinterpret_cast<const char*>(data), size);
  sidelight::JsonMetric metric;
  metric.pointer = take_line(text);
  metric.labels_from = {{"label", std::string(take_line(text))}};
  const auto rule = sidelight::make_json_rule(metric);
  const auto document = sidelight::JsonDocument::parse(text);
  if (!rule || !document) return 0;
  const auto reading = document->read(*rule, sidelight::MetricKind::counter);
  std::set<sidelight::Labels> seen;
  for (const auto& series : reading.series) {
    check(series.value >= 0 && seen.insert(series.labels).second && series.labels[0].second.size() <= 200);
  }
  return 0;
}

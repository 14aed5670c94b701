// Log lines of any bytes through the rules of all presets: no crash, and label values that /metrics can show.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "agent/base/arena.h"
#include "agent/base/clock.h"
#include "agent/parse/parser.h"
#include "collectors/log_metrics/rules.h"

namespace {

class StoppedClock final : public sidelight::Clock {
 public:
  sidelight::MonoTime now() const override { return {}; }
  sidelight::WallNanos wall() const override { return 0; }
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace sidelight;
  static const LogMetricRules rules = [] {
    LogMetricsOptions options;
    options.presets = {"app", "mes", "gateway"};
    options.rules.push_back(
        {.name = "split_total", .value = "message", .labels = {{"m", "message|lower"}}, .split = true});
    return LogMetricRules::make(options, {"fuzz"}).value();
  }();
  static const auto parser = make_parser({}).value();
  static const StoppedClock clock;
  LogMetricTable table(rules.metrics(), 10, clock);
  Arena arena;
  Event event;
  event.text = arena.copy({reinterpret_cast<const char*>(data), size});
  Record record;
  parser->parse(event, 0, arena, record);
  record.event = &event;
  const DocConstants constants;
  EventView view(record, constants);
  rules.apply(0, view, table);
  for (const auto& family : table.snapshot())
    for (const auto& series : family.series)
      for (const auto& [label, value] : series.labels)
        if (value.empty() || value.size() > 200) std::abort();
  return 0;
}

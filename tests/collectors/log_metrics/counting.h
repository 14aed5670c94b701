// Lines through the real parser into rules, for tests.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "agent/base/arena.h"
#include "agent/parse/parser.h"
#include "collectors/log_metrics/rules.h"
#include "tests/fakes/fake_clock.h"

namespace sidelight {

class Counting {
 public:
  explicit Counting(LogMetricsOptions options, DocConstants constants = {}, std::size_t max_series = 1000)
      : rules_(LogMetricRules::make(options, {"input"}).value()),
        table(rules_.metrics(), max_series, clock),
        constants_(std::move(constants)),
        parser_(make_parser({}).value()) {}

  void line(const std::string& text) {
    Arena arena;
    Event event;
    event.text = arena.copy(text);
    Record record;
    parser_->parse(event, clock.wall(), arena, record);
    record.event = &event;
    EventView view(record, constants_);
    rules_.apply(0, view, table);
  }
  // "name{label=value,...} value" for each series, sorted; histograms as "count/sum".
  std::vector<std::string> series() const {
    std::vector<std::string> out;
    for (const SampleFamily& f : table.snapshot()) {
      for (const auto& s : f.series) {
        std::string text = f.name + "{";
        for (const auto& [k, v] : s.labels) text += (text.back() == '{' ? "" : ",") + k + "=" + v;
        text += "} ";
        if (f.kind == MetricKind::histogram) {
          std::uint64_t n = 0;
          for (const auto b : s.histogram.buckets) n += b;
          text += std::to_string(n) + "/" + std::to_string(s.histogram.sum).substr(0, 5);
        } else {
          text += std::to_string(s.value).substr(0, 4);
        }
        out.push_back(text);
      }
    }
    std::sort(out.begin(), out.end());
    return out;
  }

 private:
  LogMetricRules rules_;

 public:
  FakeClock clock;
  LogMetricTable table;

 private:
  DocConstants constants_;
  std::unique_ptr<Parser> parser_;
};

}  // namespace sidelight

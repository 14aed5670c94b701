#include "collectors/postgres/sample_list.h"

#include <gtest/gtest.h>

#include <limits>

namespace sidelight {
namespace {

constexpr MetricInfo kGauge{.name = "test_gauge", .max_series = 10, .help = "h"};
constexpr MetricInfo kCounter{.name = "test_total", .max_series = 10, .help = "h"};

Samples shown(const SampleList& list, SeriesCap& cap) {
  Samples out({}, cap, MonoTime());
  list.show(out);
  return out;
}

TEST(SampleList, ShowsTheSameAgain) {
  SampleList list;
  list.gauge(kGauge, 1, {{"a", "x"}});
  list.counter(kCounter, 2);
  list.advise({"table", "reason", "action"});
  list.warn("a warning");
  SeriesCap cap;
  for (int i = 0; i < 2; ++i) {
    const Samples out = shown(list, cap);
    ASSERT_EQ(out.families().size(), 2u);
    EXPECT_EQ(out.families()[0].series.at(0).value, 1);
    EXPECT_EQ(out.families()[1].series.at(0).value, 2);
    EXPECT_EQ(out.advice().size(), 1u);
    EXPECT_EQ(out.warnings(), std::vector<std::string>{"a warning"});
  }
}

TEST(SampleList, AddsWhatLooksTheSame) {
  SampleList list;
  list.gauge(kGauge, 0.25, {{"a", std::string(300, 'x') + "1"}});
  list.gauge(kGauge, 0.5, {{"a", std::string(300, 'x') + "2"}});  // cut to the same 200 bytes
  list.gauge(kGauge, 1, {{"a", "\xff"}});
  list.gauge(kGauge, 2, {{"a", "\xfe"}});  // both become U+FFFD
  SeriesCap cap;
  const Samples out = shown(list, cap);
  ASSERT_EQ(out.families().at(0).series.size(), 2u);
  EXPECT_EQ(out.families()[0].series[0].value, 0.75);
  EXPECT_EQ(out.families()[0].series[1].value, 3);
}

TEST(SampleList, LeavesOutWhatIsNoNumber) {
  SampleList list;
  list.gauge(kGauge, std::numeric_limits<double>::quiet_NaN());
  list.gauge(kGauge, std::numeric_limits<double>::infinity(), {{"a", "b"}});
  SeriesCap cap;
  EXPECT_TRUE(shown(list, cap).families().empty());
}

}  // namespace
}  // namespace sidelight

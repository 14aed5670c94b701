#include "collectors/framework/samples.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace sidelight {
namespace {

constexpr MetricInfo kTwo{.name = "depth", .max_series = 2, .help = "h"};

class SamplesTest : public testing::Test {
 protected:
  Samples fresh() { return Samples({{"target", "t"}}, cap_, now_); }
  MonoTime now_{};
  SeriesCap cap_;
};

TEST_F(SamplesTest, AddsTheConstantLabelsFirst) {
  Samples s = fresh();
  s.gauge(kTwo, 3, {{"queue", "a"}});
  ASSERT_EQ(s.families().size(), 1U);
  EXPECT_EQ(s.families()[0].series[0].labels, (Labels{{"target", "t"}, {"queue", "a"}}));
  EXPECT_EQ(s.families()[0].series[0].value, 3);
}

TEST_F(SamplesTest, LeavesOutWhatIsNoNumber) {
  Samples s = fresh();
  s.gauge(kTwo, std::nan(""), {{"queue", "a"}});
  s.counter(kTwo, std::numeric_limits<double>::infinity(), {{"queue", "a"}});
  EXPECT_TRUE(s.families().empty());
}

TEST_F(SamplesTest, DropsGaugesBeyondTheCapAndCountsThem) {
  Samples s = fresh();
  for (const char* q : {"a", "b", "c", "d"}) s.gauge(kTwo, 1, {{"queue", q}});
  EXPECT_EQ(s.families()[0].series.size(), 2U);
  EXPECT_EQ(s.dropped(), 2U);
}

TEST_F(SamplesTest, SumsCountersBeyondTheCapUnderOverflow) {
  Samples s = fresh();
  for (const char* q : {"a", "b", "c", "d"}) s.counter(kTwo, 5, {{"queue", q}});
  ASSERT_EQ(s.families()[0].series.size(), 3U);
  EXPECT_EQ(s.families()[0].series[2].labels.back().second, "overflow");
  EXPECT_EQ(s.families()[0].series[2].value, 10);
}

TEST_F(SamplesTest, MergesHistogramsBeyondTheCap) {
  Samples s = fresh();
  for (const char* q : {"a", "b", "c", "d"}) s.histogram(kTwo, {{1, 2}, {1, 0, 2}, 4.5}, {{"queue", q}});
  const HistogramValue& merged = s.families()[0].series[2].histogram;
  EXPECT_EQ(merged.buckets, (std::vector<std::uint64_t>{2, 0, 4}));
  EXPECT_EQ(merged.sum, 9);
}

TEST_F(SamplesTest, WhoWasAdmittedStaysAdmitted) {
  fresh().gauge(kTwo, 1, {{"queue", "a"}});
  fresh().gauge(kTwo, 1, {{"queue", "b"}});
  now_ += std::chrono::minutes(59);
  Samples s = fresh();
  s.gauge(kTwo, 1, {{"queue", "c"}});
  s.gauge(kTwo, 1, {{"queue", "a"}});
  ASSERT_EQ(s.families().size(), 1U);
  EXPECT_EQ(s.families()[0].series.size(), 1U);
  EXPECT_EQ(s.families()[0].series[0].labels.back().second, "a");
}

TEST_F(SamplesTest, NamesThatAreGoneForGoodMakeRoom) {
  for (int hour = 0; hour < 50; ++hour) {
    Samples s = fresh();
    s.gauge(kTwo, 1, {{"queue", "x" + std::to_string(hour)}});
    EXPECT_EQ(s.families().size(), 1U) << hour;
    now_ += SeriesCap::kForget;
  }
  EXPECT_LE(cap_.size(), 2U);
}

TEST_F(SamplesTest, HostileLabelsDoNotGrowTheMemory) {
  for (int i = 0; i < 100'000; ++i) {
    if (i % 1000 == 0) now_ += std::chrono::seconds(5);
    fresh().counter(kTwo, 1, {{"queue", std::to_string(i)}});
  }
  EXPECT_EQ(cap_.size(), 2U);
}

}  // namespace
}  // namespace sidelight

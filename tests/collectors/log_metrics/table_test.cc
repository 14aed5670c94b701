#include "collectors/log_metrics/table.h"

#include <gtest/gtest.h>

#include "tests/fakes/fake_clock.h"

namespace sidelight {
namespace {

class TableTest : public testing::Test {
 protected:
  FakeClock clock;
  LogMetricTable table{{{"c_total", "h", MetricKind::counter, {"l"}, {}},
                        {"g", "h", MetricKind::gauge, {"l"}, {}},
                        {"h_seconds", "h", MetricKind::histogram, {"l"}, {1, 2}}},
                       10,
                       clock};
  double total(std::size_t metric) const {
    double sum = 0;
    const auto families = table.snapshot();
    for (const auto& s : families[metric].series) sum += s.value;
    return sum;
  }
};

TEST_F(TableTest, HostileLabelsNeitherGrowItNorLoseACount) {
  for (int i = 0; i < 100'000; ++i) {
    if (i % 100 == 0) clock.advance(std::chrono::seconds(1));
    table.count(0, {std::to_string(i)}, 1);
    table.count(1, {std::to_string(i)}, 1);
  }
  EXPECT_LE(table.series(), 20U);
  EXPECT_EQ(total(0), 100'000);
  EXPECT_EQ(table.snapshot()[0].series.size(), 11U);
  EXPECT_GT(table.overflowed(), 199'000U);
}

TEST_F(TableTest, WhoWasAdmittedStaysWhileItIsUsed) {
  for (int minute = 0; minute < 300; ++minute) {
    table.count(0, {"mine"}, 1);
    for (int i = 0; i < 20; ++i) table.count(0, {std::to_string(minute * 20 + i)}, 1);
    clock.advance(std::chrono::minutes(1));
  }
  double mine = 0;
  const auto families = table.snapshot();
  for (const auto& s : families[0].series)
    if (s.labels[0].second == "mine") mine = s.value;
  EXPECT_EQ(mine, 300);
  EXPECT_LE(table.series(), 10U);
}

TEST_F(TableTest, IdleSetsMakeRoomWhenTheRoomIsNeeded) {
  for (int i = 0; i < 10; ++i) table.count(0, {std::to_string(i)}, 1);
  clock.advance(LogMetricTable::kIdle);
  EXPECT_EQ(table.series(), 10U);
  table.count(0, {"new"}, 1);
  EXPECT_EQ(table.series(), 1U);
}

TEST_F(TableTest, HistogramsPutAValueOnABoundIntoItsBucket) {
  for (const double v : {0.5, 1.0, 1.5, 2.0, 3.0}) table.count(2, {"a"}, v);
  const auto h = table.snapshot()[2].series[0].histogram;
  EXPECT_EQ(h.buckets, (std::vector<std::uint64_t>{2, 2, 1}));
  EXPECT_DOUBLE_EQ(h.sum, 8);
}

TEST_F(TableTest, EmptyValuesLeaveTheLabelOut) {
  table.count(0, {""}, 1);
  EXPECT_TRUE(table.snapshot()[0].series[0].labels.empty());
}

TEST_F(TableTest, LongValuesAreCut) {
  table.count(0, {std::string(100'000, 'x') + "1"}, 1);
  table.count(0, {std::string(100'000, 'x') + "2"}, 1);
  EXPECT_EQ(table.series(), 1U);
}

}  // namespace
}  // namespace sidelight

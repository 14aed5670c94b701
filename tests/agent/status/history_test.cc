#include "agent/status/history.h"

#include <gmock/gmock.h>

#include <cmath>

namespace sidelight {
namespace {

using std::chrono::seconds;

MonoTime at(int s) {
  return MonoTime(seconds(s));
}

std::vector<std::string> ids(const History& h) {
  std::vector<std::string> out;
  for (const auto& s : h.series()) out.push_back(s.id);
  return out;
}

TEST(History, KeepsWhatThePageDrawsAndNothingElse) {
  History h;
  h.sample(at(0),
           "# HELP mes_queue_depth d\n# TYPE mes_queue_depth gauge\nmes_queue_depth{queue=\"a b\"} 3\n"
           "mes_queue_ready{queue=\"a b\"} 3\napp_requests_total{status_class=\"2xx\"} 5\n"
           "app_requests_total{status_class=\"5xx\"} 2\nbroken\nmes_queue_depth{queue=\"c\"} x\n");
  EXPECT_THAT(ids(h), testing::ElementsAre("app_requests_5xx", "app_requests_total",
                                           "mes_queue_depth{queue=\"a b\"}"));
  EXPECT_EQ(h.series()[1].points, (std::vector<double>{7}));
}

TEST(History, IsDueEveryTenSeconds) {
  History h;
  EXPECT_TRUE(h.due(at(0)));
  h.sample(at(0), "");
  EXPECT_FALSE(h.due(at(9)));
  EXPECT_TRUE(h.due(at(10)));
}

TEST(History, HasGapsWhereASeriesWasAbsent) {
  History h;
  h.sample(at(0), "mes_queue_depth{q=\"a\"} 1\n");
  h.sample(at(10), "");
  h.sample(at(20), "mes_queue_depth{q=\"a\"} 3\nmes_queue_depth{q=\"late\"} 9\n");
  const auto series = h.series();
  ASSERT_EQ(series.size(), 2U);
  EXPECT_EQ(series[0].points[0], 1);
  EXPECT_TRUE(std::isnan(series[0].points[1]));
  EXPECT_EQ(series[0].points[2], 3);
  EXPECT_TRUE(std::isnan(series[1].points[0]));
  EXPECT_EQ(series[1].points[2], 9);
}

TEST(History, ForgetsWhatIsAQuarterOfAnHourOld) {
  History h;
  h.sample(at(0), "mes_queue_depth{q=\"gone\"} 1\n");
  for (int i = 1; i < 200; ++i) h.sample(at(i * 10), "mes_queue_depth{q=\"a\"} " + std::to_string(i) + "\n");
  const auto series = h.series();
  ASSERT_EQ(series.size(), 1U);
  EXPECT_EQ(series[0].points.size(), History::kPoints);
  EXPECT_EQ(series[0].points.front(), 110);
  EXPECT_EQ(series[0].points.back(), 199);
}

TEST(History, IsBounded) {
  History h;
  for (int i = 0; i < 50; ++i) {
    std::string page;
    for (int q = 0; q < 1000; ++q) page += "mes_queue_depth{q=\"" + std::to_string(i * 1000 + q) + "\"} 1\n";
    h.sample(at(i * 10), page);
  }
  EXPECT_LE(h.series().size(), History::kMaxSeries);
}

}  // namespace
}  // namespace sidelight

#include "collectors/framework/render.h"

#include <gtest/gtest.h>

namespace sidelight {
namespace {

TEST(Render, WritesTheTextFormatSortedByLabels) {
  SampleFamily f{"mes_queue_depth", "Messages.", MetricKind::gauge, {}};
  f.series.push_back({{{"queue", "b\"\n"}}, 2.5, {}});
  f.series.push_back({{{"queue", "a\xff"}}, 1, {}});
  const auto rendered = render_families({f});
  ASSERT_EQ(rendered.size(), 1U);
  EXPECT_EQ(rendered[0]->header, "# HELP mes_queue_depth Messages.\n# TYPE mes_queue_depth gauge\n");
  EXPECT_EQ(rendered[0]->lines,
            "mes_queue_depth{queue=\"a\xEF\xBF\xBD\"} 1\nmes_queue_depth{queue=\"b\\\"\\n\"} 2.5\n");
}

TEST(Render, WritesCumulativeBuckets) {
  SampleFamily f{"d_seconds", "D.", MetricKind::histogram, {}};
  f.series.push_back({{}, 0, {{0.5, 1}, {1, 2, 3}, 7.5}});
  EXPECT_EQ(
      render_families({f})[0]->lines,
      "d_seconds_count 6\nd_seconds_sum 7.5\nd_seconds_bucket{le=\"0.5\"} 1\nd_seconds_bucket{le=\"1\"} 3\n"
      "d_seconds_bucket{le=\"+Inf\"} 6\n");
}

TEST(Render, LeavesOutEmptyFamilies) {
  EXPECT_TRUE(render_families({{"x", "X.", MetricKind::gauge, {}}}).empty());
}

}  // namespace
}  // namespace sidelight

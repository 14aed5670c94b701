#include "collectors/http_json/metric_names.h"

#include <gtest/gtest.h>

namespace sidelight {
namespace {

TEST(MetricNames, FollowTheRulesOfPrometheus) {
  for (const char* good : {"mes_workers", "mes_orders_total", "_x", "A1"})
    EXPECT_EQ(check_json_metric_name(good), "") << good;
  for (const char* bad : {"", "1a", "a-b", "a b", "a:b", "\xd1\x8f", "a\n"})
    EXPECT_NE(check_json_metric_name(bad), "") << bad;
}

TEST(MetricNames, LeaveTheProgramsOwnAlone) {
  for (const char* bad : {"sidelight_x", "mes_cache_hits_total", "mes_queue_depth",
                          "process_cpu_seconds_total", "x_objective", "x_bucket", "x_count"})
    EXPECT_NE(check_json_metric_name(bad), "") << bad;
}

TEST(MetricNames, SayWhetherItIsACounter) {
  EXPECT_EQ(check_counter_suffix("a_total", true), "");
  EXPECT_NE(check_counter_suffix("a_total", false), "");
  EXPECT_NE(check_counter_suffix("a", true), "");
  EXPECT_EQ(check_counter_suffix("a", false), "");
}

TEST(LabelNames, LeaveThoseOfTheScrapeAlone) {
  EXPECT_EQ(check_json_label_name("status"), "");
  for (const char* bad :
       {"", "a-b", "__name__", "instance", "job", "pod", "namespace", "service", "target", "le"})
    EXPECT_NE(check_json_label_name(bad), "") << bad;
}

}  // namespace
}  // namespace sidelight

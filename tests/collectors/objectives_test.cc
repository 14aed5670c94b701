#include "collectors/objectives.h"

#include <gtest/gtest.h>

namespace sidelight {
namespace {

TEST(Objectives, ShowWhatIsSetAndNothingElse) {
  Objectives objectives({{"mes_queue_drain_seconds", "300"}, {"mes_cache_hit_ratio", "0.6"}});
  std::vector<std::shared_ptr<const RenderedFamily>> families;
  objectives.families(families);
  std::string lines;
  for (const auto& f : families) lines += f->lines;
  EXPECT_EQ(lines, "mes_cache_hit_ratio_objective 0.6\nmes_queue_drain_seconds_objective 300\n");
}

TEST(Objectives, AreNumbers) {
  const auto check = [](const char* text) { return check_objective("mes_queue_drain_seconds", text); };
  for (const char* good : {"0.5", "1e9"}) EXPECT_EQ(check(good), "") << good;
  for (const char* bad : {"", "5m", "nan", "inf", "1 ", "0x10", "0", "-1"}) EXPECT_NE(check(bad), "") << bad;
}

TEST(Objectives, AreWhatTheRulesCanSeeCrossed) {
  EXPECT_EQ(check_objective("gateway_request_duration_seconds", "9.9"), "");
  EXPECT_NE(check_objective("gateway_request_duration_seconds", "10"), "");
  EXPECT_EQ(check_objective("mes_price_calculation_duration_seconds", "299"), "");
  EXPECT_NE(check_objective("mes_price_calculation_duration_seconds", "300"), "");
  EXPECT_EQ(check_objective("gateway_availability_ratio", "0.999"), "");
  EXPECT_NE(check_objective("gateway_availability_ratio", "1"), "");
}

}  // namespace
}  // namespace sidelight

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
  for (const char* good : {"0", "0.5", "1e9", "-1"}) EXPECT_EQ(check_objective_value(good), "") << good;
  for (const char* bad : {"", "5m", "nan", "inf", "1 ", "0x10"})
    EXPECT_NE(check_objective_value(bad), "") << bad;
}

}  // namespace
}  // namespace sidelight

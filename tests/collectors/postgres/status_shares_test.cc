#include "collectors/postgres/status_shares.h"

#include <gtest/gtest.h>

namespace sidelight {
namespace {

ColumnStatistics statistics() {
  return {.null_fraction = 0.1,
          .distinct = 4,
          .common_count = 2,
          .common_share = 0.8,
          .least_common = 0.2,
          .values = {{"closed", 0.6}, {"new", 0.2}}};
}

TEST(StatusShares, AMostCommonValueHasItsFrequency) {
  EXPECT_DOUBLE_EQ(value_share(statistics(), 1000, "new"), 0.2);
}

TEST(StatusShares, OthersShareWhatIsLeftEqually) {
  // 1 - 0.1 null - 0.8 common = 0.1 for two others.
  EXPECT_NEAR(value_share(statistics(), 1000, "priced"), 0.05, 1e-12);
}

TEST(StatusShares, AValueBesideACompleteListHasNoRows) {
  ColumnStatistics s = statistics();
  s.distinct = 2;
  EXPECT_EQ(value_share(s, 1000, "priced"), 0);
  s.distinct = 4;
  s.common_share = 0.9;  // nothing is left over
  EXPECT_EQ(value_share(s, 1000, "priced"), 0);
}

TEST(StatusShares, NoRarerValueIsMoreCommonThanTheLeastCommonOne) {
  ColumnStatistics s = statistics();
  s.null_fraction = 0;
  s.common_share = 0.3;
  s.least_common = 0.01;
  s.distinct = 3;
  EXPECT_DOUBLE_EQ(value_share(s, 1000, "priced"), 0.01);
}

TEST(StatusShares, ManyDistinctValuesAreAShareOfTheRows) {
  const ColumnStatistics s{.null_fraction = 0,
                           .distinct = -0.5,
                           .common_count = 0,
                           .common_share = 0,
                           .least_common = 1,
                           .values = {}};
  EXPECT_DOUBLE_EQ(value_share(s, 200'000, "x"), 1e-5);
  EXPECT_EQ(value_share(s, 0, "x"), 0);
}

TEST(StatusShares, HotSharesAddUpToOneAtMost) {
  EXPECT_NEAR(hot_share(statistics(), 1000, {"new", "priced"}), 0.25, 1e-12);
  EXPECT_EQ(hot_share(statistics(), 1000, {}), 0);
  ColumnStatistics s = statistics();
  s.values = {{"a", 0.7}, {"b", 0.7}};
  EXPECT_EQ(hot_share(s, 1000, {"a", "b"}), 1);
}

}  // namespace
}  // namespace sidelight

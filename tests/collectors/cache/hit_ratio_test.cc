#include <gtest/gtest.h>

#include "collectors/cache/cache_metrics.h"

namespace sidelight {
namespace {

MonoTime at(int seconds) {
  return MonoTime(std::chrono::seconds(1000 + seconds));
}

TEST(HitRatio, IsThatOfTheLookUpsBetweenSamples) {
  HitRatio ratio;
  ratio.add(at(0), "a", 1'000'000, 5);
  EXPECT_FALSE(ratio.value());
  ratio.add(at(5), "a", 1'000'090, 15);
  EXPECT_DOUBLE_EQ(ratio.value().value_or(-1), 0.9);
}

TEST(HitRatio, IsAbsentWithoutLookUps) {
  HitRatio ratio;
  ratio.add(at(0), "a", 10, 10);
  ratio.add(at(5), "a", 10, 10);
  EXPECT_FALSE(ratio.value());
}

TEST(HitRatio, ForgetsWhatIsOlderThanTheWindow) {
  HitRatio ratio;
  ratio.add(at(0), "a", 0, 0);
  for (int t = 5; t <= 600; t += 5) ratio.add(at(t), "a", t <= 300 ? t : 300, t <= 300 ? 0 : t - 300);
  EXPECT_LT(ratio.value().value_or(-1), 0.02);
}

TEST(HitRatio, BeginsAgainWithAnotherProcess) {
  HitRatio ratio;
  ratio.add(at(0), "a", 100, 100);
  ratio.add(at(5), "a", 200, 100);
  ratio.add(at(10), "b", 50'000'000, 3);  // another server's life: no spike
  EXPECT_FALSE(ratio.value());
  ratio.add(at(15), "b", 50'000'025, 78);
  EXPECT_DOUBLE_EQ(ratio.value().value_or(-1), 0.25);
}

TEST(HitRatio, TakesCountersThatWereResetAsBegunAtZero) {
  HitRatio ratio;
  ratio.add(at(0), "a", 1000, 1000);
  ratio.add(at(5), "a", 30, 10);
  EXPECT_DOUBLE_EQ(ratio.value().value_or(-1), 0.75);
}

}  // namespace
}  // namespace sidelight

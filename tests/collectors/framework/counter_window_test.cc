#include "collectors/framework/counter_window.h"

#include <gtest/gtest.h>

namespace sidelight {
namespace {

using std::chrono::seconds;

MonoTime at(int s) {
  return MonoTime(seconds(s));
}

TEST(CounterWindow, SaysNothingOfOnePoint) {
  CounterWindow w(seconds(300));
  w.add(at(0), 100);
  EXPECT_FALSE(w.change());
}

TEST(CounterWindow, LooksBackOverTheWindowOnly) {
  CounterWindow w(seconds(300));
  for (int t = 0; t <= 3000; t += 5) w.add(at(t), t < 1500 ? 0 : (t - 1500) * 2.0);
  ASSERT_TRUE(w.per_second());
  EXPECT_DOUBLE_EQ(*w.per_second(), 2);
  EXPECT_GE(w.change()->seconds, 300);
  EXPECT_LE(w.change()->seconds, 310);
}

TEST(CounterWindow, TakesAFallForARestartFromZero) {
  CounterWindow w(seconds(300));
  w.add(at(0), 1000);
  w.add(at(10), 1010);
  w.add(at(20), 4);
  EXPECT_DOUBLE_EQ(w.change()->amount, 14);
}

TEST(CounterWindow, IsBoundedAtAnyInterval) {
  CounterWindow w(seconds(300));
  for (int t = 0; t < 100'000; ++t) w.add(MonoTime(std::chrono::milliseconds(t * 10)), t);
  EXPECT_NEAR(*w.per_second(), 100, 1);
  EXPECT_NEAR(w.change()->seconds, 300, 10);
}

TEST(CounterWindow, KeepsTheLongestSpanThatALongIntervalGives) {
  CounterWindow w(seconds(300));
  for (int t = 0; t <= 6000; t += 600) w.add(at(t), t);
  EXPECT_DOUBLE_EQ(w.change()->seconds, 600);
  EXPECT_DOUBLE_EQ(*w.per_second(), 1);
}

}  // namespace
}  // namespace sidelight

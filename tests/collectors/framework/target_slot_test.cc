#include "collectors/framework/target_slot.h"

#include <gtest/gtest.h>

namespace sidelight {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

class TargetSlotTest : public testing::Test {
 protected:
  std::shared_ptr<const TargetValues> values() const {
    return std::make_shared<TargetValues>(TargetValues{now, {}, {}, {}});
  }
  void succeed(milliseconds took = milliseconds(10)) {
    slot.begin(now);
    auto v = values();
    now += took;
    slot.finish(now, 1000, std::move(v), "");
  }
  void fail(milliseconds took = milliseconds(10)) {
    slot.begin(now);
    now += took;
    slot.finish(now, 1000, nullptr, "refused");
  }
  double until_next() const { return std::chrono::duration<double>(slot.next_run() - now).count(); }

  MonoTime now{seconds(100)};
  TargetSlot slot{{"t", seconds(5), seconds(4)}, now, 1};
};

TEST_F(TargetSlotTest, SaysNothingBeforeTheFirstRun) {
  EXPECT_FALSE(slot.view(now).up);
  EXPECT_EQ(slot.next_run(), now);
}

TEST_F(TargetSlotTest, RunsAnIntervalApartWithAFewPercentOfJitter) {
  for (int i = 0; i < 100; ++i) {
    succeed();
    EXPECT_GE(until_next(), 4.73);
    EXPECT_LE(until_next(), 5.25);
    now = slot.next_run();
  }
}

TEST_F(TargetSlotTest, IsDownAtOnceAndKeepsItsValuesForThreeIntervals) {
  succeed();
  now = slot.next_run();
  fail();
  EXPECT_EQ(slot.view(now).up, false);
  EXPECT_TRUE(slot.view(now).stale);
  EXPECT_TRUE(slot.view(now).values);
  EXPECT_EQ(slot.view(now).error, "refused");
  EXPECT_TRUE(slot.view(MonoTime(seconds(115))).values);
  EXPECT_FALSE(slot.view(MonoTime(milliseconds(115'001))).values);
  EXPECT_TRUE(slot.view(MonoTime(seconds(5000))).last_success);
}

TEST_F(TargetSlotTest, BacksOffUpToAMinute) {
  double previous = 0;
  for (int i = 0; i < 10; ++i) {
    fail();
    EXPECT_GE(until_next(), previous * 0.9);
    EXPECT_LE(until_next(), 63.1);
    previous = until_next();
    if (i == 0) {
      EXPECT_LE(previous, 5.3);
    } else {
      EXPECT_GE(previous, 9.4);
    }
    now = slot.next_run();
  }
  EXPECT_GE(previous, 56);
  succeed();
  EXPECT_LE(until_next(), 5.3);
}

TEST_F(TargetSlotTest, IsDownWhileARunHangs) {
  succeed();
  now = slot.next_run();
  slot.begin(now);
  EXPECT_EQ(slot.view(now + seconds(4)).up, true);
  const TargetView late = slot.view(now + milliseconds(4001));
  EXPECT_EQ(late.up, false);
  EXPECT_EQ(late.timeouts, 1U);
  EXPECT_EQ(late.error, "no answer within the timeout of 4000 ms");
  now += seconds(100);
  slot.finish(now, 1000, values(), "");
  EXPECT_EQ(slot.view(now).timeouts, 1U) << "counted once";
  EXPECT_EQ(slot.view(now).successes, 1U) << "what comes late is not taken";
  EXPECT_FALSE(slot.view(now).values);
}

TEST_F(TargetSlotTest, SaysThatItWaitsWhenNobodyRunsIt) {
  succeed();
  EXPECT_EQ(slot.view(slot.next_run() + seconds(5)).up, true);
  EXPECT_EQ(slot.view(slot.next_run() + milliseconds(5001)).up, false);
}

TEST_F(TargetSlotTest, ASlowRunIsNotFollowedOnItsHeels) {
  TargetSlot slow({"t", seconds(1), seconds(4)}, now, 1);
  slow.begin(now);
  slow.finish(now + seconds(3), 0, values(), "");
  EXPECT_GE(slow.next_run(), now + seconds(3) + milliseconds(100));
}

}  // namespace
}  // namespace sidelight

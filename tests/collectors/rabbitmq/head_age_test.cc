#include "collectors/rabbitmq/head_age.h"

#include <gtest/gtest.h>

namespace sidelight {
namespace {

using std::chrono::hours;
using std::chrono::seconds;

double seconds_of(std::optional<Nanos> age) {
  return age ? std::chrono::duration<double>(*age).count() : -1;
}

class HeadAgeTest : public testing::Test {
 protected:
  void see(double published, double depth) { ages.observe(now += seconds(5), published, depth); }
  double age(double ready) const { return seconds_of(ages.age(now, ready)); }
  HeadAge ages;
  MonoTime now{};
};

TEST_F(HeadAgeTest, NothingIsReadyOrKnown) {
  EXPECT_FALSE(ages.age(now, 5));
  see(10, 0);
  EXPECT_FALSE(ages.age(now, 0));
}

TEST_F(HeadAgeTest, IsTheTimeSinceTheMessageWasPublished) {
  for (int i = 0; i < 10; ++i) see(100, 0);
  see(101, 1);
  EXPECT_NEAR(age(1), 2.5, 2.5);  // some time in the last five seconds
  for (int i = 0; i < 12; ++i) see(101, 1);
  EXPECT_NEAR(age(1), 62.5, 2.5);
}

TEST_F(HeadAgeTest, FollowsTheHead) {
  double published = 0;
  see(published, 0);
  for (int i = 1; i <= 100; ++i) see(published += 10, 10.0 * i);  // two messages a second
  EXPECT_NEAR(age(1000), 500, 1);
  EXPECT_NEAR(age(500), 250, 1);
  EXPECT_NEAR(age(1), 0, 1);
}

TEST_F(HeadAgeTest, AMessageFromBeforeTheHistoryIsAtLeastAsOldAsThat) {
  see(500, 50);
  EXPECT_EQ(age(50), 0);
  for (int i = 0; i < 12; ++i) see(500, 50);
  EXPECT_EQ(age(50), 60);
}

TEST_F(HeadAgeTest, ABrokerThatBeganAgainDoesNotMakeMessagesYounger) {
  see(500, 0);
  for (int i = 1; i <= 20; ++i) see(500 + i, i);
  see(0, 20);  // it restarted and kept the messages
  see(3, 23);
  EXPECT_NEAR(age(23), 110, 3);
  EXPECT_NEAR(age(3), 2.5, 2.5);
}

TEST_F(HeadAgeTest, AnEmptyQueueNeedsNoHistory) {
  double published = 0;
  for (int i = 0; i < 10'000; ++i) see(published += 100, 5);
  EXPECT_LE(ages.points(), 20u);
  for (int i = 0; i < 10'000; ++i) see(published, 0);
  EXPECT_LE(ages.points(), 3u);
}

TEST_F(HeadAgeTest, ADayOfBacklogKeepsToItsBoundAndToThreePercent) {
  double published = 0;
  see(published, 0);
  const MonoTime begin = now;
  int n = 0;
  while (now - begin < hours(24)) {
    published += ++n % 7;  // 0 to 6 messages in five seconds
    see(published, published);
    ASSERT_LE(ages.points(), HeadAge::kMaxPoints);
  }
  EXPECT_NEAR(age(published), 86400, 5);
  for (int share = 1; share <= 10; ++share) {
    const double truth = 8640.0 * share;
    EXPECT_NEAR(age(published * share / 10), truth, truth * 0.03 + 5) << share;
  }
}

}  // namespace
}  // namespace sidelight

#include "collectors/rabbitmq/queue_history.h"

#include <gtest/gtest.h>

namespace sidelight {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;

class QueueHistoryTest : public testing::Test {
 protected:
  void see(double ready, double unacked, std::optional<double> published = {},
           std::optional<double> acked = {}) {
    now += seconds(5);
    history.observe({now, ready, unacked, published, acked});
  }
  // Ten minutes of a queue that gets `in` and loses `out` messages a second.
  void flow(double in, double out, double& depth, double& published, double& acked) {
    for (int i = 0; i < 120; ++i) {
      published += 5 * in;
      acked += 5 * out;
      depth += 5 * (in - out);
      see(depth, 0, published, acked);
    }
  }
  QueueHistory history;
  MonoTime now{};
};

TEST_F(QueueHistoryTest, KnowsNothingAtFirst) {
  see(5, 5, 100, 90);
  EXPECT_FALSE(history.growth_per_second());
  EXPECT_FALSE(history.drain_seconds());
  EXPECT_FALSE(history.stalled());
}

TEST_F(QueueHistoryTest, GrowthAndDrainOfASteadyFlow) {
  double depth = 1000, published = 5000, acked = 4000;
  flow(10, 8, depth, published, acked);
  EXPECT_NEAR(history.growth_per_second().value(), 2, 1e-9);
  EXPECT_NEAR(history.drain_seconds().value(), depth / 8, 1e-6);
  EXPECT_EQ(history.stalled(), false);
  flow(0, 2, depth, published, acked);
  EXPECT_NEAR(history.growth_per_second().value(), -2, 1e-9);
  EXPECT_NEAR(history.drain_seconds().value(), depth / 2, 1e-6);
}

TEST_F(QueueHistoryTest, DrainIsAbsentWhenNothingIsAcknowledged) {
  double depth = 1000, published = 5000, acked = 4000;
  flow(10, 0, depth, published, acked);
  EXPECT_FALSE(history.drain_seconds());
  EXPECT_EQ(history.stalled(), true);
  EXPECT_NEAR(history.growth_per_second().value(), 10, 1e-9);
}

TEST_F(QueueHistoryTest, AnEmptyQueueDrainsAtOnceAndStandsNotStill) {
  see(0, 0, 10, 10);
  see(0, 0, 11, 11);
  EXPECT_EQ(history.drain_seconds(), 0);
  EXPECT_EQ(history.stalled(), false);
}

TEST_F(QueueHistoryTest, StallsFiveMinutesAfterTheLastAcknowledgement) {
  see(10, 0, 0, 0);
  see(9, 0, 0, 1);
  const MonoTime last = now;
  while (now - last < minutes(5) - seconds(5)) {
    see(9, 0, 0, 1);
    EXPECT_EQ(history.stalled(), false);
  }
  see(9, 0, 0, 1);
  EXPECT_EQ(history.stalled(), true);
  see(8, 0, 0, 2);
  EXPECT_EQ(history.stalled(), false);
}

TEST_F(QueueHistoryTest, AMessageInAQueueThatWasIdleForLongIsNoStandstill) {
  for (int i = 0; i < 100; ++i) see(0, 0, 0, 0);
  see(1, 0, 1, 0);
  EXPECT_EQ(history.stalled(), false);
}

TEST_F(QueueHistoryTest, WhatWasBeforeTheFirstLookIsNotKnown) {
  for (int i = 0; i < 60; ++i) {
    see(5, 0, 10, 5);
    EXPECT_FALSE(history.stalled()) << i;
  }
  see(5, 0, 10, 5);
  EXPECT_EQ(history.stalled(), true);
}

TEST_F(QueueHistoryTest, WithoutCountersOnlyGrowthIsKnown) {
  for (int i = 0; i < 100; ++i) see(i, 0);
  EXPECT_TRUE(history.growth_per_second());
  EXPECT_FALSE(history.drain_seconds());
  EXPECT_FALSE(history.stalled());
  EXPECT_FALSE(history.head_age_seconds(now));
  EXPECT_FALSE(history.arrived());
}

TEST_F(QueueHistoryTest, CountersThatGoAwayTakeTheirValuesWithThem) {
  double depth = 1000, published = 5000, acked = 4000;
  flow(10, 0, depth, published, acked);
  see(depth, 0);
  EXPECT_FALSE(history.drain_seconds());
  EXPECT_FALSE(history.stalled());
  EXPECT_FALSE(history.head_age_seconds(now));
  see(depth, 0, 0, 0);
  EXPECT_FALSE(history.stalled());
}

TEST_F(QueueHistoryTest, ABrokerThatBeganAgainIsNoSpike) {
  double depth = 1000, published = 5000, acked = 4000;
  flow(10, 8, depth, published, acked);
  published = acked = 0;
  flow(10, 8, depth, published, acked);
  EXPECT_NEAR(history.drain_seconds().value(), depth / 8, 1e-6);
}

TEST_F(QueueHistoryTest, TheAgeComesFromTheHistoryOfPublishes) {
  double published = 0;
  for (int i = 0; i < 100; ++i) {
    published += 50;
    see(0, 0, published, published);
  }
  for (int i = 1; i <= 60; ++i) {
    published += 50;
    see(50.0 * i, 0, published, published - 50.0 * i);
  }
  EXPECT_NEAR(history.head_age_seconds(now).value(), 300, 1);
}

}  // namespace
}  // namespace sidelight

#include "collectors/rabbitmq/letter_counter.h"

#include <gtest/gtest.h>

namespace sidelight {
namespace {

using std::chrono::seconds;

class LetterCounterTest : public testing::Test {
 protected:
  // `runs` observations, five seconds apart.
  double see(double depth, double acked, int runs = 4) {
    for (int i = 0; i < runs; ++i) {
      counter.observe(now, depth, acked);
      now += seconds(5);
    }
    return counter.total();
  }
  LetterCounter counter;
  MonoTime now{};
};

TEST_F(LetterCounterTest, WhatWasThereIsNotCounted) {
  EXPECT_EQ(see(100, 7), 0);
}

TEST_F(LetterCounterTest, CountsWhatComes) {
  see(0, 0);
  EXPECT_EQ(see(3, 0), 3);
  EXPECT_EQ(see(5, 0), 5);
}

TEST_F(LetterCounterTest, CountsWhatComesAndIsConsumed) {
  see(0, 0);
  EXPECT_EQ(see(0, 4), 4);
  EXPECT_EQ(see(1, 6), 7);
}

TEST_F(LetterCounterTest, ConsumingIsNoArrivalWhicheverIsSeenFirst) {
  see(10, 0);
  see(4, 0, 1);  // the depth fell, the acknowledgements are seen later
  EXPECT_EQ(see(4, 6), 0);
  see(4, 10, 1);  // the acknowledgements are seen first
  EXPECT_EQ(see(0, 10), 0);
  EXPECT_EQ(see(2, 10), 2);
}

TEST_F(LetterCounterTest, APurgeCostsNothingOnceItIsKnownForOne) {
  see(100, 0);
  EXPECT_EQ(see(0, 0, 10), 0);
  EXPECT_EQ(see(100, 0), 100);
}

TEST_F(LetterCounterTest, ABrokerThatBeganAgainCountsFromZero) {
  see(2, 50);
  EXPECT_EQ(see(2, 0), 0);
  EXPECT_EQ(see(2, 3), 3);
}

}  // namespace
}  // namespace sidelight

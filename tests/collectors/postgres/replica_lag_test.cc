#include "collectors/postgres/replica_lag.h"

#include <gtest/gtest.h>

namespace sidelight {
namespace {

ReplicaPosition streaming(double now, double received, double replayed, double last_commit) {
  return {.now = now,
          .received = received,
          .replayed = replayed,
          .announced = received,
          .last_commit = last_commit,
          .streaming = true};
}

TEST(ReplicaLag, IsNothingWhileAllThatCameIsReplayed) {
  ReplicaLagMeter meter;
  const auto lag = meter.measure(streaming(10'000, 500, 500, 100));  // the primary rests since long
  EXPECT_EQ(lag.seconds, 0);
  EXPECT_EQ(lag.bytes, 0);
}

TEST(ReplicaLag, IsTheAgeOfTheLastReplayedCommit) {
  ReplicaLagMeter meter;
  const auto lag = meter.measure(streaming(100, 900, 500, 70));
  EXPECT_EQ(lag.seconds, 30);
  EXPECT_EQ(lag.bytes, 400);
}

TEST(ReplicaLag, IsNoLongerThanSinceItHadEverything) {
  ReplicaLagMeter meter;
  meter.measure(streaming(10'000, 500, 500, 100));
  EXPECT_EQ(meter.measure(streaming(10'005, 600, 500, 100)).seconds, 5);
  EXPECT_EQ(meter.measure(streaming(10'010, 700, 600, 10'006)).seconds, 4);  // a newer commit is replayed
}

TEST(ReplicaLag, GrowsWithoutAStream) {
  ReplicaLagMeter meter;
  meter.measure(streaming(1000, 500, 500, 100));
  ReplicaPosition lost = streaming(1060, 500, 500, 100);
  lost.streaming = false;
  lost.announced.reset();
  EXPECT_EQ(meter.measure(lost).seconds, 60);
  EXPECT_EQ(meter.measure(lost).bytes, 0);
}

TEST(ReplicaLag, CountsWhatThePrimaryAnnouncedButDidNotSend) {
  ReplicaLagMeter meter;
  ReplicaPosition p = streaming(100, 500, 500, 90);
  p.announced = 800;
  EXPECT_EQ(meter.measure(p).bytes, 300);
  EXPECT_EQ(meter.measure(p).seconds, 10);
}

TEST(ReplicaLag, IsNeverNegative) {
  ReplicaLagMeter meter;
  // The stream began again at the start of a segment; the primary's clock is ahead.
  ReplicaPosition p = streaming(100, 400, 500, 103);
  p.announced.reset();
  EXPECT_EQ(meter.measure(p).bytes, 0);
  p.received = 600;
  EXPECT_EQ(meter.measure(p).seconds, 0);
}

TEST(ReplicaLag, IsAbsentWhereNothingIsKnown) {
  ReplicaLagMeter meter;
  const auto lag = meter.measure({.now = 100});
  EXPECT_FALSE(lag.seconds);
  EXPECT_FALSE(lag.bytes);
  // From an archive, without a stream: the commit's age is all there is.
  const auto archive = meter.measure({.now = 100, .replayed = 500, .last_commit = 40});
  EXPECT_EQ(archive.seconds, 60);
  EXPECT_FALSE(archive.bytes);
}

}  // namespace
}  // namespace sidelight

#include "agent/pipeline/stream.h"

#include <gtest/gtest.h>

#include <vector>

namespace sidelight {
namespace {

constexpr std::int64_t kSecond = 1'000'000'000;
constexpr std::int64_t kHour = 3600 * kSecond;
constexpr std::int64_t kBegin = 1'700'000'000 * kSecond;

TEST(Stream, LinesReadWithinASecondShareTheirTime) {
  Stream s;
  EXPECT_EQ(s.fallback_time(0, kBegin), kBegin);
  EXPECT_EQ(s.fallback_time(10, kBegin + kSecond / 2), kBegin);
  EXPECT_EQ(s.fallback_time(20, kBegin + 2 * kSecond), kBegin + 2 * kSecond);
  EXPECT_EQ(s.fallback_time(10, kBegin + 3 * kSecond), kBegin);
  EXPECT_EQ(s.time_marks.size(), 2u);
}

TEST(Stream, AReplayGivesTheSameTimes) {
  Stream s;
  std::vector<std::int64_t> times;
  for (int i = 0; i < 50; ++i)
    times.push_back(s.fallback_time(static_cast<std::uint64_t>(i), kBegin + i * kSecond));
  s.replay_until = 50;
  for (int i = 0; i < 50; ++i)
    EXPECT_EQ(s.fallback_time(static_cast<std::uint64_t>(i), kBegin + kHour),
              times[static_cast<std::size_t>(i)]);
}

// A document that waits for three days keeps the position where it is; lines behind it go on.
TEST(Stream, MarksStayFewAndKeepTheHour) {
  Stream s;
  std::vector<std::int64_t> times;
  for (int i = 0; i < 3 * 86400; ++i) {
    const std::int64_t now = kBegin + i * kSecond;
    times.push_back(s.fallback_time(static_cast<std::uint64_t>(i), now));
    ASSERT_EQ(times.back(), now);
    ASSERT_LT(s.time_marks.size(), 130u);
  }
  s.replay_until = times.size();
  for (std::size_t i = 0; i < times.size(); ++i) {
    const auto again = s.fallback_time(i, kBegin + 4 * 24 * kHour);
    ASSERT_LE(again, times[i]);
    ASSERT_EQ(again / kHour, times[i] / kHour) << "a dated index stays the same";
    if (i + 32 >= times.size()) {
      ASSERT_EQ(again, times[i]);
    }
  }
}

MonoTime at(int second) {
  return MonoTime(std::chrono::seconds(second));
}

TEST(Stream, BytesAreAsOldAsTheSizeThatTheyCameWith) {
  Stream s;
  for (int second = 1; second <= 5; ++second)
    s.note_size(static_cast<std::uint64_t>(second) * 100, at(second));
  s.oldest_unsettled = at(100);
  EXPECT_EQ(s.behind_since(at(10)), at(1));
  s.committed.position.lane = {150, 150};
  s.trim();
  EXPECT_EQ(s.behind_since(at(10)), at(2));
  s.committed.position.lane = {400, 400};
  s.trim();
  EXPECT_EQ(s.behind_since(at(10)), at(5));
  s.committed.position.lane = {500, 500};
  s.trim();
  EXPECT_EQ(s.behind_since(at(10)), at(10)) << "nothing is known of what came since";
  EXPECT_TRUE(s.growth.empty());
}

TEST(Stream, ReadBytesAreAtLeastAsOldAsTheirReading) {
  Stream s;
  s.note_size(100, at(8));
  s.oldest_unsettled = at(7);
  EXPECT_EQ(s.behind_since(at(10)), at(7));
}

TEST(Stream, WhatIsWrittenWhereBytesWereLostIsNotAsOldAsThey) {
  Stream s;
  s.oldest_unsettled = at(100);
  for (int second = 1; second <= 3; ++second)
    s.note_size(static_cast<std::uint64_t>(second) * 100, at(second));
  s.note_size(120, at(4));
  s.note_size(300, at(5));
  s.committed.position.lane = {120, 120};
  s.trim();
  EXPECT_EQ(s.behind_since(at(10)), at(5));
}

TEST(Stream, TheAgesOfADaysBacklogAreFewAndNearlyRight) {
  Stream s;
  constexpr int kDay = 24 * 3600;
  s.oldest_unsettled = at(2 * kDay);
  for (int second = 1; second <= kDay; ++second) s.note_size(static_cast<std::uint64_t>(second), at(second));
  EXPECT_LE(s.growth.size(), 64u);
  for (int settled = 0; settled < kDay; settled += 1000) {
    s.committed.position.lane = {static_cast<std::uint64_t>(settled), static_cast<std::uint64_t>(settled)};
    s.trim();
    const MonoTime since = s.behind_since(at(kDay));
    EXPECT_LE(since, at(settled + 1)) << "never too young";
    EXPECT_GE(since, at(settled + 1 - kDay / 16)) << settled;
  }
}

}  // namespace
}  // namespace sidelight

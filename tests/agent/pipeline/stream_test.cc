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

}  // namespace
}  // namespace sidelight

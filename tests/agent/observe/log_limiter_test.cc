#include "agent/observe/log_limiter.h"

#include <gtest/gtest.h>

namespace sidelight {
namespace {

using std::chrono::seconds;

const MonoTime kStart{std::chrono::hours(1)};

int admitted(LogLimiter& limiter, std::string_view key, MonoTime now, int tries) {
  int n = 0;
  for (int i = 0; i < tries; ++i)
    if (limiter.admit(key, now)) ++n;
  return n;
}

TEST(LogLimiter, LetsABurstPassThenOneEveryTenSeconds) {
  LogLimiter limiter;
  EXPECT_EQ(admitted(limiter, "k", kStart, 100), 10);
  EXPECT_EQ(admitted(limiter, "k", kStart + seconds(9), 100), 0);
  EXPECT_EQ(admitted(limiter, "k", kStart + seconds(10), 100), 1);
  EXPECT_EQ(admitted(limiter, "k", kStart + seconds(40), 100), 3);
}

TEST(LogLimiter, TellsHowManyWereHeldBack) {
  LogLimiter limiter;
  EXPECT_EQ(limiter.admit("k", kStart), 0U);
  admitted(limiter, "k", kStart, 14);  // 9 of them pass
  EXPECT_EQ(limiter.admit("k", kStart + seconds(10)), 5U);
  EXPECT_EQ(limiter.admit("k", kStart + seconds(20)), 0U);
}

TEST(LogLimiter, EarnsNoMoreThanABurst) {
  LogLimiter limiter;
  admitted(limiter, "k", kStart, 10);
  EXPECT_EQ(admitted(limiter, "k", kStart + std::chrono::hours(5), 100), 10);
}

TEST(LogLimiter, KeysDoNotSilenceEachOther) {
  LogLimiter limiter;
  admitted(limiter, "noisy", kStart, 100);
  EXPECT_TRUE(limiter.admit("quiet", kStart));
}

TEST(LogLimiter, KeysBeyondTheCapShareOneAllowance) {
  LogLimiter limiter;
  for (std::size_t i = 0; i < LogLimiter::kMaxKeys; ++i)
    EXPECT_TRUE(limiter.admit(std::to_string(i), kStart));
  int passed = 0;
  for (int i = 0; i < 100; ++i)
    if (limiter.admit("extra" + std::to_string(i), kStart)) ++passed;
  EXPECT_EQ(passed, LogLimiter::kBurst);
}

TEST(LogLimiter, ForgetsKeysThatHaveBeenQuiet) {
  LogLimiter limiter;
  for (std::size_t i = 0; i < LogLimiter::kMaxKeys; ++i) limiter.admit(std::to_string(i), kStart);
  const MonoTime later = kStart + LogLimiter::kBurst * LogLimiter::kRefill;
  EXPECT_EQ(admitted(limiter, "a", later, 20), 10);
  EXPECT_EQ(admitted(limiter, "b", later, 20), 10) << "has a bucket of its own again";
}

TEST(LogLimiter, SubjectsOfOneTroubleShareAnAllowance) {
  LogLimiter limiter;
  int passed = 0;
  std::uint64_t told = 0;
  for (int second = 0; second < 12; ++second) {
    for (int file = 0; file < 200; ++file) {
      const auto admitted =
          limiter.admit("tail.unreadable /" + std::to_string(file), kStart + seconds(second));
      if (!admitted) continue;
      ++passed;
      told += *admitted;
    }
  }
  EXPECT_EQ(passed, LogLimiter::kFamilyBurst + 1);
  EXPECT_EQ(told, 10u * 200 - LogLimiter::kFamilyBurst)
      << "all that were held back until the last one passed";
  EXPECT_TRUE(limiter.admit("tail.lost /0", kStart + seconds(12))) << "other troubles are not silenced";
}

TEST(LogLimiter, OneSubjectDoesNotUseUpTheAllowanceOfAll) {
  LogLimiter limiter;
  EXPECT_EQ(admitted(limiter, "tail.unreadable /a", kStart, 100), LogLimiter::kBurst);
  EXPECT_TRUE(limiter.admit("tail.unreadable /b", kStart));
}

}  // namespace
}  // namespace sidelight

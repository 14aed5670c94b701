// Back-off, Retry-After, the concurrency limit, and the choice of hosts.
#include <gtest/gtest.h>

#include "agent/send/elasticsearch/backoff.h"
#include "agent/send/elasticsearch/concurrency.h"
#include "agent/send/elasticsearch/hosts.h"

namespace sidelight {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

TEST(BackoffTest, IsJitteredOverTheWholeRangeAndCapped) {
  Backoff b(milliseconds(200), milliseconds(30000), 1);
  for (unsigned attempt = 0; attempt < 70; ++attempt) {
    const Nanos ceiling = std::min<Nanos>(milliseconds(30000), milliseconds(200ll << std::min(attempt, 20u)));
    Nanos least = Nanos::max();
    Nanos most{0};
    for (int i = 0; i < 300; ++i) {
      const Nanos w = b.wait(attempt, std::nullopt);
      least = std::min(least, w);
      most = std::max(most, w);
    }
    EXPECT_GT(least, Nanos(0));
    EXPECT_LE(most, ceiling);
    EXPECT_LT(least, ceiling / 10) << attempt;
    EXPECT_GT(most, ceiling * 9 / 10) << attempt;
  }
}

TEST(BackoffTest, TheSameSeedGivesTheSameWaits) {
  Backoff a(milliseconds(200), milliseconds(30000), 9);
  Backoff b(milliseconds(200), milliseconds(30000), 9);
  for (unsigned i = 0; i < 20; ++i) EXPECT_EQ(a.wait(i, std::nullopt), b.wait(i, std::nullopt));
}

TEST(BackoffTest, RetryAfterIsTheLeastToWaitAndBounded) {
  Backoff b(milliseconds(200), milliseconds(30000), 1);
  for (int i = 0; i < 50; ++i) {
    EXPECT_GE(b.wait(0, seconds(20)), seconds(20));
    EXPECT_LE(b.wait(0, seconds(20)), seconds(22));
    EXPECT_LE(b.wait(0, seconds(1000000)), seconds(660));
  }
}

TEST(BackoffTest, DrainingWaitsShortlyWhateverIsAskedFor) {
  Backoff b(milliseconds(200), milliseconds(30000), 1);
  b.set_draining(true);
  for (unsigned i = 0; i < 50; ++i) EXPECT_LE(b.wait(i, seconds(60)), kDrainWait);
}

TEST(RetryAfterTest, BothForms) {
  constexpr WallNanos kNow = 784111777ll * 1'000'000'000;  // Sun, 06 Nov 1994 08:49:37 GMT
  EXPECT_EQ(parse_retry_after("120", kNow), seconds(120));
  EXPECT_EQ(parse_retry_after("0", kNow), seconds(0));
  EXPECT_EQ(parse_retry_after("Sun, 06 Nov 1994 08:50:37 GMT", kNow), seconds(60));
  EXPECT_EQ(parse_retry_after("Sun, 06 Nov 1994 08:00:00 GMT", kNow), seconds(0));
  for (const char* bad :
       {"", "-5", "soon", "1.5", "Sun, 06 Foo 1994 08:50:37 GMT", "Sun, 32 Nov 1994 08:50:37 GMT",
        "Sunday, 06-Nov-94 08:49:37 GMT", "99999999999999999999"}) {
    EXPECT_EQ(parse_retry_after(bad, kNow), std::nullopt) << bad;
  }
}

TEST(ConcurrencyLimitTest, GrowsByOneARoundAndHalvesOnceACongestion) {
  ConcurrencyLimit limit(8);
  EXPECT_EQ(limit.requests(), 2u);
  for (int i = 0; i < 100; ++i) limit.on_success();
  EXPECT_EQ(limit.requests(), 8u);
  const MonoTime t{seconds(100)};
  limit.on_overload(t, t + seconds(1));
  EXPECT_EQ(limit.requests(), 4u);
  limit.on_overload(t, t + seconds(2));
  limit.on_overload(t + milliseconds(500), t + seconds(2));
  EXPECT_EQ(limit.requests(), 4u) << "started before the last decrease";
  for (int i = 0; i < 10; ++i) limit.on_overload(t + seconds(10 * i + 5), t + seconds(10 * i + 6));
  EXPECT_EQ(limit.requests(), 1u);
  for (int i = 0; i < 2; ++i) limit.on_success();
  EXPECT_EQ(limit.requests(), 2u);
}

TEST(ConcurrencyLimitTest, AMaximumOfOneStaysOne) {
  ConcurrencyLimit limit(1);
  for (int i = 0; i < 10; ++i) limit.on_success();
  EXPECT_EQ(limit.requests(), 1u);
}

TEST(HostsTest, RoundRobinWithOneTrialAfterAFailure) {
  Backoff backoff(milliseconds(200), milliseconds(30000), 5);
  Hosts hosts({"http://a/", "http://b/"}, backoff);
  MonoTime now{seconds(10)};
  const auto first = hosts.pick(now);
  const auto second = hosts.pick(now);
  ASSERT_TRUE(first && second);
  EXPECT_NE(*first, *second);
  hosts.on_failure(*first, now);
  for (int i = 0; i < 4; ++i) EXPECT_EQ(hosts.pick(now), second);
  hosts.on_failure(*second, now);
  EXPECT_EQ(hosts.pick(now), std::nullopt);
  EXPECT_GT(hosts.next_chance(), now);
  now += seconds(60);
  const auto trial = hosts.pick(now);
  const auto other_trial = hosts.pick(now);
  EXPECT_TRUE(trial && other_trial && *trial != *other_trial);
  EXPECT_EQ(hosts.pick(now), std::nullopt) << "one request a host in doubt";
  hosts.on_answer(*trial, now);
  EXPECT_EQ(hosts.pick(now), trial);
  EXPECT_EQ(hosts.pick(now), trial);
}

TEST(HostsTest, AWaitThatWasAskedForOutlivesAnswersToWhatWasSentBefore) {
  Backoff backoff(seconds(1), seconds(30), 1);
  Hosts hosts({"http://a:9200"}, backoff);
  MonoTime now{seconds(100)};
  hosts.on_failure(0, now, seconds(60));
  hosts.on_answer(0, now - seconds(1));
  now += seconds(59);
  EXPECT_EQ(hosts.pick(now), std::nullopt);
  now += seconds(2);
  EXPECT_TRUE(hosts.pick(now));
  hosts.on_answer(0, now);
  EXPECT_TRUE(hosts.pick(now));
  EXPECT_TRUE(hosts.pick(now)) << "it works again";
}

TEST(HostsTest, MessagesDoNotShowSecrets) {
  EXPECT_EQ(without_userinfo("https://u:p@es:9200/x"), "https://es:9200/x");
  EXPECT_EQ(without_userinfo("https://es:9200/x@y"), "https://es:9200/x@y");
  EXPECT_EQ(without_userinfo("https://u:p%40q@es"), "https://es");
}

}  // namespace
}  // namespace sidelight

#include "collectors/redis/endpoint.h"

#include <gtest/gtest.h>

namespace sidelight {
namespace {

TEST(RedisUrl, SaysWhereAndWhetherWithTls) {
  const auto plain = parse_redis_url("redis://cache.example");
  ASSERT_TRUE(plain);
  EXPECT_EQ(plain->node(), "cache.example:6379");
  EXPECT_FALSE(plain->tls);
  const auto tls = parse_redis_url("rediss://[::1]:7000/");
  ASSERT_TRUE(tls);
  EXPECT_EQ(tls->node(), "[::1]:7000");
  EXPECT_TRUE(tls->tls);
}

TEST(RedisUrl, RefusesWhatItCannotMean) {
  for (const char* url : {"", "127.0.0.1:6379", "http://a:1", "redis://", "redis://a:0", "redis://a:99999",
                          "redis://a:x", "redis://a/3", "redis://a?db=3", "redis://a b"})
    EXPECT_NE(check_redis_url(url), "") << url;
}

TEST(RedisUrl, NeverRepeatsAPassword) {
  for (const char* url : {"redis://:hush@a:1", "redis://me:hush@a", "me:hush@a", "redis://hush@"}) {
    const std::string wrong = check_redis_url(url);
    EXPECT_NE(wrong.find("password_file"), std::string::npos) << url;
    EXPECT_EQ(wrong.find("hush"), std::string::npos) << wrong;
    EXPECT_EQ(check_sentinel_host(url).find("hush"), std::string::npos);
  }
}

TEST(SentinelHost, IsAHostOrAUrl) {
  EXPECT_EQ(parse_redis_host("s1", kSentinelPort, true)->node(), "s1:26379");
  EXPECT_TRUE(parse_redis_host("s1", kSentinelPort, true)->tls);
  EXPECT_FALSE(parse_redis_host("redis://s1:5000", kSentinelPort, true)->tls);
  EXPECT_EQ(parse_redis_host("rediss://s1", kSentinelPort, false)->node(), "s1:26379");
}

}  // namespace
}  // namespace sidelight

#include "collectors/redis/connection.h"

#include <gtest/gtest.h>

namespace sidelight {
namespace {

TEST(RedisErrors, NameTheMissingRight) {
  const std::string text = explain_redis_error(
      "NOPERM this user has no permissions to run the 'info' command", "sidelight", "info");
  EXPECT_NE(text.find("ACL SETUSER sidelight +info"), std::string::npos) << text;
  EXPECT_NE(explain_redis_error("NOAUTH Authentication required.", "", "info").find("password_file"),
            std::string::npos);
  EXPECT_NE(explain_redis_error("WRONGPASS invalid", "sidelight", "auth").find("user sidelight"),
            std::string::npos);
}

TEST(RedisErrors, RepeatNoPasswordThatTheServerEchoes) {
  const std::string text =
      explain_redis_error("ERR unknown command `AUTH`, with args beginning with: `me`, `hush`", "me", "auth");
  EXPECT_EQ(text.find("hush"), std::string::npos) << text;
}

TEST(RedisErrors, ShowOtherTextPrintableAndShort) {
  const std::string text = explain_redis_error("ERR a\x1b[31m" + std::string(1000, 'x'), "", "info");
  EXPECT_EQ(text.find('\x1b'), std::string::npos);
  EXPECT_LT(text.size(), 300U);
}

}  // namespace
}  // namespace sidelight

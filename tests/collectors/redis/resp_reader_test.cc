#include "collectors/redis/resp_reader.h"

#include <gtest/gtest.h>

namespace sidelight {
namespace {

RespValue read(std::string_view bytes) {
  RespReader reader;
  auto value = reader.next(bytes);
  EXPECT_TRUE(value && *value) << bytes;
  return value && *value ? **value : RespValue{};
}

bool refused(std::string_view bytes) {
  RespReader reader;
  return !reader.next(bytes);
}

TEST(RespReader, ReadsEveryType) {
  EXPECT_EQ(read("+PONG\r\n").text, "PONG");
  EXPECT_EQ(read("-NOAUTH no\r\n").type, RespValue::Type::error);
  EXPECT_EQ(read(":-42\r\n").integer, -42);
  EXPECT_EQ(read("$-1\r\n").type, RespValue::Type::nil);
  EXPECT_EQ(read("*-1\r\n").type, RespValue::Type::nil);
  EXPECT_EQ(read(std::string_view("$3\r\na\0b\r\n", 9)).text, std::string("a\0b", 3));
  const RespValue nested = read("*3\r\n*2\r\n$1\r\na\r\n:7\r\n*0\r\n$1\r\nz\r\n");
  ASSERT_EQ(nested.items.size(), 3U);
  EXPECT_EQ(nested.items[0].items[0].text, "a");
  EXPECT_EQ(nested.items[0].items[1].integer, 7);
  EXPECT_TRUE(nested.items[1].items.empty());
  EXPECT_EQ(nested.items[2].text, "z");
}

TEST(RespReader, PutsRepliesTogetherFromAnyPieces) {
  const std::string_view bytes = "*2\r\n$5\r\nhello\r\n:1\r\n+next\r\n";
  RespReader reader;
  std::vector<RespValue> replies;
  for (const char c : bytes) {
    auto value = reader.next({&c, 1});
    ASSERT_TRUE(value);
    if (*value) replies.push_back(std::move(**value));
  }
  ASSERT_EQ(replies.size(), 2U);
  EXPECT_EQ(replies[0].items[0].text, "hello");
  EXPECT_EQ(replies[1].text, "next");
}

TEST(RespReader, RefusesWhatIsNotTheProtocol) {
  for (const char* bytes :
       {"HTTP/1.1 400 Bad Request\r\n", "\x15\x03\x03", "$abc\r\n", ":x\r\n", "*-2\r\n", "$-9\r\n"})
    EXPECT_TRUE(refused(bytes)) << bytes;
}

TEST(RespReader, RefusesSizesItCannotHold) {
  EXPECT_TRUE(refused("*1000000000\r\n"));
  std::string many;
  for (int i = 0; i < 100; ++i) many += "*1000\r\n";
  EXPECT_TRUE(refused(many));
  EXPECT_TRUE(refused("*9\r\n*9\r\n*9\r\n*9\r\n*9\r\n*9\r\n*9\r\n*9\r\n*9\r\n*9\r\n"));
  RespReader reader;
  EXPECT_TRUE(reader.next("$999999999999\r\n"));  // waits, and holds what has come
  EXPECT_TRUE(reader.next(std::string(RespReader::kMaxBytes / 2, 'x')));
  EXPECT_FALSE(reader.next(std::string(RespReader::kMaxBytes / 2, 'x')));
}

}  // namespace
}  // namespace sidelight

#include "config/quantities.h"

#include <gtest/gtest.h>

#include "config/names.h"

namespace sidelight {
namespace {

using std::chrono::milliseconds;

TEST(Bytes, AreReadWithTheirUnits) {
  EXPECT_EQ(parse_bytes("5"), 5);
  EXPECT_EQ(parse_bytes("5B"), 5);
  EXPECT_EQ(parse_bytes("32MiB"), 32 << 20);
  EXPECT_EQ(parse_bytes("32 MiB"), 32 << 20);
  EXPECT_EQ(parse_bytes("32Mi"), 32 << 20);
  EXPECT_EQ(parse_bytes("1KB"), 1000);
  EXPECT_EQ(parse_bytes("8191PiB"), std::nullopt);
  EXPECT_EQ(parse_bytes("9999999TiB"), std::nullopt);
  EXPECT_EQ(parse_bytes("-1"), std::nullopt);
  EXPECT_EQ(parse_bytes("1.5MiB"), std::nullopt);
  EXPECT_EQ(parse_bytes("MiB"), std::nullopt);
  EXPECT_EQ(parse_bytes(""), std::nullopt);
}

TEST(Duration, IsReadWithItsUnits) {
  EXPECT_EQ(parse_duration("250ms"), milliseconds(250));
  EXPECT_EQ(parse_duration("1m30s"), milliseconds(90'000));
  EXPECT_EQ(parse_duration("1h"), milliseconds(3'600'000));
  EXPECT_EQ(parse_duration("5"), std::nullopt);
  EXPECT_EQ(parse_duration("s"), std::nullopt);
  EXPECT_EQ(parse_duration("1s "), std::nullopt);
  EXPECT_EQ(parse_duration("9223372036854775807h"), std::nullopt);
  EXPECT_EQ(parse_duration("9223372036854775807ms1ms"), std::nullopt);
}

TEST(Quantities, SurviveWritingAndReading) {
  for (const std::int64_t n : {std::int64_t{0}, std::int64_t{1}, std::int64_t{1023}, std::int64_t{1024},
                               std::int64_t{1536}, std::int64_t{1} << 40, INT64_MAX}) {
    EXPECT_EQ(parse_bytes(format_bytes(n)), n);
    EXPECT_EQ(parse_duration(format_duration(milliseconds(n))), milliseconds(n));
  }
  EXPECT_EQ(format_bytes(32 << 20), "32MiB");
  EXPECT_EQ(format_duration(milliseconds(90'000)), "90s");
}

TEST(Nearest, FindsSlipsAndOtherSpellings) {
  const std::vector<std::string> keys = {"paths", "format", "data_stream", "password_file"};
  EXPECT_EQ(nearest("formt", keys), "format");
  EXPECT_EQ(nearest("fromat", keys), "format");
  EXPECT_EQ(nearest("dataStream", keys), "data_stream");
  EXPECT_EQ(nearest("password-file", keys), "password_file");
  EXPECT_EQ(nearest("zebra", keys), "");
  EXPECT_EQ(nearest(std::string(10'000, 'a'), keys), "");
}

TEST(Url, NeedsSchemeHostAndPort) {
  EXPECT_EQ(check_url("http://h"), "");
  EXPECT_EQ(check_url("https://[::1]:9200/es"), "");
  EXPECT_NE(check_url("http://"), "");
  EXPECT_NE(check_url("http://h:0"), "");
  EXPECT_NE(check_url("http://h/a?b"), "");
  EXPECT_NE(check_url("http://h a"), "");
  EXPECT_NE(check_url("http://[::1"), "");
  EXPECT_NE(check_url("http://[::1]9200"), "");
  EXPECT_EQ(url_host("https://[::1]:9200/es"), "::1");
  EXPECT_EQ(url_host("https://h:9200/es"), "h");
}

}  // namespace
}  // namespace sidelight

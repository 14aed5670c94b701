#include "collectors/http_json/json_pointer.h"

#include <gtest/gtest.h>

namespace sidelight {
namespace {

TEST(JsonPointer, IsReadAsRfc6901HasIt) {
  const auto p = parse_json_pointer("/a~1b/m~0n//0/*");
  ASSERT_TRUE(p);
  ASSERT_EQ(p->segments.size(), 5U);
  EXPECT_EQ(p->segments[0].name, "a/b");
  EXPECT_EQ(p->segments[1].name, "m~n");
  EXPECT_EQ(p->segments[2].name, "");
  EXPECT_EQ(p->segments[3].name, "0");
  EXPECT_TRUE(p->segments[4].each);
  EXPECT_EQ(p->each(), 1U);
  EXPECT_TRUE(parse_json_pointer("")->segments.empty());
  EXPECT_EQ(parse_json_pointer("/~01")->segments[0].name, "~1");
}

TEST(JsonPointer, RefusesWhatIsNone) {
  for (const char* text : {"a", "a/b", "/~", "/~2", "/a~", "/*/*/*/*"})
    EXPECT_NE(check_json_pointer(text), "") << text;
}

TEST(JsonLabelSource, IsAKeyOrAPointer) {
  EXPECT_EQ(parse_label_source("key", 2)->key, 2U);
  EXPECT_EQ(parse_label_source("key1", 2)->key, 1U);
  const auto p = parse_label_source("/name", 1);
  ASSERT_TRUE(p);
  EXPECT_EQ(p->key, 0U);
  EXPECT_EQ(p->pointer.segments[0].name, "name");
  for (const auto& [text, each] :
       {std::pair("key", 0U), {"key2", 1U}, {"key0", 1U}, {"keys", 1U}, {"name", 1U}, {"/*", 1U}})
    EXPECT_FALSE(parse_label_source(text, each)) << text;
}

}  // namespace
}  // namespace sidelight

#include "agent/tail/glob.h"

#include <gtest/gtest.h>

namespace sidelight {
namespace {

TEST(Glob, MatchesSegments) {
  EXPECT_TRUE(match_segment("*.log", "app.log"));
  EXPECT_FALSE(match_segment("*.log", "app.log.1"));
  EXPECT_TRUE(match_segment("*.log*", "app.log.1"));
  EXPECT_TRUE(match_segment("a?c", "abc"));
  EXPECT_FALSE(match_segment("a?c", "ac"));
  EXPECT_TRUE(match_segment("app-[0-9].log", "app-7.log"));
  EXPECT_FALSE(match_segment("app-[!0-9].log", "app-7.log"));
  EXPECT_TRUE(match_segment("[]x]", "]"));
  EXPECT_TRUE(match_segment("a[b", "a[b")) << "an unclosed bracket is an ordinary character";
  EXPECT_TRUE(match_segment("a\\*b", "a*b"));
  EXPECT_FALSE(match_segment("a\\*b", "axb"));
}

TEST(Glob, LeavesHiddenFilesAloneUnlessAskedFor) {
  EXPECT_FALSE(match_segment("*", ".hidden"));
  EXPECT_TRUE(match_segment(".*", ".hidden"));
}

TEST(Glob, ManyStarsTakeLinearTime) {
  const std::string name(5000, 'a');
  EXPECT_FALSE(match_segment("*a*a*a*a*a*a*a*a*b", name));
}

TEST(Glob, MatchesPathsWithAnyDepth) {
  EXPECT_TRUE(match_path("/var/log/**/*.log", "/var/log/a.log"));
  EXPECT_TRUE(match_path("/var/log/**/*.log", "/var/log/x/y/a.log"));
  EXPECT_FALSE(match_path("/var/log/**/*.log", "/var/lib/a.log"));
  EXPECT_FALSE(match_path("/var/log/*.log", "/var/log/x/a.log"));
  EXPECT_TRUE(match_path("/var/log/**", "/var/log/x/a.log"));
}

TEST(Glob, ExpandsBraces) {
  EXPECT_EQ(expand_braces("a{b,c}d"), (std::vector<std::string>{"abd", "acd"}));
  EXPECT_EQ(expand_braces("{a,b{1,2}}"), (std::vector<std::string>{"a", "b1", "b2"}));
  EXPECT_EQ(expand_braces("plain"), (std::vector<std::string>{"plain"}));
  EXPECT_EQ(expand_braces("open{a,b"), (std::vector<std::string>{"open{a,b"}));
}

TEST(Glob, DoesNotExplodeOnManyBraces) {
  std::string pattern;
  for (int i = 0; i < 20; ++i) pattern += "{a,b}";
  EXPECT_EQ(expand_braces(pattern).size(), 1u);
}

}  // namespace
}  // namespace sidelight

#include "agent/parse/level.h"

#include <gtest/gtest.h>

namespace sidelight {
namespace {

TEST(Level, BringsNamesToTheSyslogLevels) {
  EXPECT_EQ(normalise_level("WARN"), "warning");
  EXPECT_EQ(normalise_level("w"), "warning");
  EXPECT_EQ(normalise_level("Err"), "error");
  EXPECT_EQ(normalise_level("FATAL"), "critical");
  EXPECT_EQ(normalise_level("panic"), "emergency");
  EXPECT_EQ(normalise_level("FINE"), "debug");
  EXPECT_EQ(normalise_level("LOG"), "info");
  EXPECT_EQ(normalise_level("Information"), "info");
  EXPECT_EQ(normalise_level(""), "");
  EXPECT_EQ(normalise_level("banana"), "");
  EXPECT_EQ(normalise_level("informationalist"), "");
  EXPECT_EQ(normalise_level(std::string_view("info\0", 5)), "");
}

TEST(Level, TellsSyslogBunyanAndMonologNumbersApart) {
  EXPECT_EQ(normalise_level(3), "error");
  EXPECT_EQ(normalise_level(30), "info");
  EXPECT_EQ(normalise_level(35), "info");
  EXPECT_EQ(normalise_level(300), "warning");
  EXPECT_EQ(normalise_level(8), "");
  EXPECT_EQ(normalise_level(-1), "");
  EXPECT_EQ(normalise_level(999), "");
}

TEST(Level, TakesOnlyPlainWordsFromRunningText) {
  EXPECT_EQ(level_in_text("ERROR"), "error");
  EXPECT_EQ(level_in_text("log"), "");
  EXPECT_EQ(level_in_text("i"), "");
}

}  // namespace
}  // namespace sidelight

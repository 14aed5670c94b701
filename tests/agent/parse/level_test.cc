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

TEST(Level, ReadsPaddedValuesAndTheStepsOfSlog) {
  EXPECT_EQ(level_of_value(" info"), "info");
  EXPECT_EQ(level_of_value("TRACE "), "trace");
  EXPECT_EQ(level_of_value("INFO+2"), "info");
  EXPECT_EQ(level_of_value("ERROR+12"), "error");
  EXPECT_EQ(level_of_value("WARN-1"), "warning");
  EXPECT_EQ(level_of_value("DEBUG-1"), "debug");
  EXPECT_EQ(level_of_value("DEBUG-4"), "trace");
  EXPECT_EQ(level_of_value("DEBUG-12"), "trace");
  for (const char* value : {"", " ", "+", "+2", "INFO+", "INFO+x", "INFO+1000", "in fo"})
    EXPECT_EQ(level_of_value(value), "") << value;
}

TEST(Level, ReadsMongodbsSeverities) {
  EXPECT_EQ(mongodb_level("W"), "warning");
  EXPECT_EQ(mongodb_level("F"), "critical");
  EXPECT_EQ(mongodb_level("D"), "debug");
  EXPECT_EQ(mongodb_level("D1"), "debug");
  for (const char* value : {"", "w", "S", "D6", "INFO", "D12"}) EXPECT_EQ(mongodb_level(value), "") << value;
}

TEST(Level, TakesOnlyPlainWordsFromRunningText) {
  EXPECT_EQ(level_in_text("ERROR"), "error");
  EXPECT_EQ(level_in_text("log"), "");
  EXPECT_EQ(level_in_text("i"), "");
}

}  // namespace
}  // namespace sidelight

#include "agent/base/number.h"

#include <gtest/gtest.h>

namespace sidelight {
namespace {

TEST(ParseNumber, TakesFiniteDecimalsWhole) {
  EXPECT_EQ(parse_number("0.25"), 0.25);
  EXPECT_EQ(parse_number("-3"), -3);
  EXPECT_EQ(parse_number("1e3"), 1000);
  for (const char* no : {"", " 1", "1 ", "1x", "nan", "inf", "-inf", "1e999", "0x10", "+1", "1,5"})
    EXPECT_FALSE(parse_number(no)) << no;
}

TEST(ParseCount, TakesDigitsBelowTwoToThe64) {
  EXPECT_EQ(parse_count("0"), 0);
  EXPECT_EQ(parse_count("18446744073709551615"), 18446744073709551615.0);
  for (const char* no : {"", "-1", "+1", "1.5", "1e3", " 1", "1 ", "18446744073709551616", "max"})
    EXPECT_FALSE(parse_count(no)) << no;
}

}  // namespace
}  // namespace sidelight

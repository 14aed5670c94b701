#include "collectors/process/proc_stat.h"

#include <gtest/gtest.h>

namespace sidelight {
namespace {

constexpr const char* kRest =
    " S 1 7 7 0 -1 4194560 100 0 0 0 250 50 0 0 20 0 4 0 12345 1048576 300 18446744073709551615 1 1 0 0\n";

TEST(ProcStat, IsRead) {
  const auto s = parse_proc_stat("7 (java)" + std::string(kRest));
  ASSERT_TRUE(s);
  EXPECT_EQ(s->name, "java");
  EXPECT_EQ(s->cpu_ticks, 300U);
  EXPECT_EQ(s->start_ticks, 12345U);
  EXPECT_EQ(s->virtual_bytes, 1048576U);
  EXPECT_EQ(s->resident_pages, 300U);
}

TEST(ProcStat, NamesMayHoldBracketsAndBlanks) {
  for (const std::string name : {"a b", "(x)", ") S 1 (", "", "\n"}) {
    const auto s = parse_proc_stat("7 (" + name + ")" + kRest);
    ASSERT_TRUE(s) << name;
    EXPECT_EQ(s->name, name);
    EXPECT_EQ(s->cpu_ticks, 300U);
  }
}

TEST(ProcStat, RefusesOtherText) {
  for (const char* text : {"", "7", "7 (a", "7 (a)", "7 (a) S 1 2 3", "7 )a( S",
                           "7 (a) S 1 7 7 0 -1 4 1 0 0 0 x 50 0 0 20 0 4 0 1 1 1\n"})
    EXPECT_FALSE(parse_proc_stat(text)) << text;
}

}  // namespace
}  // namespace sidelight

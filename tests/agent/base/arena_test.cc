#include "agent/base/arena.h"

#include <gtest/gtest.h>

#include <cstring>
#include <string>

namespace sidelight {
namespace {

TEST(Arena, CopiesStayInPlace) {
  Arena arena(256);
  std::vector<std::string_view> copies;
  for (int i = 0; i < 1000; ++i) copies.push_back(arena.copy("text " + std::to_string(i)));
  for (int i = 0; i < 1000; ++i) EXPECT_EQ(copies[static_cast<std::size_t>(i)], "text " + std::to_string(i));
}

TEST(Arena, PaddingCanBeReadBehindTheLastByte) {
  Arena arena(128);
  for (const std::size_t n : {1u, 63u, 64u, 65u, 128u, 1000u}) {
    char* p = arena.allocate(n);
    std::memset(p, 'x', n);
    std::string behind(p + n, 64);  // a sanitizer objects if it is not ours
    EXPECT_EQ(behind.size(), 64u);
  }
}

TEST(Arena, ShrinkingGivesTheEndBack) {
  Arena arena(1024);
  char* first = arena.allocate(500);
  arena.shrink_last(first, 500, 10);
  EXPECT_EQ(arena.allocate(10), first + 10);
  char* third = arena.allocate(10);
  arena.shrink_last(first, 10, 0);  // not the last one: nothing happens
  EXPECT_EQ(arena.allocate(1), third + 10);
}

TEST(Arena, ClearKeepsOneBlockForReuse) {
  Arena arena(1024);
  char* first = arena.allocate(100);
  arena.allocate(5000);
  EXPECT_GT(arena.capacity(), 6000u);
  arena.clear();
  EXPECT_EQ(arena.capacity(), 1024u);
  EXPECT_EQ(arena.allocate(100), first);
}

TEST(Arena, NothingNeedsNoMemory) {
  Arena arena;
  EXPECT_EQ(arena.copy(""), "");
  EXPECT_EQ(arena.capacity(), 0u);
  arena.clear();
  EXPECT_EQ(arena.capacity(), 0u);
}

}  // namespace
}  // namespace sidelight

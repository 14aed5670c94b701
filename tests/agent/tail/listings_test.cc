#include "agent/tail/listings.h"

#include <gtest/gtest.h>

#include "tests/fakes/fake_clock.h"
#include "tests/fakes/memory_filesystem.h"

namespace sidelight {
namespace {

class ListingsTest : public ::testing::Test {
 protected:
  std::uint64_t inode(const std::string& path) { return disk_.stat(path)->inode; }

  MemoryFileSystem disk_;
  FakeClock clock_;
  Listings listings_{disk_, clock_};
};

TEST_F(ListingsTest, FindsByInodeAndByTheBeginningOfNames) {
  for (const char* name : {"b.log", "a.log.2", "a.log.1", "a.log", "aa.log"})
    disk_.write_file(std::string("/d/") + name, "x");
  EXPECT_EQ(listings_.path_of("/d", inode("/d/a.log.2")), "/d/a.log.2");
  EXPECT_EQ(listings_.path_of("/d", 999'999), "");
  EXPECT_EQ(listings_.names("/d", "a.log"), (std::vector<std::string_view>{"a.log", "a.log.1", "a.log.2"}));
  EXPECT_EQ(listings_.names("/d", "c").size(), 0u);
  EXPECT_EQ(listings_.names("/nowhere", "").size(), 0u);
  EXPECT_EQ(listings_.path_of("/nowhere", 1), "");
}

TEST_F(ListingsTest, SeesEveryChangeWhetherTheListingHadSettledOrNot) {
  for (const bool settled : {false, true}) {
    disk_.write_file("/d/a", "x");
    // The disk's times begin with 1970.
    clock_.set_wall(settled ? 1'000'000'000'000 : 1'000'000'000);
    EXPECT_EQ(listings_.path_of("/d", inode("/d/a")), "/d/a");
    const auto old = inode("/d/a");
    ASSERT_TRUE(disk_.rename("/d/a", "/d/b"));
    EXPECT_EQ(listings_.path_of("/d", old), "/d/b");
    disk_.write_file("/d/a", "y");
    EXPECT_EQ(listings_.path_of("/d", inode("/d/a")), "/d/a");
    ASSERT_TRUE(disk_.remove("/d/b"));
    EXPECT_EQ(listings_.path_of("/d", old), "");
  }
}

}  // namespace
}  // namespace sidelight

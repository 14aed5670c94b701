#include "tests/fakes/memory_filesystem.h"

#include <gtest/gtest.h>

#include <array>
#include <cerrno>

#include "tests/fakes/fake_clock.h"

namespace sidelight {
namespace {

std::string content(FileSystem& fs, const std::string& path) {
  auto text = fs.read_file(path, 1 << 20);
  return text ? *text : "error: " + text.error().message;
}

std::string content(const File& file) {
  std::array<char, 256> buffer{};
  const auto n = file.read_at(buffer.data(), buffer.size(), 0);
  return n ? std::string(buffer.data(), *n) : "error: " + n.error().message;
}

TEST(MemoryFileSystem, OpenFileOutlivesItsName) {
  MemoryFileSystem fs;
  fs.write_file("/log/a", "one");
  auto file = fs.open("/log/a", OpenMode::read);
  ASSERT_TRUE(file);
  ASSERT_TRUE(fs.remove("/log/a"));
  EXPECT_EQ(content(**file), "one");
  EXPECT_EQ((*file)->stat()->links, 0u);
  EXPECT_EQ(fs.stat("/log/a").error().code, ENOENT);
}

TEST(MemoryFileSystem, RenameKeepsTheInodeAndReplacesTheTarget) {
  MemoryFileSystem fs;
  fs.write_file("/log/a", "one");
  fs.write_file("/log/b", "two");
  const auto inode = fs.stat("/log/a")->inode;
  auto replaced = fs.open("/log/b", OpenMode::read);
  ASSERT_TRUE(fs.rename("/log/a", "/log/b"));
  EXPECT_EQ(fs.stat("/log/b")->inode, inode);
  EXPECT_EQ(content(fs, "/log/b"), "one");
  EXPECT_EQ(content(**replaced), "two");
  EXPECT_FALSE(fs.stat("/log/a"));
}

TEST(MemoryFileSystem, AppendGoesToTheEndAfterATruncation) {
  MemoryFileSystem fs;
  fs.write_file("/f", "");
  auto writer = fs.open("/f", OpenMode::append);
  ASSERT_TRUE((*writer)->write("12345"));
  fs.truncate_file("/f", 0);
  ASSERT_TRUE((*writer)->write("6"));
  EXPECT_EQ(content(fs, "/f"), "6");
}

TEST(MemoryFileSystem, SymlinksAreFollowedAndLoopsEnd) {
  MemoryFileSystem fs;
  fs.write_file("/data/v1/f", "one");
  fs.make_symlink("v1", "/data/current");
  fs.make_symlink("/data/current/f", "/f");
  EXPECT_EQ(content(fs, "/f"), "one");
  EXPECT_EQ(*fs.real_path("/f"), "/data/v1/f");
  EXPECT_FALSE(fs.lstat("/f")->is_regular());
  fs.make_symlink("/b", "/a");
  fs.make_symlink("/a", "/b");
  EXPECT_EQ(fs.stat("/a").error().code, ELOOP);
}

TEST(MemoryFileSystem, FullDiskTakesWhatFitsAndGivesSpaceBack) {
  MemoryFileSystem fs;
  auto file = fs.open("/f", OpenMode::create_new);
  fs.set_free_bytes(3);
  const auto result = (*file)->write("12345");
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, ENOSPC);
  EXPECT_EQ(content(fs, "/f"), "123");
  ASSERT_TRUE((*file)->truncate(0));
  EXPECT_TRUE(fs.open("/g", OpenMode::create_new).value()->write("abc"));
}

TEST(MemoryFileSystem, FaultHitsTheNextCallOnly) {
  MemoryFileSystem fs;
  fs.fail_next("open", EIO);
  EXPECT_EQ(fs.open("/f", OpenMode::append).error().code, EIO);
  EXPECT_TRUE(fs.open("/f", OpenMode::append));
}

TEST(MemoryFileSystem, LockIsHeldAsLongAsItsFile) {
  MemoryFileSystem fs;
  auto first = fs.lock("/lock");
  ASSERT_TRUE(first);
  EXPECT_FALSE(fs.lock("/lock"));
  first->reset();
  EXPECT_TRUE(fs.lock("/lock"));
}

TEST(MemoryFileSystem, InodeNumberComesBackWhenAskedFor) {
  MemoryFileSystem fs;
  fs.reuse_inodes(true);
  fs.write_file("/a", "1");
  const auto inode = fs.stat("/a")->inode;
  ASSERT_TRUE(fs.remove("/a"));
  fs.write_file("/b", "2");
  EXPECT_EQ(fs.stat("/b")->inode, inode);
}

TEST(MemoryFileSystem, UnreadableFileSaysSo) {
  MemoryFileSystem fs;
  fs.write_file("/a", "1");
  fs.chmod("/a", 0);
  EXPECT_EQ(fs.open("/a", OpenMode::read).error().code, EACCES);
}

TEST(MemoryFileSystem, AtomicWriteLeavesTheOldContentWhenTheDiskIsFull) {
  MemoryFileSystem fs;
  ASSERT_TRUE(fs.write_atomically("/f", "old"));
  fs.set_free_bytes(1);
  EXPECT_FALSE(fs.write_atomically("/f", "newer"));
  EXPECT_EQ(content(fs, "/f"), "old");
}

TEST(MemoryFileSystem, PowerCutTakesWhatWasNotSynced) {
  MemoryFileSystem fs;
  fs.write_file("/d/old", "old");
  fs.track_syncs();
  auto file = fs.open("/d/old", OpenMode::append).value();
  ASSERT_TRUE(file->write("+kept"));
  ASSERT_TRUE(file->sync());
  ASSERT_TRUE(file->write("+lost"));
  ASSERT_TRUE(fs.rename("/d/old", "/d/new"));
  file.reset();
  fs.cut_power([](std::size_t n) { return n == 4 ? 3u : 0u; });
  EXPECT_EQ(content(fs, "/d/old"), "old+kept");
  EXPECT_FALSE(fs.stat("/d/new"));
  EXPECT_EQ(fs.stat("/d/old")->links, 1u);

  ASSERT_TRUE(fs.rename("/d/old", "/d/new"));
  ASSERT_TRUE(fs.sync_dir("/d"));
  fs.cut_power([](std::size_t) { return 0u; });
  EXPECT_EQ(content(fs, "/d/new"), "old+kept");
}

TEST(MemoryFileSystem, WhatIsWrittenAtomicallyIsTheDirectorysOwners) {
  MemoryFileSystem fs;
  ASSERT_TRUE(fs.make_dirs("/d"));
  fs.chown("/d", 7, 8);
  ASSERT_TRUE(fs.write_atomically("/d/f", "x"));
  EXPECT_EQ(fs.stat("/d/f")->uid, 7u);
  EXPECT_EQ(fs.stat("/d/f")->gid, 8u);
  fs.fail_next("give_to", EPERM);
  ASSERT_TRUE(fs.write_atomically("/d/f", "by somebody who may not give it away"));
  EXPECT_EQ(fs.stat("/d/f")->uid, 0u);
}

TEST(FakeClock, BothTimesMoveTogether) {
  FakeClock clock(5);
  const MonoTime start = clock.now();
  clock.advance(std::chrono::seconds(1));
  EXPECT_EQ(clock.now() - start, std::chrono::seconds(1));
  EXPECT_EQ(clock.wall(), 1'000'000'005);
}

}  // namespace
}  // namespace sidelight

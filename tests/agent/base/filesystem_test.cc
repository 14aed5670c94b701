#include "agent/base/filesystem.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <thread>

#include "tests/agent/base/temp_dir.h"
#include "tests/fakes/bound_by_file_modes.h"

namespace sidelight {
namespace {

class Disk : public testing::Test {
 protected:
  void write(const std::string& name, std::string_view bytes) {
    auto file = fs.open(dir / name, OpenMode::create_new);
    ASSERT_TRUE(file);
    ASSERT_TRUE((*file)->write(bytes));
  }
  std::string content(const std::string& name) {
    auto text = fs.read_file(dir / name, 1 << 20);
    return text ? *text : text.error().message;
  }

  PosixFileSystem fs;
  test::TempDir dir;
};

TEST_F(Disk, ReadsWholeFilesOfAnySize) {
  for (const std::size_t n : {0u, 1u, 65535u, 65536u, 65537u, 300000u}) {
    const std::string bytes(n, 'x');
    write("f", bytes);
    EXPECT_EQ(content("f"), bytes) << n;
  }
}

TEST_F(Disk, ReadsFilesThatSayTheyAreEmpty) {
  const auto text = fs.read_file("/proc/self/status", 1 << 20);
  ASSERT_TRUE(text) << text.error().message;
  EXPECT_NE(text->find("Name:"), std::string::npos);
}

TEST_F(Disk, RefusesFilesThatAreTooLarge) {
  write("f", "12345");
  EXPECT_EQ(fs.read_file(dir / "f", 5).value(), "12345");
  const auto r = fs.read_file(dir / "f", 4);
  ASSERT_FALSE(r);
  EXPECT_EQ(r.error().message, dir / "f is larger than 4 bytes");
  EXPECT_EQ(r.error().code, EFBIG);
}

TEST_F(Disk, ReadsFromAnOffsetAndFewerOnlyAtTheEnd) {
  write("f", "0123456789");
  const auto file = fs.open(dir / "f", OpenMode::read).value();
  std::array<char, 8> buffer{};
  EXPECT_EQ(file->read_at(buffer.data(), 8, 1).value(), 8u);
  EXPECT_EQ(std::string(buffer.data(), 8), "12345678");
  EXPECT_EQ(file->read_at(buffer.data(), 8, 7).value(), 3u);
  EXPECT_EQ(file->read_at(buffer.data(), 8, 100).value(), 0u);
}

TEST_F(Disk, AtomicWriteReplacesAndLeavesNothingBehind) {
  ASSERT_TRUE(fs.write_atomically(dir / "f", "one"));
  const auto first = fs.stat(dir / "f")->inode;
  const auto reader = fs.open(dir / "f", OpenMode::read).value();
  ASSERT_TRUE(fs.write_atomically(dir / "f", "two"));
  EXPECT_EQ(content("f"), "two");
  EXPECT_NE(fs.stat(dir / "f")->inode, first) << "whoever reads the old one reads it whole";
  EXPECT_EQ(fs.list(dir.path())->size(), 1u);
}

TEST_F(Disk, AtomicWriteWithoutADirectorySaysWhichFile) {
  const auto r = fs.write_atomically(dir / "no/f", "x");
  ASSERT_FALSE(r);
  EXPECT_EQ(r.error().message, "open " + dir / "no/f.tmp: No such file or directory");
}

TEST_F(Disk, AppendingAfterATruncationLeavesNoHole) {
  for (const OpenMode mode : {OpenMode::append, OpenMode::create_new}) {
    const auto file = fs.open(dir / "f", mode).value();
    ASSERT_TRUE(file->write("0123456789"));
    ASSERT_TRUE(file->truncate(4));
    ASSERT_TRUE(file->write("ab"));
    EXPECT_EQ(content("f"), "0123ab");
    ASSERT_TRUE(fs.remove(dir / "f"));
  }
}

TEST_F(Disk, OpenModesCreateWithTheirPermissions) {
  const mode_t old = ::umask(0);
  fs.open(dir / "a", OpenMode::append).value();
  fs.open(dir / "c", OpenMode::create_new).value();
  ::umask(old);
  EXPECT_EQ(fs.stat(dir / "a")->mode & 07777u, 0640u);
  EXPECT_EQ(fs.stat(dir / "c")->mode & 07777u, 0600u);
}

TEST_F(Disk, FifoDoesNotHangTheReader) {
  ASSERT_EQ(::mkfifo((dir / "fifo").c_str(), 0600), 0);
  const auto file = fs.open(dir / "fifo", OpenMode::read);
  ASSERT_TRUE(file);
  EXPECT_FALSE((*file)->stat()->is_regular());
}

TEST_F(Disk, PipeIsReadToItsEnd) {
  const std::string bytes(200'000, 'x');  // more than a pipe holds
  std::array<int, 2> ends{};
  ASSERT_EQ(::pipe(ends.data()), 0);
  std::thread writer([&] {
    for (std::size_t at = 0; at < bytes.size();) {
      const auto n = ::write(ends[1], bytes.data() + at, bytes.size() - at);
      if (n < 0) break;
      at += static_cast<std::size_t>(n);
    }
    ::close(ends[1]);
  });
  const auto text = fs.read_file("/dev/fd/" + std::to_string(ends[0]), 1 << 20);
  ::close(ends[0]);
  writer.join();
  ASSERT_TRUE(text) << text.error().message;
  EXPECT_EQ(*text, bytes);
}

TEST_F(Disk, SecondLockIsRefusedUntilTheFirstIsGone) {
  auto first = fs.lock(dir / "lock");
  ASSERT_TRUE(first);
  const auto second = fs.lock(dir / "lock");
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, EWOULDBLOCK);
  EXPECT_EQ(second.error().message, "lock " + dir / "lock: Resource temporarily unavailable");
  first->reset();
  EXPECT_TRUE(fs.lock(dir / "lock"));
}

TEST_F(Disk, StatTellsFilesApart) {
  write("f", "123");
  std::filesystem::create_symlink("f", dir / "link");
  std::filesystem::create_hard_link(dir / "f", dir / "hard");
  const FileStat st = fs.stat(dir / "link").value();
  EXPECT_TRUE(st.is_regular());
  EXPECT_EQ(st.size, 3u);
  EXPECT_EQ(st.links, 2u);
  EXPECT_EQ(st.uid, ::getuid());
  EXPECT_GT(st.mtime_ns, 1'500'000'000'000'000'000);
  struct stat plain{};
  ASSERT_EQ(::stat((dir / "f").c_str(), &plain), 0);
  EXPECT_EQ(st.inode, plain.st_ino);
  EXPECT_EQ(st.dev, plain.st_dev);
  EXPECT_FALSE(fs.lstat(dir / "link")->is_regular());
  EXPECT_NE(fs.lstat(dir / "link")->inode, st.inode);
  EXPECT_TRUE(fs.stat(dir.path())->is_directory());
  EXPECT_EQ(fs.real_path(dir / "link").value(), fs.real_path(dir / "f").value());
  EXPECT_EQ(fs.open(dir / "f", OpenMode::read).value()->stat()->inode, st.inode);
}

TEST_F(Disk, ListsEverythingButItselfAndItsParent) {
  write("f", "");
  ASSERT_TRUE(fs.make_dirs(dir / "d/e"));
  std::filesystem::create_symlink("d", dir / "link");
  auto entries = fs.list(dir.path()).value();
  std::sort(entries.begin(), entries.end(), [](const auto& a, const auto& b) { return a.name < b.name; });
  ASSERT_EQ(entries.size(), 3u);
  EXPECT_EQ(entries[0].name, "d");
  EXPECT_TRUE(entries[0].may_be_directory);
  EXPECT_EQ(entries[1].name, "f");
  EXPECT_EQ(entries[1].inode, fs.stat(dir / "f")->inode);
  EXPECT_EQ(entries[2].name, "link");
  EXPECT_TRUE(entries[2].may_be_directory);
}

TEST_F(Disk, MakesAllParents) {
  EXPECT_TRUE(fs.make_dirs(dir / "a/b/c"));
  EXPECT_TRUE(fs.make_dirs(dir / "a/b/c"));
  EXPECT_TRUE(fs.make_dirs(dir / "a/x/"));
  EXPECT_TRUE(fs.stat(dir / "a/b/c")->is_directory());
  write("f", "");
  const auto r = fs.make_dirs(dir / "f");
  ASSERT_FALSE(r);
  EXPECT_EQ(r.error().message, dir / "f exists and is not a directory");
  EXPECT_FALSE(fs.make_dirs(dir / "f/g"));
}

TEST_F(Disk, ErrorsNameTheFileAndTheReason) {
  const std::string no = dir / "no";
  EXPECT_EQ(fs.open(no, OpenMode::read).error().message, "open " + no + ": No such file or directory");
  EXPECT_EQ(fs.stat(no).error().message, "stat " + no + ": No such file or directory");
  EXPECT_EQ(fs.list(no).error().message, "list " + no + ": No such file or directory");
  EXPECT_EQ(fs.remove(no).error().message, "remove " + no + ": No such file or directory");
  EXPECT_EQ(fs.rename(no, dir / "x").error().message,
            "rename " + no + " to " + dir / "x: No such file or directory");
  EXPECT_EQ(fs.real_path(no).error().message, "resolve " + no + ": No such file or directory");
  EXPECT_EQ(fs.sync_dir(no).error().code, ENOENT);
  EXPECT_EQ(fs.open(dir.path(), OpenMode::append).error().code, EISDIR);
}

TEST_F(Disk, WriteToAFullDeviceSaysSo) {
  auto file = fs.open("/dev/full", OpenMode::append);
  if (!file) GTEST_SKIP() << "no /dev/full here";
  EXPECT_EQ((*file)->write("x").error().message, "write /dev/full: No space left on device");
}

TEST_F(Disk, UnreadableFileSaysSo) {
  const test::BoundByFileModes bound;
  write("f", "x");
  ASSERT_EQ(::chmod((dir / "f").c_str(), 0), 0);
  EXPECT_EQ(fs.open(dir / "f", OpenMode::read).error().code, EACCES);
}

TEST(Paths, AreSplitAtTheLastSlash) {
  EXPECT_EQ(dir_name("/a/b/c"), "/a/b");
  EXPECT_EQ(dir_name("/a"), "/");
  EXPECT_EQ(dir_name("a"), ".");
  EXPECT_EQ(base_name("/a/b"), "b");
  EXPECT_EQ(base_name("a"), "a");
}

TEST_F(Disk, TryingToWriteLeavesNothingBehind) {
  ASSERT_TRUE(try_writing_in(fs, dir.path(), "probe"));
  ASSERT_TRUE(try_writing_in(fs, dir / "no/such/place", "probe")) << "its parent can be written";
  EXPECT_TRUE(fs.list(dir.path())->empty());
  write("file", "x");
  EXPECT_EQ(try_writing_in(fs, dir / "file", "probe").error().code, ENOTDIR);
  EXPECT_EQ(try_writing_in(fs, dir / "file/below", "probe").error().code, ENOTDIR);
}

TEST_F(Disk, RefusedRightsAreToldWithOwnerModeAndUs) {
  ASSERT_EQ(::chmod(dir.path().c_str(), 0750), 0);
  const auto st = fs.stat(dir.path());
  const std::string owner = std::to_string(st->uid) + ":" + std::to_string(st->gid);
  const std::string us = std::to_string(::geteuid()) + ":" + std::to_string(::getegid());
  EXPECT_EQ(with_rights(fs, dir / "no/such", Error{"open: no", EACCES}).message,
            "open: no; " + dir.path() + " (owner " + owner + ", mode 0750; we are " + us + ")");
  EXPECT_EQ(with_rights(fs, dir / "no/such", Error{"full", ENOSPC}).message, "full");
}

}  // namespace
}  // namespace sidelight

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <fstream>
#include <thread>

#include "agent/base/file_notifier.h"
#include "tests/agent/base/temp_dir.h"

namespace sidelight {
namespace {

using std::chrono::milliseconds;
using Kind = FileChange::Kind;

// The kernel queues a change before the call that made it returns: nothing here waits for time to pass.
class Notifier : public testing::Test {
 protected:
  void SetUp() override {
    std::string why;
    notifier = make_inotify_notifier(why);
    if (!why.empty()) GTEST_SKIP() << why;
    ASSERT_TRUE(notifier->watch(dir.path()));
  }
  std::vector<FileChange> changes() {
    overflowed = false;
    return notifier->wait(milliseconds(0), overflowed);
  }
  void append(const std::string& name, const std::string& bytes) {
    std::ofstream(dir / name, std::ios::app) << bytes;
  }
  static bool told(const std::vector<FileChange>& all, const std::string& dir, const std::string& name,
                   Kind kind) {
    return std::any_of(all.begin(), all.end(),
                       [&](const FileChange& c) { return c.dir == dir && c.name == name && c.kind == kind; });
  }

  test::TempDir dir;
  std::unique_ptr<FileNotifier> notifier;
  bool overflowed = false;
};

TEST_F(Notifier, TellsOfNewFilesAndOfWriting) {
  append("a", "1");
  auto all = changes();
  EXPECT_TRUE(told(all, dir.path(), "a", Kind::listing));
  EXPECT_TRUE(told(all, dir.path(), "a", Kind::content));
  append("a", "2");
  all = changes();
  EXPECT_FALSE(told(all, dir.path(), "a", Kind::listing));
  EXPECT_TRUE(told(all, dir.path(), "a", Kind::content));
  EXPECT_TRUE(changes().empty());
  EXPECT_FALSE(overflowed);
}

TEST_F(Notifier, TellsOfTruncation) {
  append("a", "123");
  changes();
  std::filesystem::resize_file(dir / "a", 0);
  EXPECT_TRUE(told(changes(), dir.path(), "a", Kind::content));
}

TEST_F(Notifier, TellsBothNamesOfARename) {
  append("a", "1");
  changes();
  std::filesystem::rename(dir / "a", dir / "b");
  const auto all = changes();
  EXPECT_TRUE(told(all, dir.path(), "a", Kind::listing));
  EXPECT_TRUE(told(all, dir.path(), "b", Kind::listing));
}

TEST_F(Notifier, TellsOfDeletionAndOfPermissions) {
  append("a", "1");
  changes();
  std::filesystem::permissions(dir / "a", std::filesystem::perms::owner_read);
  EXPECT_TRUE(told(changes(), dir.path(), "a", Kind::content));
  std::filesystem::remove(dir / "a");
  EXPECT_TRUE(told(changes(), dir.path(), "a", Kind::listing));
}

TEST_F(Notifier, OneWriterIsToldOnceHoweverOftenItWrites) {
  append("a", "1");
  changes();
  for (int i = 0; i < 500; ++i) append("a", "1");
  EXPECT_EQ(changes().size(), 1u);
}

TEST_F(Notifier, DirectoryUnderTwoNamesIsToldUnderBoth) {
  std::filesystem::create_directory(dir / "real");
  std::filesystem::create_symlink("real", dir / "link");
  ASSERT_TRUE(notifier->watch(dir / "real"));
  ASSERT_TRUE(notifier->watch(dir / "link"));
  ASSERT_TRUE(notifier->watch(dir / "link"));
  changes();
  append("real/a", "1");
  auto all = changes();
  EXPECT_TRUE(told(all, dir / "real", "a", Kind::content));
  EXPECT_TRUE(told(all, dir / "link", "a", Kind::content));
  notifier->unwatch(dir / "real");
  append("real/a", "1");
  all = changes();
  EXPECT_FALSE(told(all, dir / "real", "a", Kind::content));
  EXPECT_TRUE(told(all, dir / "link", "a", Kind::content));
  notifier->unwatch(dir / "link");
  changes();
  append("real/a", "1");
  EXPECT_TRUE(changes().empty());
}

TEST_F(Notifier, RemovedDirectoryMakesEverythingDoubtful) {
  std::filesystem::create_directory(dir / "sub");
  ASSERT_TRUE(notifier->watch(dir / "sub"));
  changes();
  std::filesystem::remove(dir / "sub");
  changes();
  EXPECT_TRUE(overflowed);
  std::filesystem::create_directory(dir / "sub");
  ASSERT_TRUE(notifier->watch(dir / "sub")) << "and can be watched again";
  changes();
  append("sub/a", "1");
  EXPECT_TRUE(told(changes(), dir / "sub", "a", Kind::content));
}

TEST_F(Notifier, PathThatLeadsElsewhereIsWatchedThere) {
  std::filesystem::create_directory(dir / "v1");
  std::filesystem::create_directory(dir / "v2");
  std::filesystem::create_symlink("v1", dir / "current");
  ASSERT_TRUE(notifier->watch(dir / "current"));
  std::filesystem::remove(dir / "current");
  std::filesystem::create_symlink("v2", dir / "current");
  ASSERT_TRUE(notifier->watch(dir / "current"));
  changes();
  append("v2/a", "1");
  EXPECT_TRUE(told(changes(), dir / "current", "a", Kind::content));
  append("v1/a", "1");
  EXPECT_FALSE(told(changes(), dir / "current", "a", Kind::content))
      << "it is not the same directory any more";
  notifier->unwatch(dir / "current");
  changes();
  append("v2/a", "1");
  EXPECT_TRUE(changes().empty());
}

TEST_F(Notifier, WhatCannotBeWatchedIsAnError) {
  const auto r = notifier->watch(dir / "no");
  ASSERT_FALSE(r);
  EXPECT_EQ(r.error().message, "watch " + dir / "no: No such file or directory");
  append("file", "1");
  EXPECT_EQ(notifier->watch(dir / "file").error().code, ENOTDIR);
}

TEST_F(Notifier, WakeEndsAWaitAndARest) {
  notifier->wake();
  notifier->wake();
  EXPECT_TRUE(notifier->wait(milliseconds(60'000), overflowed).empty()) << "woken before";
  EXPECT_FALSE(overflowed);
  notifier->wake();
  notifier->rest(milliseconds(60'000));
  changes();
  std::thread other([this] { notifier->wake(); });
  notifier->rest(milliseconds(60'000));
  other.join();
  EXPECT_TRUE(changes().empty());
}

// Without this a request to stop that comes while notifications gather is seen at the next scan only.
TEST(NotifierWake, ThatEndsARestEndsTheNextWaitToo) {
  std::string why;
  const auto notifier = make_inotify_notifier(why);  // both kinds promise it
  bool overflowed = false;
  notifier->wake();
  notifier->rest(milliseconds(10'000));
  notifier->rest(milliseconds(10'000));
  const auto begin = std::chrono::steady_clock::now();
  notifier->wait(milliseconds(10'000), overflowed);
  EXPECT_LT(std::chrono::steady_clock::now() - begin, milliseconds(5'000));
}

TEST_F(Notifier, RestLetsChangesGather) {
  append("a", "1");
  notifier->rest(milliseconds(0));
  EXPECT_FALSE(changes().empty());
}

}  // namespace
}  // namespace sidelight

// What a user sees of files: which are read, from where, and what becomes of those that go away.
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>

#include "tests/agent/pipeline/worker_rig.h"

namespace sidelight::test {
namespace {

using Texts = std::vector<std::string>;

// Sorted.
Texts texts(const Rig& rig) {
  Texts out;
  for (const auto& [id, doc] : rig.stored) out.push_back(doc.message);
  std::sort(out.begin(), out.end());
  return out;
}

TEST(Deleted, UnreadFileIsStillDelivered) {
  Rig rig;
  rig.start();
  rig.append("a.log", "one\n");
  rig.turn();
  rig.worker().pause_input(0, "test");
  rig.append("a.log", "two\n");
  rig.turn();
  rig.remove("a.log");
  rig.turn();
  EXPECT_EQ(rig.tail_probe.held, 4u);
  rig.worker().resume_input(0);
  rig.settle();
  EXPECT_EQ(texts(rig), (Texts{"one", "two"}));
  EXPECT_EQ(rig.tail_probe.lost, 0u);
}

TEST(Deleted, BeyondTheBudgetIsCountedToTheByte) {
  Rig rig;
  rig.limits.deleted_files_budget = 10;
  rig.start();
  rig.append("a.log", "one\n");
  rig.turn();
  rig.worker().pause_input(0, "test");
  rig.append("a.log", "0123456789\n");
  rig.turn();
  rig.remove("a.log");
  for (int i = 0; i < 5; ++i) rig.turn();
  rig.worker().resume_input(0);
  rig.settle();
  EXPECT_EQ(texts(rig), Texts{"one"});
  EXPECT_EQ(rig.tail_probe.lost, 11u);
}

TEST(Deleted, WhileDownIsCountedToTheByte) {
  Rig rig;
  rig.start();
  rig.append("a.log", "one\n");
  rig.settle();
  rig.append("a.log", "two, not read\n");
  rig.worker().pause_input(0, "test");
  rig.turn();
  rig.worker().checkpoint();
  rig.settle();
  rig.crash();
  rig.remove("a.log");
  rig.start();
  rig.settle();
  EXPECT_EQ(texts(rig), Texts{"one"});
  EXPECT_EQ(rig.tail_probe.lost, 14u);
}

TEST(Start, EndHoldsForTheFirstStartOnly) {
  TailOptions tail;
  tail.start = StartAt::end;
  Rig rig(tail);
  rig.append("a.log", "old\n");
  rig.start();
  rig.append("a.log", "new\n");
  rig.append("b.log", "later file\n");
  rig.settle();
  EXPECT_EQ(texts(rig), (Texts{"later file", "new"}));
  rig.crash();
  rig.append("a.log", "while down\n");
  rig.append("c.log", "file while down\n");
  rig.start();
  rig.settle();
  EXPECT_EQ(texts(rig), (Texts{"file while down", "later file", "new", "while down"}));
}

TEST(Files, ExcludedOnesAreNotRead) {
  TailOptions tail;
  tail.paths = {"*"};
  tail.exclude = {"*.tmp", "skip*"};
  Rig rig(tail);
  rig.append("a.log", "a\n");
  rig.append("b.tmp", "b\n");
  rig.append("skip.log", "c\n");
  rig.start();
  rig.settle();
  EXPECT_EQ(texts(rig), Texts{"a"});
}

TEST(Files, TwoPathsToOneFileAreReadOnce) {
  Rig rig;
  rig.append("a.log", "one\n");
  rig.symlink("a.log", "b.log");
  std::filesystem::create_hard_link(rig.path("a.log"), rig.path("c.log"));
  rig.start();
  rig.settle();
  rig.append("a.log", "two\n");
  rig.settle();
  EXPECT_EQ(texts(rig), (Texts{"one", "two"}));
}

TEST(Files, CompressedOneThatWasMissedIsRead) {
  Rig rig;
  rig.start();
  rig.append("a.log", "one\n");
  rig.settle();
  rig.crash();
  rig.append("a.log", "two\n");
  rig.rename("a.log", "a.log.1");
  rig.gzip("a.log.1");
  rig.append("a.log", "three\n");
  rig.start();
  rig.settle();
  EXPECT_EQ(texts(rig), (Texts{"one", "three", "two"}));
  EXPECT_EQ(rig.tail_probe.lost, 0u);
}

TEST(Files, NewFileWithAnOldInodeIsNew) {
  Rig rig;
  rig.start();
  int reused = 0;
  Texts expected;
  for (int i = 0; i < 20; ++i) {
    const std::string text = "generation " + std::to_string(i);
    rig.append("a.log", text + "\n");
    expected.push_back(text);
    struct stat before{};
    ASSERT_EQ(::stat(rig.path("a.log").c_str(), &before), 0);
    rig.settle();
    rig.crash();
    rig.remove("a.log");
    rig.append("a.log", "");
    struct stat after{};
    ASSERT_EQ(::stat(rig.path("a.log").c_str(), &after), 0);
    if (before.st_ino == after.st_ino) ++reused;
    rig.start();
  }
  rig.settle();
  std::sort(expected.begin(), expected.end());
  EXPECT_EQ(texts(rig), expected);
  RecordProperty("reused", reused);
}

TEST(Files, UnreadableOneIsCountedAndReadOnceItMay) {
  if (::geteuid() == 0) GTEST_SKIP() << "nothing is unreadable to root";
  Rig rig;
  rig.append("a.log", "a\n");
  ASSERT_EQ(::chmod(rig.path("a.log").c_str(), 0), 0);
  rig.start();
  rig.settle();
  EXPECT_EQ(rig.tail_probe.unreadable, 1u);
  ASSERT_EQ(::chmod(rig.path("a.log").c_str(), 0600), 0);
  rig.settle();
  EXPECT_EQ(texts(rig), Texts{"a"});
  EXPECT_EQ(rig.tail_probe.unreadable, 0u);
}

TEST(Files, BeyondTheLimitAreCountedAndReadOnceThereIsRoom) {
  Rig rig;
  rig.limits.max_files = 2;
  for (const char* name : {"a.log", "b.log", "c.log", "d.log"}) rig.append(name, std::string(name) + "\n");
  rig.start();
  rig.settle();
  EXPECT_EQ(rig.stored.size(), 2u);
  EXPECT_EQ(rig.tail_probe.ignored, 2u);
  for (const char* name : {"a.log", "b.log", "c.log", "d.log"}) rig.remove(name);
  rig.append("e.log", "e\n");
  for (int i = 0; i < 5; ++i) rig.settle();
  EXPECT_EQ(rig.stored.size(), 3u);
  EXPECT_EQ(rig.tail_probe.ignored, 0u);
}

TEST(Files, RotatedOneIsClosedAndForgottenWhenItIsSettled) {
  Rig rig;
  rig.start();
  rig.append("a.log", "one\n");
  rig.settle();
  rig.rename("a.log", "a.log.1");
  rig.append("a.log", "two\n");
  rig.settle();
  rig.settle();
  EXPECT_EQ(texts(rig), (Texts{"one", "two"}));
  EXPECT_LE(rig.tail_probe.open, 1u);
  rig.remove("a.log.1");
  rig.settle();
  EXPECT_EQ(rig.tail_probe.tracked, 1u);
}

TEST(Files, DirectoryMayAppearLater) {
  TailOptions tail;
  tail.paths = {"later/*/*.log"};
  Rig rig(tail);
  rig.start();
  rig.settle();
  std::filesystem::create_directories(rig.path("later/app"));
  rig.append("later/app/a.log", "one\n");
  rig.settle();
  EXPECT_EQ(texts(rig), Texts{"one"});
}

TEST(Files, ManyMoreThanMayBeOpen) {
  Rig rig;
  rig.limits.max_open_files = 50;
  constexpr int kFiles = 1000;
  for (int i = 0; i < kFiles; ++i) rig.append(std::to_string(i) + ".log", std::to_string(i) + "\n");
  rig.start();
  for (int i = 0; i < 200 && rig.stored.size() < kFiles; ++i) {
    rig.turn(i == 0);
    EXPECT_LE(rig.tail_probe.open, 50u);
    rig.acknowledge(100);
  }
  EXPECT_EQ(rig.stored.size(), std::size_t{kFiles});
  for (int i = 0; i < kFiles; i += 7)
    rig.append(std::to_string(i) + ".log", "more " + std::to_string(i) + "\n");
  for (int i = 0; i < 100; ++i) {
    rig.turn(i == 0);
    rig.acknowledge(100);
  }
  EXPECT_EQ(rig.stored.size(), std::size_t{kFiles} + (kFiles + 6) / 7);
  EXPECT_EQ(rig.tail_probe.lost, 0u);
}

}  // namespace
}  // namespace sidelight::test

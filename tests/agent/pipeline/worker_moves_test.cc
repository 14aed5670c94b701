// Files that move, that are away for a while or get lines late: each is read once. What is deleted counts.
#include <gtest/gtest.h>

#include <filesystem>

#include "tests/agent/pipeline/worker_rig.h"

namespace sidelight::test {
namespace {

TEST(Late, LinesThatARotatedFileGetsAfterItWasLetGoAreRead) {
  Rig rig;
  rig.start();
  rig.append("a.log", "one\n");
  rig.settle();
  rig.rename("a.log", "a.log.1");
  rig.append("a.log", "two\n");
  rig.settle();
  for (const char* line : {"late", "later"}) {
    ASSERT_EQ(rig.tail_probe.open, 1u);
    rig.append("a.log.1", std::string(line) + "\n");
    rig.settle();
  }
  EXPECT_EQ(texts(rig), (Texts{"late", "later", "one", "two"}));
  // Other bytes in its place are nobody's.
  rig.truncate("a.log.1");
  rig.append("a.log.1", "something else, longer than what was there\n");
  rig.settle();
  EXPECT_EQ(rig.stored.size(), 4u);
  EXPECT_EQ(rig.tail_probe.lost, 0u);
}

// A thousand bytes and more, as tell files apart.
std::string lines(int from, int to) {
  std::string out;
  for (int i = from; i < to; ++i) out += "line " + std::to_string(i) + " " + std::string(100, '.') + "\n";
  return out;
}

class AnotherDirectory : public ::testing::Test {
 protected:
  AnotherDirectory() {
    std::filesystem::create_directories(rig.path("old"));
    rig.match("**");
    rig.append("a.log", lines(0, 20));
    rig.start();
    rig.settle();
  }
  ~AnotherDirectory() override {
    rig.settle();
    EXPECT_EQ(rig.stored.size(), 40u);
    EXPECT_EQ(rig.duplicates, 0u) << "each line was offered once";
    EXPECT_EQ(rig.tail_probe.lost, 0u);
  }
  Rig rig;
};

TEST_F(AnotherDirectory, MayTakeTheCompressedFileAtOnce) {
  rig.rename("a.log", "old/a.log.1");
  rig.gzip("old/a.log.1");
  rig.append("a.log", lines(20, 40));
}

TEST_F(AnotherDirectory, MayTakeTheCompressedFileLater) {
  rig.rename("a.log", "old/a.log.1");
  rig.append("a.log", lines(20, 30));
  rig.settle();
  rig.rename("a.log", "old/a.log");
  rig.gzip("old/a.log.1");
  rig.rename("old/a.log.1.gz", "old/a.log.2.gz");
  rig.rename("old/a.log", "old/a.log.1");
  rig.append("a.log", lines(30, 40));
  rig.settle();
  rig.gzip("old/a.log.1");
}

TEST_F(AnotherDirectory, MayTakeACopyBeforeTheTruncation) {
  rig.copy("a.log", "old/a.log.1");
  rig.settle();
  rig.truncate("a.log");
  rig.append("a.log", lines(20, 40));
}

TEST_F(AnotherDirectory, MayHoldACopyAndItsArchiveForAWhile) {
  rig.append("a.log", lines(20, 40));
  for (int n = 0; n < 8; ++n) {  // either may be found first
    const std::string log = "n" + std::to_string(n) + ".log";
    rig.append(log, lines(1000 * n, 1000 * n + 20));
    rig.settle();
    const auto before = rig.stored.size();
    rig.copy(log, "old/" + log + ".1");
    rig.truncate(log);
    rig.gzip("old/" + log + ".1", true);
    rig.settle();
    rig.remove("old/" + log + ".1");
    rig.settle();
    EXPECT_EQ(rig.stored.size(), before);
  }
  rig.stored.clear();
  rig.append("a.log", lines(40, 80));
}

TEST_F(AnotherDirectory, MayTakeTheCompressedFileUnreadDuringAStop) {
  rig.append("a.log", lines(20, 30));
  rig.crash();
  rig.rename("a.log", "old/a.log.1");
  rig.gzip("old/a.log.1");
  rig.append("a.log", lines(30, 40));
  rig.start();
}

TEST_F(AnotherDirectory, OfALogOfTheSameNameAndBeginningIsReadAllTheSame) {
  std::filesystem::create_directories(rig.path("other"));
  rig.append("other/a.log.1", lines(0, 15) + lines(20, 25));
}

TEST(Truncated, WhatIsLostIsToldToTheByteBehindNewBytesToo) {
  for (const bool paused : {false, true}) {
    Rig rig;
    rig.append("a.log", "one\n");
    rig.start();
    rig.settle();
    if (paused) rig.worker().pause_input(0, 0, "test");
    if (paused) rig.append("a.log", "not read\n");
    rig.turn();
    rig.truncate("a.log");
    rig.append("a.log", "new, and longer than what was there\n");
    rig.turn();
    if (paused) rig.worker().resume_input(0, 0);
    rig.settle();
    EXPECT_EQ(texts(rig), (Texts{"new, and longer than what was there", "one"}));
    EXPECT_EQ(rig.tail_probe.lost, paused ? 9u : 0u);
  }
}

TEST(Deleted, CopyBeyondTheBudgetIsCountedToTheByte) {
  for (const std::uint64_t budget : {10u, 100u}) {
    Rig rig;
    rig.limits.deleted_files_budget = budget;
    rig.start();
    rig.append("a.log", "one\n");
    rig.settle();
    rig.worker().pause_input(0, 0, "test");
    rig.append("a.log", "0123456789\n");
    rig.turn();
    rig.copy("a.log", "a.log.1");
    rig.truncate("a.log");
    rig.append("a.log", "new\n");
    for (int i = 0; i < 3; ++i) rig.turn();
    EXPECT_EQ(rig.tail_probe.held, 0u);
    rig.remove("a.log.1");
    rig.turn();
    EXPECT_EQ(rig.tail_probe.held, budget > 11 ? 11u : 0u);
    rig.worker().resume_input(0, 0);
    rig.settle();
    EXPECT_EQ(texts(rig), (budget > 11 ? Texts{"0123456789", "new", "one"} : Texts{"new", "one"}));
    EXPECT_EQ(rig.tail_probe.lost, budget > 11 ? 0u : 11u);
    EXPECT_EQ(rig.tail_probe.tracked, 1u);
  }
}

TEST(Deleted, ArchiveBeyondTheBudgetIsCountedToTheByte) {
  Rig rig(TailOptions{{"*.gz"}, {}, {}});
  rig.limits.deleted_files_budget = 10;
  rig.start();
  rig.worker().pause_input(0, 0, "test");
  rig.append("a.log.1", "0123456789\n");
  rig.gzip("a.log.1");
  rig.turn();
  EXPECT_EQ(rig.tail_probe.open, 1u);
  rig.remove("a.log.1.gz");
  for (int i = 0; i < 3; ++i) rig.turn();
  EXPECT_EQ(rig.tail_probe.lost, 11u);
  EXPECT_EQ(rig.tail_probe.open, 0u);
}

// logrotate's olddir, where the globs match it.
TEST(Moves, FileInAnotherMatchedDirectoryIsReadOnThere) {
  for (const std::size_t descriptors : {100u, 1u}) {
    Rig rig(TailOptions{{"**/*.log*"}, {}, {}});
    rig.limits.max_open_files = descriptors;
    std::filesystem::create_directory(rig.path("old"));
    rig.start();
    rig.append("a.log", "one\n");
    rig.append("b.log", "b\n");
    rig.settle();
    rig.append("a.log", "two\n");
    rig.rename("a.log", "old/a.log.1");
    rig.append("a.log", "three\n");
    rig.settle();
    rig.settle();  // let go of
    rig.rename("old/a.log.1", "old/a.log.2");
    rig.settle();
    std::filesystem::create_directory(rig.path("older"));
    rig.rename("old/a.log.2", "older/a.log.2");
    rig.settle();
    rig.crash();
    rig.start();
    rig.settle();
    EXPECT_EQ(texts(rig), (Texts{"b", "one", "three", "two"})) << descriptors;
    EXPECT_EQ(rig.duplicates, 0u);
    EXPECT_EQ(rig.tail_probe.lost, 0u);
  }
}

TEST(Moves, FileInAnotherMatchedDirectoryIsReadOnThereAfterAStop) {
  for (const bool finished : {false, true}) {
    Rig rig(TailOptions{{"**/*.log*"}, {}, {}});
    std::filesystem::create_directory(rig.path("old"));
    rig.start();
    rig.append("a.log", "one\n");
    rig.settle();
    if (finished) {
      rig.rename("a.log", "a.log.1");
      rig.settle();
      rig.settle();
    }
    rig.finish();
    if (!finished) {
      rig.append("a.log", "two\n");
      rig.rename("a.log", "a.log.1");
    }
    rig.rename("a.log.1", "old/a.log.1");
    rig.append("a.log", "three\n");
    rig.start();
    rig.settle();
    EXPECT_EQ(texts(rig), (finished ? Texts{"one", "three"} : Texts{"one", "three", "two"})) << finished;
    EXPECT_EQ(rig.duplicates, 0u);
    EXPECT_EQ(rig.tail_probe.lost, 0u);
  }
}

TEST(Absent, DirectoryThatIsAwayForAWhileDuringARunIsReadOnWhereReadingStopped) {
  for (const std::size_t descriptors : {100u, 1u}) {
    for (const bool restart : {false, true}) {
      for (const int turns : {1, 5, 60}) {
        Rig rig(TailOptions{{"vol/*.log"}, {}, {}});
        rig.limits.max_open_files = descriptors;
        std::filesystem::create_directory(rig.path("vol"));
        rig.start();
        rig.append("vol/a.log", "a\n");
        rig.append("vol/b.log", "b\n");
        rig.settle();
        rig.rename("vol", "away");
        for (int i = 0; i < turns; ++i) rig.turn();
        if (restart) {
          rig.crash();
          rig.start();
        }
        rig.append("away/a.log", "written meanwhile\n");
        rig.rename("away", "vol");
        rig.turn();
        rig.append("vol/b.log", "later\n");
        rig.settle();
        EXPECT_EQ(texts(rig), (Texts{"a", "b", "later", "written meanwhile"}))
            << descriptors << " " << restart << " " << turns;
        EXPECT_EQ(rig.duplicates, 0u);
        EXPECT_EQ(rig.tail_probe.lost, 0u);
      }
    }
  }
}

TEST(Absent, UnreadBytesOfADirectoryThatGoesAwayCountAsLostAndAreReadWhenItIsBack) {
  Rig rig(TailOptions{{"vol/*.log", "here.log"}, {}, {}});
  rig.limits.max_open_files = 1;
  std::filesystem::create_directory(rig.path("vol"));
  rig.start();
  rig.append("vol/a.log", "one\n");
  rig.settle();
  rig.append("here.log", "here\n");
  rig.settle();  // it has the descriptor
  rig.worker().pause_input(0, 0, "test");
  rig.append("vol/a.log", "two\n");
  rig.turn();
  rig.rename("vol", "away");
  rig.turn();
  rig.worker().resume_input(0, 0);
  rig.settle();
  EXPECT_EQ(rig.tail_probe.lost, 4u);
  EXPECT_EQ(rig.tail_probe.tracked, 1u);
  rig.rename("away", "vol");
  rig.settle();
  EXPECT_EQ(texts(rig), (Texts{"here", "one", "two"}));
  EXPECT_EQ(rig.duplicates, 0u);
  EXPECT_EQ(rig.tail_probe.lost, 4u);
}

}  // namespace
}  // namespace sidelight::test

// A journal that was damaged never stops the program; what is told, and what is used instead.
#include <gtest/gtest.h>

#include "tests/agent/checkpoint/stored.h"

namespace sidelight {
namespace {

using test::key_of;
using test::line_of;
using test::state_of;
using test::Stored;

const std::string kHeader = line_of(R"({"format":"sidelight-checkpoint","version":1,"at":5})");

std::string record(const std::vector<CheckpointState>& states) {
  std::string files;
  for (const auto& s : states) files += (files.empty() ? "" : ",") + encode_state(s);
  return line_of(R"({"at":7,"files":[)" + files + "]}");
}

void flip(std::string& text, std::size_t at) {
  text[at] = static_cast<char>(text[at] ^ 1);
}

// Two journals of one life: the predecessor knows 1 and 2, the current one 1 (further on) and 3.
struct Damaged : Stored {
  Damaged() {
    close();
    previous = kHeader + record({state_of(1, 10)}) + record({state_of(2, 20)}) + record({state_of(2, 22)});
    current = kHeader + record({state_of(1, 11)}) + record({state_of(3, 30)});
    fs.write_file("/state/checkpoint.previous", previous);
  }
  void load(const std::string& bytes) {
    fs.write_file("/state/checkpoint", bytes);
    reopen();
  }
  std::string told() const { return log.lines.size() == 1 ? log.lines[0].second : "(not one line)"; }
  std::string previous, current;
};

TEST(Damage, SoundJournalNeedsNoPredecessor) {
  Damaged d;
  d.load(d.current);
  EXPECT_EQ(d.states().size(), 2u);
  EXPECT_EQ(d.offset(2), -1);
  EXPECT_TRUE(d.log.lines.empty());
}

TEST(Damage, RecordInTheMiddleIsSkippedAndThePredecessorFillsTheGap) {
  Damaged d;
  std::string bytes = d.current;
  flip(bytes, kHeader.size() + 30);
  d.load(bytes);
  EXPECT_EQ(d.offset(1), 10) << "from the predecessor";
  EXPECT_EQ(d.offset(2), 22) << "its last word";
  EXPECT_EQ(d.offset(3), 30) << "still readable";
  EXPECT_EQ(d.content("checkpoint.damaged"), bytes);
  EXPECT_EQ(d.probe.damages, 1);
  EXPECT_EQ(d.told(),
            "checkpoint.damaged: /state/checkpoint is damaged (1 damaged records); it is kept as "
            "/state/checkpoint.damaged; going on with what can be read of it and its predecessor. Lines "
            "shipped since then are offered again; the destination knows most of them by their id.");
  EXPECT_FALSE(d.store->first_start());
}

TEST(Damage, WhatWasReadSurvivesACrashBeforeTheFirstCommit) {
  Damaged d;
  std::string bytes = d.current;
  flip(bytes, kHeader.size() + 30);
  d.load(bytes);
  d.reopen();
  EXPECT_EQ(d.states().size(), 3u);
  EXPECT_EQ(d.probe.damages, 1) << "told once";
}

TEST(Damage, ForgottenGenerationDoesNotComeBackFromThePredecessor) {
  Damaged d;
  d.load(d.current + line_of(R"({"forget":")" + key_of(2) + R"("})") + "00000000 {}\n");
  EXPECT_EQ(d.probe.damages, 1);
  EXPECT_EQ(d.offset(2), -1);
  EXPECT_EQ(d.offset(1), 11);
}

TEST(Damage, GenerationForgottenInThePredecessorStaysAway) {
  Damaged d;
  d.fs.write_file("/state/checkpoint.previous", d.previous + line_of(R"({"forget":")" + key_of(1) + R"("})"));
  d.load("");
  EXPECT_EQ(d.offset(1), -1);
  EXPECT_EQ(d.offset(2), 22);
}

TEST(Damage, EmptyFile) {
  Damaged d;
  d.load("");
  EXPECT_EQ(d.offset(1), 10);
  EXPECT_NE(d.told().find("(it is empty)"), std::string::npos) << d.told();
  EXPECT_NE(d.told().find("going on with its predecessor."), std::string::npos);
}

TEST(Damage, TruncatedAnywhereItStarts) {
  for (std::size_t size = 0; size <= Damaged().current.size(); ++size) {
    Damaged d;
    d.load(d.current.substr(0, size));
    ASSERT_TRUE(d.store) << size;
    EXPECT_EQ(d.probe.damages, size < kHeader.size() ? 1 : 0) << size;
    EXPECT_EQ(d.offset(3), size == d.current.size() ? 30 : -1) << size;
  }
}

TEST(Damage, OneByteAnywhereNeverStopsTheProgramNorInventsAnything) {
  const std::size_t size = Damaged().current.size();
  for (std::size_t at = 0; at < size; ++at) {
    Damaged d;
    std::string bytes = d.current;
    flip(bytes, at);
    d.load(bytes);
    ASSERT_TRUE(d.store) << at;
    for (const auto& [key, state] : d.states()) {
      EXPECT_TRUE(state == state_of(1, 10) || state == state_of(1, 11) || state == state_of(2, 22) ||
                  state == state_of(3, 30))
          << at;
    }
    EXPECT_GE(d.offset(1), 10) << at;
  }
}

TEST(Damage, FutureVersionIsSetAsideByItsName) {
  Damaged d;
  const std::string future =
      line_of(R"({"format":"sidelight-checkpoint","version":2,"at":5})") + record({state_of(1, 99)});
  d.load(future);
  EXPECT_EQ(d.offset(1), 10);
  EXPECT_EQ(d.content("checkpoint.damaged"), future);
  EXPECT_NE(d.told().find("(it is of version 2, this program knows version 1)"), std::string::npos)
      << d.told();
}

TEST(Damage, ForeignFilesAreSetAside) {
  for (const std::string& bytes :
       {std::string("hello\n"), std::string("\0\0\0\0\n", 5), line_of("[1]"), line_of(R"({"format":7})"),
        line_of(R"({"format":"other","version":1})"),
        line_of(R"({"format":"sidelight-checkpoint","version":"1"})"),
        line_of(R"({"format":"sidelight-checkpoint"})"), std::string(100'000, '[')}) {
    Damaged d;
    d.load(bytes);
    ASSERT_TRUE(d.store);
    EXPECT_EQ(d.offset(1), 10);
    EXPECT_NE(d.told().find("(its header cannot be read)"), std::string::npos) << d.told();
  }
}

TEST(Damage, BothDamagedStartsWithNothingYetNotAnew) {
  Damaged d;
  d.fs.write_file("/state/checkpoint.previous", "xx");
  d.load("yy\n");
  EXPECT_TRUE(d.states().empty());
  EXPECT_FALSE(d.store->first_start()) << "start: end must not skip anything";
  EXPECT_NE(d.told().find("going on with nothing."), std::string::npos) << d.told();
  ASSERT_TRUE(d.put({state_of(1, 5)}));
  d.reopen();
  EXPECT_EQ(d.offset(1), 5);
}

TEST(Damage, GlobsAreNotKnownAfterIt) {
  Damaged d;
  d.load(d.current + line_of(R"({"at":1,"globs":["/a"]})"));
  EXPECT_TRUE(d.store->globs());
  d.load(d.current + line_of(R"({"at":1,"globs":["/a"]})") + line_of("{}"));
  EXPECT_FALSE(d.store->globs()) << "start: end must not skip anything";
}

TEST(Damage, GlobsOfNoSenseAreCounted) {
  Damaged d;
  d.load(d.current + line_of(R"({"globs":["%"]})") + line_of(R"({"globs":{}})") +
         line_of(R"({"globs":[1]})"));
  EXPECT_FALSE(d.store->globs());
  EXPECT_NE(d.told().find("(3 damaged records)"), std::string::npos) << d.told();
}

TEST(Damage, OnlyADamagedPredecessorIsToldToo) {
  Damaged d;
  d.fs.write_file("/state/checkpoint.previous", "xx\n");
  d.reopen();
  EXPECT_EQ(d.probe.damages, 1);
  EXPECT_EQ(d.told().find("checkpoint.damaged: /state/checkpoint.previous is damaged"), 0u) << d.told();
  EXPECT_FALSE(d.store->first_start());
}

TEST(Damage, CrashAfterSettingAsideIsNoFirstStart) {
  Damaged d;
  ASSERT_TRUE(d.fs.remove("/state/checkpoint.previous"));
  d.fs.write_file("/state/checkpoint.damaged", "xx\n");
  d.reopen();
  EXPECT_FALSE(d.store->first_start());
}

TEST(Damage, UnreadableFileIsToldWithTheReason) {
  Damaged d;
  d.fs.write_file("/state/checkpoint", d.current);
  d.fs.chmod("/state/checkpoint", 0);
  d.reopen();
  ASSERT_TRUE(d.store);
  EXPECT_EQ(d.offset(1), 10);
  EXPECT_NE(d.told().find("Permission denied"), std::string::npos) << d.told();
}

TEST(Damage, ThatCannotBeSetAsideIsTold) {
  Damaged d;
  d.fs.fail_next("rename", EIO);
  d.load("");
  EXPECT_NE(d.told().find("it could not be set aside (rename /state/checkpoint: Input/output error)"),
            std::string::npos)
      << d.told();
  EXPECT_EQ(d.offset(1), 10);
}

TEST(Damage, FullDiskAtTheStartIsMadeGoodLater) {
  Damaged d;
  d.fs.write_file("/state/checkpoint", "xx\n");
  d.fs.set_free_bytes(0);
  d.reopen();
  ASSERT_TRUE(d.store);
  EXPECT_EQ(d.offset(1), 10);
  EXPECT_EQ(d.probe.write_errors, 1);
  d.fs.set_free_bytes(1 << 20);
  ASSERT_TRUE(d.put({state_of(4, 40)}));
  d.reopen();
  EXPECT_EQ(d.offset(1), 10);
  EXPECT_EQ(d.offset(4), 40);
}

TEST(Damage, RecordsOfNoSenseAreCountedWithTheirChecksumRight) {
  Damaged d;
  std::string deep = R"({"files":[{"key":)" + std::string(20'000, '[') + std::string(20'000, ']') + "}]}";
  d.load(d.current + line_of("{}") + line_of(R"({"forget":5})") + line_of(R"({"files":{}})") +
         line_of(R"({"files":[5]})") + line_of(deep) + line_of("") + "\n");
  ASSERT_TRUE(d.store);
  EXPECT_NE(d.told().find("(7 damaged records)"), std::string::npos) << d.told();
  EXPECT_EQ(d.offset(3), 30);
}

}  // namespace
}  // namespace sidelight

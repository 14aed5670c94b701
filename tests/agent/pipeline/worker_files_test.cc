// What a user sees of files: which are read, from where, and what becomes of those that go away.
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>

#include "tests/agent/pipeline/worker_rig.h"
#include "tests/fakes/bound_by_file_modes.h"

namespace sidelight::test {
namespace {

TEST(Deleted, UnreadFileIsStillDelivered) {
  Rig rig;
  rig.start();
  rig.append("a.log", "one\n");
  rig.turn();
  rig.worker().pause_input(0, 0, "test");
  rig.append("a.log", "two\n");
  rig.turn();
  rig.remove("a.log");
  rig.turn();
  EXPECT_EQ(rig.tail_probe.held, 4u);
  rig.worker().resume_input(0, 0);
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
  rig.worker().pause_input(0, 0, "test");
  rig.append("a.log", "0123456789\n");
  rig.turn();
  rig.remove("a.log");
  for (int i = 0; i < 5; ++i) rig.turn();
  rig.worker().resume_input(0, 0);
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
  rig.worker().pause_input(0, 0, "test");
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

TEST(Start, EndKeepsToAByteOrderMarkThatContradictsTheConfiguration) {
  const auto wide = [](std::string_view text, bool big) {
    std::string out;
    for (const char c : text) out += big ? std::string{'\0', c} : std::string{c, '\0'};
    return out;
  };
  for (const bool big : {false, true}) {
    TailOptions tail;
    tail.start = StartAt::end;
    DecodeOptions decode;
    decode.encoding = big ? Encoding::utf16le : Encoding::utf16be;
    Rig rig(tail, decode);
    rig.append("a.log", (big ? "\xFE\xFF" : "\xFF\xFE") + wide("old\n", big));
    rig.start();
    rig.append("a.log", wide("new\n", big));
    rig.settle();
    EXPECT_EQ(texts(rig), Texts{"new"});
    rig.crash();
    rig.append("a.log", wide("newer\n", big));
    rig.start();
    rig.settle();
    EXPECT_EQ(texts(rig), (Texts{"new", "newer"}));
  }
}

TEST(Start, EndHoldsForAnInputThatIsNewInAKnownState) {
  TailOptions tail;
  tail.start = StartAt::end;
  Rig rig(tail);
  rig.append("a.log", "old\n");
  rig.start();
  rig.append("a.log", "new\n");
  rig.settle();
  rig.crash();
  rig.append("b.log", "file while down\n");
  rig.append("c.txt", "old text\n");
  rig.match("*.{log,txt}");
  rig.start();
  rig.append("c.txt", "new text\n");
  rig.settle();
  EXPECT_EQ(texts(rig), (Texts{"file while down", "new", "new text"}));
  // It is known now, even if the crash comes before anything is sent.
  rig.crash();
  rig.append("d.txt", "text while down\n");
  rig.start();
  rig.settle();
  EXPECT_EQ(texts(rig), (Texts{"file while down", "new", "new text", "text while down"}));
}

TEST(Start, EndSkipsNothingThatAppearsDuringAReload) {
  TailOptions tail;
  tail.start = StartAt::end;
  Rig rig(tail);
  rig.append("a.log", "old\n");
  rig.start();
  rig.settle();
  rig.reload([&] { rig.append("b.log", "between\n"); });
  rig.settle();
  EXPECT_EQ(texts(rig), Texts{"between"});
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

TEST(Files, OwnOnesAreNotReadByAnyName) {
  namespace stdfs = std::filesystem;
  TailOptions tail;
  tail.paths = {"*.{log,ndjson}", "link/*.ndjson", "link/**"};
  Rig rig(tail);
  stdfs::create_directories(rig.path("real/state/dead-letters"));
  stdfs::create_directory_symlink(rig.path("real"), rig.path("link"));
  rig.own.files = {rig.path("real/out.ndjson"), rig.path("real/out.ndjson.1"), rig.path("real/own.log")};
  rig.own.directories = {rig.path("link/state")};
  rig.append("real/app.ndjson", "theirs\n");
  rig.append("real/out.ndjson", "output\n");
  rig.append("real/own.log", "log\n");
  rig.append("real/state/checkpoint", "state\n");
  rig.append("real/state/dead-letters/a.ndjson", "dead letter\n");
  rig.symlink(rig.path("real/own.log"), "agent.log");
  rig.symlink(rig.path("real/state/checkpoint"), "state.log");
  stdfs::create_hard_link(rig.path("real/out.ndjson"), rig.path("copy.ndjson"));
  rig.start();
  rig.settle();
  EXPECT_EQ(texts(rig), Texts{"theirs"});
  // They rotate, in whatever way, and go on.
  rig.rename("real/out.ndjson", "real/out.ndjson.1");
  rig.append("real/out.ndjson", "more output\n");
  rig.rename("real/own.log", "real/own.1.log");
  rig.append("real/own.log", "more log\n");
  rig.append("real/app.ndjson", "more of theirs\n");
  rig.settle();
  rig.crash();
  rig.start();
  rig.settle();
  EXPECT_EQ(texts(rig), (Texts{"more of theirs", "theirs"}));
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

std::uint64_t inode_of(const Rig& rig, const std::string& name) {
  struct stat st{};
  return ::stat(rig.path(name).c_str(), &st) == 0 ? st.st_ino : 0;
}

// A file that was deleted gives its inode to the next one: on a disk, not on tmpfs.
bool inodes_are_reused(Rig& rig) {
  int reused = 0;
  for (int i = 0; i < 5; ++i) {
    rig.append("probe", "x");
    const auto before = inode_of(rig, "probe");
    rig.remove("probe");
    rig.append("probe", "x");
    reused += inode_of(rig, "probe") == before ? 1 : 0;
    rig.remove("probe");
  }
  return reused > 0;
}

TEST(Files, NewFileWithAnOldInodeIsNew) {
  Rig rig;
  if (!inodes_are_reused(rig)) GTEST_SKIP() << "the file system of the temporary directory reuses no inodes";
  rig.start();
  Texts expected;
  for (int i = 0; i < 20; ++i) {
    const std::string text = "generation " + std::to_string(i);
    rig.append("a.log", text + "\n");
    expected.push_back(text);
    rig.settle();
    rig.crash();
    rig.remove("a.log");
    rig.append("a.log", "");
    rig.start();
  }
  rig.settle();
  std::sort(expected.begin(), expected.end());
  EXPECT_EQ(texts(rig), expected);
}

// logrotate's copytruncate with `rotate 3`: from the fourth time on, a copy gets the inode of the one that is
// dropped.
TEST(Files, CopyWithTheInodeOfADroppedCopyIsFound) {
  Rig rig;
  if (!inodes_are_reused(rig)) GTEST_SKIP() << "the file system of the temporary directory reuses no inodes";
  rig.start();
  Texts expected;
  for (int i = 0; i < 12; ++i) {
    const std::string text = "line " + std::to_string(i);
    rig.append("a.log", text + " seen\n");
    rig.settle();                                  // the copies so far are retired
    rig.append("a.log", text + " in the copy\n");  // and this one is there alone
    for (int n = 3; n >= 1; --n) {
      const std::string from = "a.log." + std::to_string(n);
      if (!rig.exists(from)) continue;
      if (n == 3) {
        rig.remove(from);
      } else {
        rig.rename(from, "a.log." + std::to_string(n + 1));
      }
    }
    rig.copy("a.log", "a.log.1");
    rig.truncate("a.log");
    rig.append("a.log", text + " behind\n");
    for (const char* what : {" seen", " in the copy", " behind"}) expected.push_back(text + what);
  }
  rig.settle();
  std::sort(expected.begin(), expected.end());
  EXPECT_EQ(texts(rig), expected);
  EXPECT_EQ(rig.tail_probe.lost, 0u);
}

TEST(Files, LiveFileWithTheInodeOfADroppedCopyIsRead) {
  Rig rig;
  if (!inodes_are_reused(rig)) GTEST_SKIP() << "the file system of the temporary directory reuses no inodes";
  rig.start();
  Texts expected;
  for (int i = 0; i < 8; ++i) {
    const std::string text = "line " + std::to_string(i);
    rig.append("a.log", text + " before\n");
    rig.turn();
    rig.copy("a.log", "a.log.1");
    rig.truncate("a.log");
    rig.append("a.log", text + " behind\n");
    rig.settle();  // the copy is retired
    rig.remove("a.log.1");
    rig.rename("a.log", "a.log.2");
    rig.append("a.log", text + " in a new file\n" + text + " again\n");
    for (int turns = 0; turns < 3; ++turns) rig.turn();
    rig.append("a.log", text + " later\n");
    rig.settle();
    for (const char* what : {" before", " behind", " in a new file", " again", " later"})
      expected.push_back(text + what);
    rig.remove("a.log.2");
    rig.remove("a.log");
    rig.settle();
  }
  std::sort(expected.begin(), expected.end());
  EXPECT_EQ(texts(rig), expected);
  EXPECT_EQ(rig.tail_probe.lost, 0u);
}

// Programs that greet with the same line: a file that begins like an older one is not a copy of it.
TEST(Files, EachThatBeginsWithTheSameLineIsRead) {
  for (const char* glob : {"*.log", "*.log*"}) {
    for (const bool settle : {false, true}) {
      Rig rig(TailOptions{{glob}, {}, {}});
      rig.start();
      for (int i = 0; i < 4; ++i) {
        rig.append("a.log", "=== started ===\n");
        rig.turn();
        if (settle) rig.settle();
        if (i == 2) rig.append("a.log", "a line\n");
        rig.turn();
        for (int n = 3; n >= 1; --n)
          if (const std::string from = "a.log." + std::to_string(n); rig.exists(from))
            rig.rename(from, "a.log." + std::to_string(n + 1));
        rig.rename("a.log", "a.log.1");
      }
      rig.append("a.log", "=== started ===\nanother line\n");
      rig.settle();
      rig.crash();
      rig.start();
      rig.settle();
      EXPECT_EQ(rig.stored.size(), 7u) << glob << " " << settle;
    }
  }
}

// A volume that is mounted late, a typo in the configuration: positions outlive them.
TEST(Files, SuccessorThatBeginsAsItsPredecessorIsRead) {
  std::string banner;
  for (int i = 0; i < 100; ++i) banner += "setting " + std::to_string(i) + " is what it was\n";
  for (const bool down : {false, true}) {
    Rig rig;
    rig.start();
    rig.append("a.log", banner);
    rig.settle();
    if (down) rig.crash();
    rig.rename("a.log", "a.log.1");
    rig.append("a.log", banner);
    if (down) rig.start();
    rig.settle();
    rig.append("a.log", "one more\n");
    rig.settle();
    EXPECT_EQ(rig.stored.size(), 201u) << down;
  }
}

// As container runtimes do: the path that is watched is a symlink, what it leads to is rotated under its own
// name.
TEST(Symlinks, GenerationsRotatedUnseenAreRead) {
  for (const bool down : {false, true}) {
    for (const bool copied : {false, true}) {
      Rig rig;
      rig.match("x.log");
      rig.append("0.txt", "one\n");
      rig.symlink(rig.path("0.txt"), "x.log");
      rig.start();
      rig.settle();
      if (down) rig.crash();
      rig.append("0.txt", "two\n");
      const auto rotate = [&](const std::string& to) {
        if (copied) {
          rig.copy("0.txt", to);
          rig.truncate("0.txt");
        } else {
          rig.rename("0.txt", to);
        }
      };
      rotate("0.txt.20261128-100000");
      rig.append("0.txt", "three\n");
      if (!copied) {
        rotate("0.txt.20261128-110000");
        rig.append("0.txt", "four\n");
      }
      if (down) rig.start();
      rig.settle();
      EXPECT_EQ(rig.stored.size(), copied ? 3u : 4u) << down << copied;
      EXPECT_EQ(rig.tail_probe.lost, 0u);
    }
  }
}

TEST(Files, NewOneThatBeginsAsADeletedOneIsNotTakenForIt) {
  for (const bool down : {false, true}) {
    Rig rig;
    rig.start();
    rig.append("job-20261128-100000.log", "job started\n");
    rig.settle();
    if (down) rig.crash();
    rig.remove("job-20261128-100000.log");
    rig.append("job-20261128-100100.log", "job started\njob two\n");
    if (down) rig.start();
    rig.settle();
    EXPECT_EQ(rig.stored.size(), 3u) << down;
  }
}

TEST(Absent, DirectoryThatComesBackIsReadOnWhereReadingStopped) {
  Rig rig(TailOptions{{"vol/*.log"}, {}, {}});
  std::filesystem::create_directory(rig.path("vol"));
  rig.start();
  rig.append("vol/a.log", "one\n");
  rig.append("vol/b.log", "in a file that goes for good\n");
  rig.settle();
  rig.finish();
  rig.append("vol/a.log", "two\n");
  rig.rename("vol", "away");
  rig.start();
  rig.settle();
  rig.finish();
  rig.start();  // and is away for one more start
  rig.settle();
  rig.rename("away", "vol");
  rig.rename("vol/a.log", "vol/a.log.1");  // rotated meanwhile
  rig.remove("vol/b.log");
  rig.append("vol/a.log", "three\n");
  rig.settle();
  EXPECT_EQ(texts(rig), (Texts{"in a file that goes for good", "one", "three", "two"}));
  EXPECT_EQ(rig.duplicates, 0u);
}

TEST(Absent, InputThatMatchesAgainIsReadOnWhereReadingStopped) {
  Rig rig;
  rig.start();
  rig.append("a.log", "one\n");
  rig.settle();
  rig.finish();
  rig.match("a.lgo");
  rig.start();
  rig.append("a.log", "two\n");
  rig.settle();
  rig.finish();
  rig.match("*.log");
  rig.start();
  rig.settle();
  EXPECT_EQ(texts(rig), (Texts{"one", "two"}));
  EXPECT_EQ(rig.tail_probe.lost, 0u);
}

TEST(Absent, UnreadBytesAreCountedOnceAndAtOnce) {
  Rig rig(TailOptions{{"vol/*.log"}, {}, {}});
  std::filesystem::create_directory(rig.path("vol"));
  rig.start();
  rig.append("vol/a.log", "one\n");
  rig.settle();
  rig.worker().pause_input(0, 0, "test");
  rig.append("vol/a.log", "two\n");
  rig.settle();
  rig.crash();
  rig.rename("vol", "away");
  for (int starts = 0; starts < 3; ++starts) {
    rig.start();
    rig.settle();
    rig.crash();
  }
  EXPECT_EQ(rig.tail_probe.lost, 4u);
}

TEST(Absent, AfterSevenDaysTheFileIsANewOne) {
  for (const int days : {6, 8}) {
    Rig rig(TailOptions{{"vol/*.log"}, {}, {}});
    std::filesystem::create_directory(rig.path("vol"));
    rig.start();
    rig.append("vol/a.log", "one\n");
    rig.settle();
    rig.finish();
    rig.rename("vol", "away");
    rig.start();
    rig.settle();
    rig.finish();
    rig.clock.step(std::chrono::hours(24 * days));
    rig.start();
    rig.rename("away", "vol");
    rig.settle();
    EXPECT_EQ(rig.stored.size(), days < 7 ? 1u : 2u) << days;
  }
}

TEST(Files, UnreadableOneIsCountedAndReadOnceItMay) {
  const BoundByFileModes bound;
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

// Files that no name leads to any more, or that may not be looked at for a while, over reloads and restarts.
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <string>
#include <vector>

#include "tests/agent/pipeline/worker_rig.h"
#include "tests/fakes/bound_by_file_modes.h"

namespace sidelight::test {
namespace {

void set_mode(const std::string& path, unsigned mode) {
  ASSERT_EQ(::chmod(path.c_str(), mode), 0) << path;
}

struct Refusal {
  std::string of;
  unsigned mode;
};

const std::vector<Refusal> kRefusals{
    {"in/a.log", 0000}, {"in/a.log", 0200}, {"in", 0000}, {"in", 0600}, {"in", 0100}};

TailOptions in_a_directory() {
  TailOptions tail;
  tail.paths = {"in/*.log"};
  return tail;
}

void read_one_line(Rig& rig) {
  std::filesystem::create_directory(rig.path("in"));
  rig.append("in/a.log", "one\n");
  rig.start();
  rig.settle();
}

// A volume without its group for one deployment.
TEST(OutOfReach, WhatMayNotBeReadAtAStartIsReadOnWhereItWasLeft) {
  const BoundByFileModes bound;
  for (const Refusal& refusal : kRefusals) {
    SCOPED_TRACE(refusal.of + " " + std::to_string(refusal.mode));
    Rig rig(in_a_directory());
    read_one_line(rig);
    rig.finish();
    rig.append("in/a.log", "two\n");
    for (int again = 0; again < 2; ++again) {
      set_mode(rig.path(refusal.of), refusal.mode);
      rig.start();
      rig.settle();
      if (again == 0) rig.crash();
      if (again == 0) set_mode(rig.path(refusal.of), 0700);
    }
    set_mode(rig.path(refusal.of), 0700);
    rig.settle();
    EXPECT_EQ(texts(rig), (Texts{"one", "two"}));
    EXPECT_EQ(rig.duplicates, 0u);
    EXPECT_EQ(rig.tail_probe.lost, 0u);
  }
}

TEST(OutOfReach, WhatMayNotBeReadAtAReloadIsReadOnWhereItWasLeft) {
  const BoundByFileModes bound;
  for (const Refusal& refusal : kRefusals) {
    SCOPED_TRACE(refusal.of + " " + std::to_string(refusal.mode));
    Rig rig(in_a_directory());
    read_one_line(rig);
    rig.append("in/a.log", "two\n");
    rig.reload([&] { set_mode(rig.path(refusal.of), refusal.mode); });
    rig.settle();
    set_mode(rig.path(refusal.of), 0700);
    rig.append("in/a.log", "three\n");
    rig.settle();
    EXPECT_EQ(texts(rig), (Texts{"one", "three", "two"}));
    EXPECT_EQ(rig.duplicates, 0u);
    EXPECT_EQ(rig.tail_probe.lost, 0u);
  }
}

TEST(OutOfReach, ADirectoryThatIsClosedToUsForAWhileHasNothingNew) {
  const BoundByFileModes bound;
  TailOptions tail;
  tail.paths = {"in/*"};
  Rig rig(tail);
  read_one_line(rig);
  rig.rename("in/a.log", "in/a.log.1");
  rig.append("in/a.log", "two\n");
  rig.settle();
  for (const unsigned mode : {0000u, 0600u, 0100u}) {
    set_mode(rig.path("in"), mode);
    rig.settle();
    set_mode(rig.path("in"), 0700);
    rig.settle();
  }
  rig.append("in/a.log", "three\n");
  rig.settle();
  EXPECT_EQ(texts(rig), (Texts{"one", "three", "two"}));
  EXPECT_EQ(rig.tail_probe.lost, 0u);
}

TEST(OutOfReach, StartAtTheEndIsNotForgottenOverARefusal) {
  const BoundByFileModes bound;
  TailOptions tail = in_a_directory();
  tail.start = StartAt::end;
  Rig rig(tail);
  std::filesystem::create_directory(rig.path("in"));
  rig.append("in/a.log", "history\n");
  rig.start();
  rig.settle();
  rig.append("in/a.log", "one\n");
  rig.settle();
  rig.finish();
  set_mode(rig.path("in/a.log"), 0);
  rig.start();
  rig.settle();
  rig.finish();
  set_mode(rig.path("in/a.log"), 0600);
  rig.append("in/a.log", "two\n");
  rig.start();
  rig.settle();
  EXPECT_EQ(texts(rig), (Texts{"one", "two"}));
}

TEST(OutOfReach, RotatedAndRefusedIsNotTakenForGone) {
  const BoundByFileModes bound;
  Rig rig;
  rig.append("a.log", "one\n");
  rig.start();
  rig.settle();
  rig.crash();
  rig.append("a.log", "two\n");
  rig.rename("a.log", "a.log.1");
  rig.append("a.log", "three\n");
  set_mode(rig.path("a.log.1"), 0);
  rig.start();
  rig.settle();
  EXPECT_EQ(texts(rig), (Texts{"one", "three"}));
  EXPECT_EQ(rig.tail_probe.lost, 0u);
  set_mode(rig.path("a.log.1"), 0600);
  rig.settle();
  EXPECT_EQ(texts(rig), (Texts{"one", "three", "two"}));
  EXPECT_EQ(rig.duplicates, 0u);
}

TEST(OutOfReach, DeletedWhileRefusedIsLostAfterAll) {
  const BoundByFileModes bound;
  Rig rig;
  rig.append("a.log", "one\n");
  rig.start();
  rig.settle();
  rig.crash();
  rig.append("a.log", "two\n");
  set_mode(rig.path("a.log"), 0);
  rig.start();
  rig.settle();
  EXPECT_EQ(rig.tail_probe.lost, 0u);
  rig.remove("a.log");
  rig.settle();
  EXPECT_EQ(rig.tail_probe.lost, 0u);  // what was behind the known size was never seen
  EXPECT_EQ(texts(rig), Texts{"one"});
}

// A destination that is down, and a configuration that changes meanwhile.
TEST(OutOfReach, DeletedFilesOutliveReloads) {
  Rig rig;
  rig.append("a.log", "one\n");
  rig.append("b.log", "bee\n");
  rig.start();
  rig.turn();
  rig.append("a.log", "two\n");
  rig.turn();
  rig.remove("a.log");
  rig.turn();
  rig.append("a.log", "three\n");
  rig.turn();
  rig.reload_undrained([&] { rig.remove("b.log"); });
  rig.turn();
  rig.reload_undrained([] {});
  rig.settle();
  EXPECT_EQ(texts(rig), (Texts{"bee", "one", "three", "two"}));
  EXPECT_EQ(rig.tail_probe.held, 0u);
  rig.settle();
  EXPECT_EQ(rig.tail_probe.tracked, 1u);
}

}  // namespace
}  // namespace sidelight::test

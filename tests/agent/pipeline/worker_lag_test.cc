// How far behind the worker says it is, over pauses and restarts.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <array>

#include "tests/agent/pipeline/worker_rig.h"

namespace sidelight::test {
namespace {

void set_mtime(const Rig& rig, const std::string& name, std::int64_t ns) {
  const timespec t{ns / 1'000'000'000, ns % 1'000'000'000};
  const std::array<timespec, 2> times{t, t};
  ASSERT_EQ(utimensat(AT_FDCWD, rig.path(name).c_str(), times.data(), 0), 0);
}

void turns(Rig& rig, int n) {
  for (int i = 0; i < n; ++i) rig.turn();
}

TEST(Lag, UnreadBytesOfAPausedInputAgeForTheFileToo) {
  Rig rig;
  rig.start();
  rig.append("a.log", "one\n");
  rig.settle();
  EXPECT_EQ(rig.pipeline_probe.lag_seconds, 0);
  rig.worker().pause_input(0, 0, "the dead letters are full");
  turns(rig, 20);
  rig.append("a.log", "two\n");
  turns(rig, 10);
  EXPECT_NEAR(rig.pipeline_probe.lag_seconds, 9, 1);
  EXPECT_EQ(rig.pipeline_probe.behind_seconds, rig.pipeline_probe.lag_seconds);
}

TEST(Lag, GoesOnOverRestarts) {
  Rig rig;
  rig.start();
  rig.append("a.log", "one\n");
  turns(rig, 20);
  EXPECT_NEAR(rig.pipeline_probe.lag_seconds, 19, 1);
  for (int restart = 1; restart <= 3; ++restart) {
    const double before = rig.pipeline_probe.lag_seconds;
    rig.crash();
    set_mtime(rig, "a.log", rig.clock.wall());  // as if it were written to all the time
    rig.start();
    turns(rig, 5);
    EXPECT_NEAR(rig.pipeline_probe.lag_seconds, before + 6, 1) << restart;
  }
  rig.settle();
  EXPECT_EQ(rig.pipeline_probe.lag_seconds, 0);
}

TEST(Lag, WhatIsThereAtTheStartIsAsOldAsItsFilesLastChange) {
  Rig rig;
  rig.append("a.log", "one\n");
  set_mtime(rig, "a.log", rig.clock.wall() - 1'000'000'000'000);
  rig.start();
  turns(rig, 3);
  EXPECT_NEAR(rig.pipeline_probe.lag_seconds, 1003, 2);
  rig.settle();
  EXPECT_EQ(rig.pipeline_probe.lag_seconds, 0);
  rig.append("a.log", "two\n");
  turns(rig, 3);
  EXPECT_NEAR(rig.pipeline_probe.lag_seconds, 2, 1) << "what comes later is young";
}

}  // namespace
}  // namespace sidelight::test

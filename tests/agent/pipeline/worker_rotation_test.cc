// Generations of one log are read in the order in which they were written, so that an event goes on where its
// writer went on.
#include <gtest/gtest.h>

#include <chrono>

#include "tests/agent/pipeline/worker_rig.h"

namespace sidelight::test {
namespace {

DecodeOptions java() {
  DecodeOptions d;
  d.multiline.preset = MultilinePreset::java;
  return d;
}

void rotate(const Rig& rig) {
  if (rig.exists("a.log.1")) rig.rename("a.log.1", "a.log.2");
  rig.rename("a.log", "a.log.1");
}

const std::string kFirst = "ERROR one\njava.lang.Error: A\n";
const std::string kSecond = "\tat a.A.a(A.java:1)\nERROR two\njava.lang.Error: B\n";
const std::string kThird = "\tat b.B.b(B.java:1)\nINFO after\n";
const Texts kEvents = {"ERROR one\njava.lang.Error: A\n\tat a.A.a(A.java:1)",
                       "ERROR two\njava.lang.Error: B\n\tat b.B.b(B.java:1)", "INFO after"};

TEST(Order, GenerationsThatWereKnownAndUnreadAtAStopAreReadInTheirOrder) {
  for (const bool last_is_known : {false, true}) {
    Rig rig({}, java());
    rig.start();
    rig.worker().pause_input(0, 0, "test");
    rig.append("a.log", kFirst);
    rig.settle();
    rotate(rig);
    rig.append("a.log", kSecond);
    rig.settle();
    rotate(rig);
    if (last_is_known) {
      rig.append("a.log", kThird);
      rig.settle();
    }
    rig.crash();
    if (!last_is_known) rig.append("a.log", kThird);
    rig.start();
    rig.settle();
    EXPECT_EQ(texts(rig), kEvents) << last_is_known;
    EXPECT_EQ(rig.tail_probe.lost, 0u);
  }
}

TEST(Order, GenerationsRotatedWhileDownAreReadInTheirOrderBeforeTheLogIsMadeAnew) {
  Rig rig({}, java());
  rig.append("a.log", "");
  rig.start();
  rig.settle();
  rig.crash();
  rig.append("a.log", kFirst);
  rotate(rig);
  rig.append("a.log", kSecond);
  rotate(rig);
  rig.options.multiline_timeout = std::chrono::seconds(10);
  rig.start();
  rig.turn();
  rig.append("a.log", kThird);
  rig.settle();
  EXPECT_EQ(texts(rig), kEvents);
  EXPECT_EQ(rig.tail_probe.lost, 0u);
}

TEST(Order, EmptyGenerationBetweenTwoIsPassedOver) {
  Rig rig({}, java());
  rig.append("a.log", "");
  rig.start();
  rig.settle();
  rig.crash();
  rig.append("a.log", "ERROR two\njava.lang.Error: B\n");
  rotate(rig);
  rig.append("a.log", "");
  rotate(rig);
  rig.append("a.log", kThird);
  rig.start();
  rig.settle();
  EXPECT_EQ(texts(rig), (Texts{kEvents[1], kEvents[2]}));
  EXPECT_EQ(rig.tail_probe.lost, 0u);
}

}  // namespace
}  // namespace sidelight::test

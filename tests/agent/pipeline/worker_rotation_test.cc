// Generations of one log are read in the order in which they were written, so that an event goes on where its
// writer went on.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <random>
#include <string>
#include <utility>
#include <vector>

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

std::string cri(const std::string& stream, const std::string& tag, const std::string& text) {
  return "2026-11-22T20:01:02.123456789Z " + stream + " " + tag + " " + text + "\n";
}

// A container's log: what either stream left open goes on in the next file, also over a crash, and whatever
// the other one has open or says first.
TEST(Carry, KeepsAnEventOfEitherStreamOfAContainerWhole) {
  const std::vector<std::pair<std::string, Texts>> others = {
      {"", {}},
      {cri("stdout", "F", "out"), {"out"}},
      {cri("stdout", "P", "in ") + cri("stdout", "P", "pieces"), {"in pieces"}}};
  for (const auto& [other, of_other] : others) {
    for (const bool dies : {false, true}) {
      for (const bool says : {false, true}) {
        DecodeOptions decode = java();
        decode.container = ContainerFormat::cri;
        Rig rig({}, decode);
        rig.start();
        rig.append("a.log", cri("stderr", "F", "before") + other + cri("stderr", "F", "ERROR one") +
                                cri("stderr", "F", "java.lang.Error: A"));
        rig.turn();
        rotate(rig);
        rig.append("a.log", (says ? cri("stdout", "F", "says") : "") +
                                cri("stderr", "F", "\tat a.A.a(A.java:1)") + cri("stderr", "F", "after"));
        rig.turn();
        rig.turn();
        if (dies) {
          rig.crash();
          rig.start();
        }
        rig.settle();
        Texts expected = of_other;
        expected.insert(expected.end(),
                        {"before", "ERROR one\njava.lang.Error: A\n\tat a.A.a(A.java:1)", "after"});
        if (says && other.find(" P ") != std::string::npos) {
          expected[0] += "says";
        } else if (says) {
          expected.emplace_back("says");
        }
        std::sort(expected.begin(), expected.end());
        EXPECT_EQ(texts(rig), expected) << other << dies << says;
        EXPECT_EQ(rig.tail_probe.lost, 0u);
      }
    }
  }
}

// Both streams of a container write events of several lines, in any order, and the log is rotated and the
// program killed in any moment.
void write_and_rotate(unsigned seed) {
  std::mt19937 random(seed);
  const auto pick = [&](unsigned n) { return random() % n; };
  DecodeOptions decode = java();
  decode.container = ContainerFormat::cri;
  Rig rig({}, decode);
  rig.options.multiline_timeout = std::chrono::hours(1);
  rig.append("a.log", "");
  rig.start();
  rig.turn();
  Texts expected;
  std::array<std::string, 2> open;
  std::array<bool, 2> in_file{};
  const auto write = [&](std::size_t lane, bool begins) {
    const std::string text = begins
                                 ? "event " + std::to_string(expected.size()) + " of " + std::to_string(lane)
                                 : "\tat a.B.c(B.java:" + std::to_string(pick(100)) + ")";
    if (begins && !open[lane].empty()) expected.push_back(open[lane]);
    open[lane] = begins ? text : open[lane] + "\n" + text;
    const std::string stream = lane == 0 ? "stdout" : "stderr";
    const std::size_t cut = pick(4) == 0 ? 4 + pick(4) : 0;  // the first piece has to tell what the line is
    rig.append("a.log",
               (cut > 0 ? cri(stream, "P", text.substr(0, cut)) : "") + cri(stream, "F", text.substr(cut)));
    in_file[lane] = true;
  };
  const auto write_some = [&](std::size_t lane) { write(lane, open[lane].empty() || pick(3) == 0); };
  int generations = 0;
  for (int step = 0; step < 60; ++step) {
    switch (pick(8)) {
      case 0:
        for (std::size_t lane = 0; lane < 2; ++lane)
          if (!in_file[lane]) write_some(lane);  // else nothing tells whether its event goes on
        for (int i = generations++; i > 0; --i)
          rig.rename("a.log." + std::to_string(i), "a.log." + std::to_string(i + 1));
        rig.rename("a.log", "a.log.1");
        in_file = {};
        rig.append("a.log", "");
        rig.turn();
        break;
      case 1:
        rig.acknowledge(pick(3));
        break;
      case 2:
        if (pick(3) != 0) break;
        rig.crash();
        rig.start();
        break;
      case 3:
      case 4:
        rig.turn();
        break;
      default:
        write_some(pick(2));
    }
  }
  rig.settle();
  rig.finish();
  for (const std::string& e : open)
    if (!e.empty()) expected.push_back(e);
  std::sort(expected.begin(), expected.end());
  EXPECT_EQ(texts(rig), expected) << "seed " << seed;
}

TEST(Carry, KeepsEventsOfBothStreamsWholeWheneverTheLogIsRotated) {
  for (unsigned seed = 0; seed < 100 && !::testing::Test::HasFailure(); ++seed) write_and_rotate(seed);
}

// What a writer adds late to a file whose open event has gone over does not take that event's place.
TEST(Carry, IsNotReplacedByWhatTheRotatedFileGetsLate) {
  Rig rig({}, java());
  rig.options.multiline_timeout = std::chrono::hours(1);
  rig.start();
  rig.append("a.log", "ERROR one\n");
  rig.turn();
  rotate(rig);
  rig.append("a.log", "\tat a.A.a(A.java:1)\n");
  rig.turn();
  rig.turn();
  rig.append("a.log.1", "late\n");
  rig.turn();
  rig.turn();
  rig.options.multiline_timeout = std::chrono::seconds(1);
  rig.append("a.log", "after\n");
  rig.settle();
  rig.finish();
  EXPECT_EQ(texts(rig), (Texts{"ERROR one\n\tat a.A.a(A.java:1)", "after", "late"}));
}

}  // namespace
}  // namespace sidelight::test

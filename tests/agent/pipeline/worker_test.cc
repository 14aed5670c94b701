// What a user sees of events: last lines without a newline, joined lines, long lines, their times, and the
// limits on memory.
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>

#include "tests/agent/pipeline/worker_rig.h"

namespace sidelight::test {
namespace {

using std::chrono::milliseconds;
using Flags = std::vector<std::string>;

Texts ids(const Rig& rig) {
  Texts out;
  for (const auto& [id, doc] : rig.stored) out.push_back(id);
  return out;
}

// The flags of the one document with this text.
Flags flags_of(const Rig& rig, const std::string& text) {
  Texts found;
  for (const auto& [id, doc] : rig.stored)
    if (doc.message == text) return doc.flags;
  return {"(no such document)"};
}

DecodeOptions java() {
  DecodeOptions d;
  d.multiline.preset = MultilinePreset::java;
  return d;
}

const std::string kTrace =
    "ERROR failed\njava.lang.IllegalStateException: no\n\tat shop.Order.pay(Order.java:5)";

TEST(UnterminatedLine, WaitsForItsTimeoutAndIsMarked) {
  Rig rig;
  rig.options.unterminated_timeout = milliseconds(5000);
  rig.start();
  rig.append("a.log", "one\ntwo");
  for (int i = 0; i < 4; ++i) rig.turn();
  EXPECT_EQ(texts(rig), Texts{"one"});
  rig.settle();
  EXPECT_EQ(texts(rig), (Texts{"one", "two"}));
  EXPECT_EQ(flags_of(rig, "one"), Flags{});
  EXPECT_EQ(flags_of(rig, "two"), Flags{"unterminated"});
}

TEST(UnterminatedLine, GrowingOneWaitsOn) {
  Rig rig;
  rig.options.unterminated_timeout = milliseconds(5000);
  rig.start();
  rig.append("a.log", "a");
  for (int i = 0; i < 20; ++i) {
    rig.turn();
    rig.append("a.log", "a");
  }
  rig.append("a.log", "\n");
  rig.settle();
  EXPECT_EQ(texts(rig), Texts{std::string(21, 'a')});
}

TEST(UnterminatedLine, ContinuationIsASecondMarkedDocument) {
  Rig rig;
  rig.options.unterminated_timeout = milliseconds(5000);
  rig.start();
  rig.append("a.log", "half");
  rig.settle();
  rig.append("a.log", " done\nnext\n");
  rig.settle();
  EXPECT_EQ(texts(rig), (Texts{" done", "half", "next"}));
  EXPECT_EQ(flags_of(rig, "half"), Flags{"unterminated"});
  EXPECT_EQ(flags_of(rig, " done"), Flags{"continuation"});
  EXPECT_EQ(flags_of(rig, "next"), Flags{});
}

TEST(UnterminatedLine, CutSurvivesACrash) {
  Rig rig;
  rig.options.unterminated_timeout = milliseconds(3000);
  rig.start();
  rig.append("a.log", "one\nhalf");
  for (int i = 0; i < 6; ++i) rig.turn();  // sent, never acknowledged
  ASSERT_EQ(texts(rig), (Texts{"half", "one"}));
  const Texts before = ids(rig);
  rig.crash();
  rig.start();
  rig.turn();
  EXPECT_EQ(rig.duplicates, 2u) << "the same cut, without waiting again";
  EXPECT_EQ(ids(rig), before);
  rig.append("a.log", " done\n");
  rig.settle();
  EXPECT_EQ(texts(rig), (Texts{" done", "half", "one"}));
}

TEST(UnterminatedLine, CutSurvivesACrashAfterMoreWasWritten) {
  Rig rig;
  rig.options.unterminated_timeout = milliseconds(3000);
  rig.start();
  rig.append("a.log", "half");
  for (int i = 0; i < 6; ++i) rig.turn();
  rig.crash();
  rig.append("a.log", " done\n");
  rig.start();
  rig.settle();
  EXPECT_EQ(texts(rig), (Texts{" done", "half"}));
}

TEST(UnterminatedLine, GoesAtShutdownMarked) {
  Rig rig;
  rig.start();
  rig.append("a.log", "one\nhalf");
  rig.turn();
  rig.worker().finish(rig.clock.now());  // the deadline has passed already
  EXPECT_EQ(texts(rig), (Texts{"half", "one"}));
  EXPECT_EQ(flags_of(rig, "half"), Flags{"unterminated"});
}

TEST(Multiline, EventSurvivesARotationByRename) {
  Rig rig({}, java());
  rig.start();
  rig.append("a.log", "INFO before\n" + kTrace.substr(0, 40));
  rig.turn();
  rig.rename("a.log", "a.log.1");
  rig.append("a.log", kTrace.substr(40) + "\nINFO after\n");
  rig.settle();
  EXPECT_EQ(texts(rig), (Texts{kTrace, "INFO after", "INFO before"}));
}

TEST(Multiline, EventSurvivesTwoRotations) {
  Rig rig({}, java());
  rig.options.multiline_timeout = milliseconds(10000);
  rig.start();
  rig.append("a.log", "INFO before\n" + kTrace + "\n");
  rig.turn();
  rig.rename("a.log", "a.log.1");
  rig.append("a.log", "\tat shop.Main.run(Main.java:1)\n");
  rig.turn();
  rig.rename("a.log.1", "a.log.2");
  rig.rename("a.log", "a.log.1");
  rig.append("a.log", "\tat shop.Main.main(Main.java:1)\nINFO after\n");
  rig.settle();
  EXPECT_EQ(texts(rig), (Texts{kTrace + "\n\tat shop.Main.run(Main.java:1)\n\tat shop.Main.main(Main.java:1)",
                               "INFO after", "INFO before"}));
  EXPECT_EQ(rig.tail_probe.lost, 0u);
}

TEST(Multiline, GenerationsRotatedWhileDownAreReadInTheirOrder) {
  for (int order = 0; order < 2; ++order) {  // of what was there before: its event is open, or not
    Rig rig({}, java());
    rig.start();
    rig.append("a.log", order == 0 ? "INFO before\n" : "INFO before\n" + kTrace + "\n");
    rig.turn();
    rig.settle();
    rig.crash();
    rig.append("a.log", "ERROR one\njava.lang.Error: A\n");
    rig.rename("a.log", "a.log.1");
    rig.append("a.log", "ERROR two\njava.lang.Error: B\n");
    rig.rename("a.log.1", "a.log.2");
    rig.rename("a.log", "a.log.1");
    rig.append("a.log", "\tat b.B.b(B.java:1)\nINFO after\n");
    rig.start();
    rig.settle();
    const Texts all = texts(rig);
    EXPECT_NE(std::find(all.begin(), all.end(), "ERROR one\njava.lang.Error: A"), all.end());
    EXPECT_NE(std::find(all.begin(), all.end(), "ERROR two\njava.lang.Error: B\n\tat b.B.b(B.java:1)"),
              all.end());
  }
}

// The copy was made before the last line of the event; that line is gone, and nothing waits for it.
TEST(Multiline, OpenEventThatACopyLacksDoesNotKeepTheProgram) {
  Rig rig({}, java());
  rig.start();
  rig.append("a.log", "INFO before\nINFO one\n");
  rig.turn();
  rig.copy("a.log", "a.log.1");
  rig.append("a.log", "INFO two\n");
  rig.turn();
  rig.truncate("a.log");
  rig.append("a.log", "INFO three\n");
  for (int i = 0; i < 10; ++i) rig.turn();
  EXPECT_EQ(rig.tail_probe.lost, std::string("INFO two\n").size());
  const MonoTime begin = rig.clock.now();
  rig.finish();
  EXPECT_LT(rig.clock.now() - begin, std::chrono::seconds(5));
}

TEST(Multiline, EventInUtf16SurvivesARotation) {
  const auto utf16 = [](const std::string& ascii) {
    std::string out;
    for (const char c : ascii) out += {c, '\0'};
    return out;
  };
  DecodeOptions d = java();
  d.encoding = Encoding::utf16le;
  const std::string mark = "\xFF\xFE";
  const std::size_t line = kTrace.find('\n') + 1;
  for (const std::size_t at : {line, line + 7}) {  // between two lines, in mid-line
    Rig rig({}, d);
    rig.start();
    rig.append("a.log", mark + utf16("INFO before\n" + kTrace.substr(0, at)));
    rig.turn();
    rig.rename("a.log", "a.log.1");
    rig.append("a.log", (at == line ? mark : "") + utf16(kTrace.substr(at) + "\nINFO after\n"));
    rig.settle();
    EXPECT_EQ(texts(rig), (Texts{kTrace, "INFO after", "INFO before"})) << at;
  }
}

TEST(Multiline, EventThatWentOverARotationSurvivesACrash) {
  for (int crash_after = 0; crash_after < 8; ++crash_after) {
    Rig rig({}, java());
    rig.start();
    rig.append("a.log", "INFO before\n" + kTrace.substr(0, 40));
    rig.turn();
    rig.rename("a.log", "a.log.1");
    rig.append("a.log", kTrace.substr(40) + "\nINFO after\n");
    for (int i = 0; i < crash_after; ++i) rig.turn();
    rig.crash();
    rig.start();
    rig.settle();
    EXPECT_EQ(texts(rig), (Texts{kTrace, "INFO after", "INFO before"})) << crash_after;
  }
}

// Each of many files has an open event when all are rotated: what is carried over is kept in memory and in
// the checkpoint, so there is an end to it.
TEST(Multiline, OpenEventsOfManyFilesTakeAShareOfTheBudgetAtMost) {
  Rig rig({}, java());
  rig.budget_bytes = 1u << 20;
  rig.start();
  constexpr int kFiles = 20;
  const std::string half = "INFO boom\n\tat " + std::string(60'000, 'x') + "\n";
  const auto name = [](int i) { return "app" + std::to_string(i) + ".log"; };
  for (int i = 0; i < kFiles; ++i) rig.append(name(i), half);
  rig.turn();
  for (int i = 0; i < kFiles; ++i) {
    rig.rename(name(i), name(i) + ".1");
    rig.append(name(i), "\tat rest" + std::to_string(i) + "\nINFO after\n");
  }
  rig.settle();
  int whole = 0;
  int cut = 0;
  for (const auto& [id, doc] : rig.stored) {
    if (doc.message.starts_with("INFO boom"))
      (doc.message.find("rest") != std::string::npos ? whole : cut) += 1;
    if (doc.message.starts_with("\tat rest")) {
      EXPECT_EQ(doc.flags, Flags{"continuation"});
    }
  }
  EXPECT_EQ(whole, 4);  // a quarter of the budget
  EXPECT_EQ(cut, kFiles - whole);
  EXPECT_EQ(rig.stored.size(), static_cast<std::size_t>(2 * kFiles + cut));
}

TEST(Multiline, ArrivesWholeHoweverItIsWritten) {
  Rig rig({}, java());
  rig.start();
  for (const char c : kTrace + "\nINFO after\n") {
    rig.append("a.log", std::string(1, c));
    rig.turn();
    rig.acknowledge(1);
  }
  rig.settle();
  EXPECT_EQ(texts(rig), (Texts{kTrace, "INFO after"}));
}

TEST(Multiline, TimeoutClosesAnEventAndWhatComesLaterIsItsContinuation) {
  Rig rig({}, java());
  rig.options.multiline_timeout = milliseconds(2000);
  rig.start();
  rig.append("a.log", kTrace + "\n");
  rig.turn();
  EXPECT_EQ(texts(rig), Texts{});
  for (int i = 0; i < 5; ++i) rig.turn();
  EXPECT_EQ(texts(rig), Texts{kTrace});
  rig.crash();
  rig.append("a.log", "\tat shop.Main.main(Main.java:1)\nINFO after\n");
  rig.start();
  rig.settle();
  EXPECT_EQ(texts(rig), (Texts{"\tat shop.Main.main(Main.java:1)", kTrace, "INFO after"}));
  EXPECT_EQ(flags_of(rig, "\tat shop.Main.main(Main.java:1)"), Flags{"continuation"});
}

TEST(Time, OfALineWithoutOneIsTheSameOnReplay) {
  Rig rig;
  rig.start();
  for (int i = 0; i < 5; ++i) {
    rig.append("a.log", "line " + std::to_string(i) + "\n");
    for (int j = 0; j < 3; ++j) rig.turn();  // never acknowledged
  }
  ASSERT_EQ(rig.stored.size(), 5u);
  rig.clock.step(std::chrono::hours(1));
  rig.crash();
  rig.start();
  rig.settle();  // the rig compares times of equal ids
  EXPECT_EQ(rig.duplicates, 5u);
  EXPECT_EQ(rig.stored.size(), 5u);
}

TEST(UnterminatedLine, IsNotCutInACharacter) {
  Rig rig;
  rig.options.unterminated_timeout = milliseconds(3000);
  rig.start();
  const std::string hello = "\xD0\xBF\xD1\x80\xD0\xB8\xD0\xB2";  // п р и в
  rig.append("a.log", hello.substr(0, 5));
  for (int i = 0; i < 6; ++i) rig.turn();
  EXPECT_EQ(texts(rig), Texts{hello.substr(0, 4)});
  rig.append("a.log", hello.substr(5) + "\n");
  rig.settle();
  EXPECT_EQ(texts(rig), (Texts{hello.substr(4), hello.substr(0, 4)}));
  rig.crash();
  rig.start();
  rig.append("b.log", "\xD0");  // nothing but a part of one
  for (int i = 0; i < 10; ++i) rig.turn();
  EXPECT_EQ(rig.stored.size(), 2u);
  rig.finish();
  EXPECT_EQ(rig.stored.size(), 3u);
}

TEST(Lines, CarriageReturnsAreNoPartOfThem) {
  Rig rig;
  rig.start();
  rig.append("a.log", "one\r\ntwo\r");
  rig.turn();
  rig.append("a.log", "\n\r\nthree\rx\r\n");
  rig.settle();
  EXPECT_EQ(texts(rig), (Texts{"one", "three\rx", "two"}));
}

TEST(Lines, LongOneIsCutMarkedAndCounted) {
  Rig rig;
  rig.start();
  rig.append("a.log", std::string(2u << 20, 'x') + "\nnext\n");
  rig.settle();
  ASSERT_EQ(rig.stored.size(), 2u);
  const Texts all = texts(rig);
  EXPECT_EQ(all[0], "next");
  EXPECT_EQ(all[1], std::string(1u << 20, 'x'));
  EXPECT_EQ(flags_of(rig, all[1]), Flags{"truncated"});
  EXPECT_EQ(rig.pipeline_probe.truncated_events, 1u);
  EXPECT_EQ(rig.pipeline_probe.truncated_bytes, (1u << 20) + 1) << "the rest and its newline";
}

TEST(Lines, PiecesOfAContainerLineAreJoinedOverARotation) {
  DecodeOptions cri;
  cri.container = ContainerFormat::cri;
  Rig rig({}, cri);
  rig.start();
  const std::string t = "2026-01-02T03:04:05.000000001Z ";
  rig.append("a.log", t + "stdout F before\n" + t + "stdout P first \n");
  rig.turn();
  rig.rename("a.log", "a.log.1");
  rig.append("a.log", t + "stdout F second\n" + t + "stderr F after\n");
  rig.settle();
  EXPECT_EQ(texts(rig), (Texts{"after", "before", "first second"}));
}

TEST(Lines, LongPiecesOfAContainerLineAreJoinedOverARotation) {
  DecodeOptions cri;
  cri.container = ContainerFormat::cri;
  Rig rig({}, cri);
  rig.start();
  const std::string t = "2026-01-02T03:04:05.000000001Z ";
  const std::string piece(16 * 1024, 'x');  // as container runtimes cut
  rig.append("a.log", t + "stdout P " + piece + "\n");
  rig.turn();
  rig.rename("a.log", "a.log.1");
  const std::string next(16 * 1024, 'y');
  rig.append("a.log", t + "stdout P " + next + "\n" + t + "stdout F end\n");
  rig.settle();
  ASSERT_EQ(rig.stored.size(), 1u);
  EXPECT_EQ(texts(rig)[0].size(), 2 * piece.size() + 3);
  EXPECT_TRUE(texts(rig)[0] == piece + next + "end");
}

// What cannot go on in the next file as one piece is cut there: nothing is lost, nothing comes twice.
TEST(Lines, BothStreamsOfAContainerMayBeOpenAtARotation) {
  const std::string t = "2026-01-02T03:04:05.000000001Z ";
  for (const bool trace : {false, true}) {
    DecodeOptions cri = trace ? java() : DecodeOptions{};
    cri.container = ContainerFormat::cri;
    Rig rig({}, cri);
    rig.start();
    const std::string open = trace ? "F" : "P";
    rig.append("a.log", t + "stderr " + open + " java.lang.Error: err\n" + t + "stdout F A\n" + t +
                            "stdout F A2\n" + t + "stdout " + open + " java.lang.Error: out\n");
    rig.turn();
    rig.rename("a.log", "a.log.1");
    rig.append("a.log", t + "stdout F \tat o.O.o(O.java:1)\n" + t + "stderr F \tat e.E.e(E.java:1)\n" + t +
                            "stdout F INFO Z\n");
    rig.settle();
    std::string all;
    for (const auto& text : texts(rig)) all += text + "|";
    std::replace(all.begin(), all.end(), '\n', '|');
    for (const char* once : {"A|", "A2|", "Error: err", "Error: out", "at o.O", "at e.E", "INFO Z|"}) {
      const auto at = all.find(once);
      ASSERT_NE(at, std::string::npos) << once << " in " << all;
      EXPECT_EQ(all.find(once, at + 1), std::string::npos) << once << " in " << all;
    }
    EXPECT_EQ(rig.duplicates, 0u);
  }
}

TEST(Memory, ReadingStopsAtTheBudgetAndGoesOnWithAcknowledgements) {
  Rig rig;
  rig.budget_bytes = 8u << 20;
  rig.options.batch_bytes = 1u << 20;
  rig.start();
  const std::string line(200, 'x');
  std::string bytes;
  constexpr int kLines = 100'000;
  for (int i = 0; i < kLines; ++i) bytes += std::to_string(i) + line + "\n";
  rig.append("a.log", bytes);
  for (int i = 0; i < 30; ++i) {
    rig.turn();
    EXPECT_LT(rig.budget_used(), 12u << 20);
  }
  const std::size_t stuck = rig.stored.size();
  EXPECT_GT(stuck, 1000u);
  EXPECT_LT(stuck, std::size_t{kLines} * 2 / 3);
  rig.turn();
  EXPECT_EQ(rig.stored.size(), stuck);
  rig.settle();
  rig.settle();
  EXPECT_EQ(rig.stored.size(), std::size_t{kLines});
  EXPECT_EQ(rig.duplicates, 0u);
}

TEST(Memory, EventsThatAreDroppedTakeNone) {
  DecodeOptions decode;
  decode.encoding = Encoding::windows1251;  // decoding takes memory of the batch
  Rig rig({}, decode);
  rig.budget_bytes = 2u << 20;
  ProcessorOptions drop;
  drop.drop.emplace();
  FieldTest debug;
  debug.name = "message";
  debug.glob = "debug*";
  drop.when.must.fields = {debug};
  rig.processors = {drop};
  rig.start();
  std::string lines;
  for (int i = 0; i < 100'000; ++i) lines += "debug " + std::to_string(i) + std::string(60, 'x') + "\n";
  rig.append("a.log", lines + "error\n");
  rig.settle();
  EXPECT_EQ(texts(rig), Texts{"error"});
  EXPECT_LT(rig.budget_used(), 2u << 20);
}

// It is decoded anew at each look.
TEST(Memory, OpenEventThatGrowsSlowlyTakesLittle) {
  DecodeOptions decode = java();
  decode.encoding = Encoding::windows1251;
  Rig rig({}, decode);
  rig.budget_bytes = 2u << 20;
  rig.start();
  rig.append("a.log", kTrace + "\n");
  for (int i = 0; i < 200; ++i) {
    rig.append("a.log", "\tat shop." + std::string(500, 'x') + "(X.java:1)\n");
    rig.turn();
    ASSERT_LT(rig.budget_used(), 2u << 20) << i;
  }
  rig.append("a.log", "INFO after\n");
  rig.settle();
  EXPECT_EQ(rig.stored.size(), 2u);
}

TEST(Memory, EventLargerThanTheBudgetPassesThroughIt) {
  DecodeOptions decode;
  decode.max_event_bytes = 4u << 20;
  Rig rig({}, decode);
  rig.budget_bytes = 1u << 20;
  rig.options.unterminated_timeout = milliseconds(2000);
  rig.start();
  for (const char* name : {"a.log", "b.log", "c.log"})
    rig.append(name, std::string(3u << 20, name[0]) + "\n" + name + " short\n");
  rig.settle();
  EXPECT_EQ(rig.stored.size(), 6u);
}

TEST(Pause, EachOutputHasAPauseOfItsOwn) {
  Rig rig;
  rig.start();
  rig.worker().pause_input(0, 0, "the dead letters are full");
  rig.worker().pause_input(1, 0, "the dead letters are full");
  rig.append("a.log", "one\n");
  rig.worker().resume_input(1, 0);
  EXPECT_TRUE(rig.pipeline_probe.is_paused);
  rig.settle();
  EXPECT_EQ(texts(rig), Texts{});
  rig.worker().resume_input(0, 0);
  EXPECT_FALSE(rig.pipeline_probe.is_paused);
  rig.settle();
  EXPECT_EQ(texts(rig), Texts{"one"});
}

TEST(Pause, InputIsNotReadUntilItIsResumed) {
  Rig rig;
  rig.start();
  rig.append("a.log", "one\n");
  rig.settle();
  rig.worker().pause_input(0, 0, "the dead letters are full");
  EXPECT_EQ(rig.last_told(), "reading of log input shop is paused: the dead letters are full");
  EXPECT_TRUE(rig.pipeline_probe.is_paused);
  rig.append("a.log", "two\n");
  rig.settle();
  EXPECT_EQ(texts(rig), Texts{"one"});
  EXPECT_EQ(rig.pipeline_probe.lag_bytes, 4u) << "and is told as behind";
  rig.worker().resume_input(0, 0);
  EXPECT_FALSE(rig.pipeline_probe.is_paused);
  rig.settle();
  EXPECT_EQ(texts(rig), (Texts{"one", "two"}));
}

// A signal often comes with file activity: the worker's rest between two looks must not use up the wake that
// tells it to stop.
TEST(Wake, ThatComesDuringARestEndsTheTurn) {
  std::string why;
  const auto notifier = make_inotify_notifier(why);
  Rig rig;
  rig.real_notifier = notifier.get();
  rig.start();
  for (int i = 0; i < 5; ++i) rig.turn();
  notifier->wake();
  const auto begin = std::chrono::steady_clock::now();
  rig.worker().turn(milliseconds(10'000));  // the clock stands still: it rests first
  EXPECT_LT(std::chrono::steady_clock::now() - begin, milliseconds(5'000));
}

}  // namespace
}  // namespace sidelight::test

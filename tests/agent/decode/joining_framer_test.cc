#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/agent/decode/framing.h"

namespace sidelight::testing {
namespace {

using ::testing::ElementsAre;

constexpr const char* kTime = "2026-11-22T20:01:02.123456789Z";

std::string cri(const std::string& stream, const std::string& tag, const std::string& text) {
  return std::string(kTime) + " " + stream + " " + tag + " " + text + "\n";
}
std::string docker(const std::string& stream, const std::string& escaped) {
  return "{\"log\":\"" + escaped + "\",\"stream\":\"" + stream + "\",\"time\":\"" + kTime + "\"}\n";
}

std::ptrdiff_t not_wrapped(const Result& r) {
  return std::count_if(r.events.begin(), r.events.end(),
                       [](const Framed& e) { return e.flags.contains('w'); });
}

TEST(ContainerLogs, JoinCriPiecesPerStream) {
  const auto framer = framer_for({.container = ContainerFormat::cri});
  const Result r = frame_all(
      *framer, cri("stdout", "P", "one ") + cri("stderr", "F", "error") + cri("stdout", "F:x", "two"));
  ASSERT_EQ(r.events.size(), 2u);
  EXPECT_EQ(r.events[0].text, "error");
  EXPECT_EQ(r.events[0].lane, 1);
  EXPECT_EQ(r.events[1].text, "one two");
  EXPECT_EQ(r.events[1].time, kTime);
  EXPECT_EQ(r.events[1].flags, "c");
  EXPECT_EQ(r.events[1].begin, 0u);
}

TEST(ContainerLogs, UnescapeDockerLinesAndJoinThoseWithoutNewline) {
  const auto framer = framer_for({.container = ContainerFormat::docker});
  const Result r = frame_all(*framer, docker("stdout", "a\\tb\\u003c\\ud83d\\ude80 ") +
                                          docker("stdout", "end\\r\\n") + docker("stderr", "\\ud800\\n"));
  EXPECT_THAT(texts(r), ElementsAre("a\tb<🚀 end", "\xEF\xBF\xBD"));
  EXPECT_EQ(not_wrapped(r), 0);
}

TEST(ContainerLogs, ShipMalformedLinesAsTheyAreAndMarkThem) {
  for (const ContainerFormat format : {ContainerFormat::cri, ContainerFormat::docker}) {
    const auto framer = framer_for({.container = format});
    const Result r = frame_all(*framer, "{\"log\":\"bad \\x\"}\n2026 stdout F x\n\n");
    EXPECT_THAT(texts(r), ElementsAre("{\"log\":\"bad \\x\"}", "2026 stdout F x"));
    EXPECT_EQ(not_wrapped(r), 2);
  }
}

TEST(ContainerLogs, AreDetectedLineByLine) {
  const auto framer = framer_for({.container = ContainerFormat::detect});
  const Result r = frame_all(*framer, cri("stdout", "F", "cri") + docker("stdout", "docker\\n") +
                                          "plain\n{\"log\":\"of an application\"}\n");
  EXPECT_THAT(texts(r), ElementsAre("cri", "docker", "plain", "{\"log\":\"of an application\"}"));
  EXPECT_EQ(not_wrapped(r), 0);
}

TEST(ContainerLogs, MarkBothSidesOfACutBetweenPieces) {
  const auto framer = framer_for({.container = ContainerFormat::cri});
  const std::string first = cri("stdout", "P", "one ");
  const std::string file = first + cri("stdout", "F", "two");
  const Result cut = frame_once(*framer, file, {}, first.size(), true);
  ASSERT_EQ(cut.events.size(), 1u);
  EXPECT_EQ(cut.events[0].flags, "cu");
  const Result rest = frame_once(*framer, file, cut.position, file.size(), true);
  ASSERT_EQ(rest.events.size(), 1u);
  EXPECT_EQ(rest.events[0].text, "two");
  EXPECT_EQ(rest.events[0].flags, "c>");
}

TEST(ContainerLogs, SkipThePiecesBeyondTheLimit) {
  const auto framer = framer_for({.container = ContainerFormat::cri, .max_event_bytes = 16});
  const Result r = frame_all(*framer, cri("stdout", "P", "0123456789") + cri("stdout", "P", "0123456789") +
                                          cri("stdout", "F", "xyz") + cri("stdout", "F", "next"));
  EXPECT_THAT(texts(r), ElementsAre("0123456789012345", "next"));
  EXPECT_EQ(r.stats.truncated_bytes, 7u);
}

TEST(ContainerLogs, CloseAnEventThatTheOtherStreamLeavesFarBehind) {
  const auto framer = framer_for({.container = ContainerFormat::cri, .max_event_bytes = 1000});
  std::string file = cri("stdout", "P", "waits");
  while (file.size() < framer->window_bytes()) file += cri("stderr", "F", std::string(500, 'e'));
  const Result r = frame_all(*framer, file, false);
  EXPECT_GT(r.position.low(), 0u);
  EXPECT_THAT(texts(r), ::testing::Contains("waits"));
}

struct Trace {
  MultilinePreset preset;
  std::vector<std::string> events;
};
class StackTraces : public ::testing::TestWithParam<Trace> {};

TEST_P(StackTraces, JoinTheLineBeforeThemAndNothingElseDoes) {
  const auto framer = framer_for(
      {.multiline = {.preset = GetParam().preset, .start_pattern = R"(^\d{4}-)", .max_lines = 500}});
  std::string file;
  for (const std::string& e : GetParam().events) file += e + "\n";
  EXPECT_EQ(texts(frame_all(*framer, file)), GetParam().events);
}

INSTANTIATE_TEST_SUITE_P(
    Presets, StackTraces,
    ::testing::Values(
        Trace{MultilinePreset::java,
              {"INFO one",
               "ERROR failed\njava.lang.IllegalStateException: boom\n\tat a.B.c(B.java:1)\n\t... 3 "
               "more\nCaused by: x.Y\n\tat d.E.f(E.java:2)\n\tSuppressed: q.R: s\n\t\t... 2 common frames "
               "omitted",
               "INFO two", "Exception in thread \"main\" java.lang.Error: x\n    at a.B.main(B.java:3)",
               "at the end", "  indented"}},
        // What a database's driver says goes over several lines.
        Trace{MultilinePreset::java,
              {"ERROR no order\norg.postgresql.util.PSQLException: ERROR: duplicate key\n  Detail: Key "
               "(id)=(1) "
               "already exists.\n  Position: 7\n\tat a.B.c(B.java:1)\nCaused by: a.B$NotFound: no\n  Where: "
               "PL/pgSQL\n\t... 3 more",
               "ERROR bad answer\na.b.HttpClientErrorException$NotFound: 404\n\tat a.B.c(B.java:1)",
               "INFO two", "  indented", "DETAIL: of nothing"}},
        Trace{
            MultilinePreset::python,
            {"ERROR no order\nTraceback (most recent call last):\n  File \"a.py\", line 1, in "
             "f\nsqlalchemy.exc.IntegrityError: duplicate key\nDETAIL:  Key (id)=(1) already "
             "exists.\n\n[SQL: "
             "INSERT]\n[parameters: {}]\n(Background on this error at: https://sqlalche.me/e/20/gkpj)",
             "ОШИБКА нет заказа\nTraceback (most recent call last):\n  File \"a.py\", line 1, in "
             "f\npsycopg2.errors.SyntaxError: ошибка\nСТРОКА 12: SELEC\n           ^\nПОДСКАЗКА:  Проверьте",
             "ERROR again\nTraceback (most recent call last):\n  File \"a.py\"\nsqlalchemy.exc.DataError: "
             "no\n\n[SQL: INSERT INTO x\n(a, b)\n  VALUES (%s)]\n[parameters: {}]",
             "INFO two", "LINE 1: of nothing", "[SQL: SELECT]", "[SQL: SELECT", "1]"}},
        Trace{MultilinePreset::dotnet,
              {"fail: Shop.Cart[0]\n      Adding failed\n      Npgsql.PostgresException (0x80004005): 23505: "
               "duplicate key\n\nDETAIL: Key (id)=(1) already exists.\n   at Npgsql.A.B()\n  Exception "
               "data:\n    "
               "Severity: ERROR\n    SqlState: 23505",
               "info: next", "  indented", "DETAIL: of nothing"}},
        Trace{MultilinePreset::python,
              {"INFO one",
               "ERROR failed\nTraceback (most recent call last):\n  File \"a.py\", line 1, in f\n    "
               "g()\nKeyError: 'x'\n\nDuring handling of the above exception, another exception "
               "occurred:\n\nTraceback (most recent "
               "call last):\n  File \"a.py\", line 3, in h\nshop.errors.CartError: no",
               "INFO two", "INFO three", "    indented"}},
        Trace{MultilinePreset::go,
              {"started",
               "panic: boom [recovered]\n\tpanic: boom\n\ngoroutine 1 "
               "[running]:\nmain.f(...)\n\t/src/main.go:3 +0x1d\nnet/http.(*conn).serve(0xc0000b4000, {0x1, "
               "0x2})\n\t/src/x.go:1\ncreated by main.main in "
               "goroutine 1\n\t/src/y.go:2\nexit status 2",
               "next line (not a frame)",
               "handled\ngoroutine 7 [chan receive, 3 minutes]:\nmain.g()\n\t/src/main.go:9 +0x1d", "done"}},
        Trace{MultilinePreset::dotnet,
              {"fail: Shop.Cart[0]\n      Adding failed\n      System.InvalidOperationException: no\n        "
               " at Shop.Cart.Add() in C:\\a.cs:line 3",
               "Unhandled exception. System.Exception: x\n ---> System.IO.IOException: y\n   at "
               "A.B()\n   --- End of inner exception stack trace ---\n   at C.D()",
               "info: next"}},
        Trace{MultilinePreset::cpp,
              {"started",
               "terminate called after throwing an instance of 'std::runtime_error'\n  what():  boom",
               "crash\n#0  0x0000 in main () at a.cc:1\n#1  0x0001 in f ()\n    at b.cc:3",
               "[INFO] bracketed [0x1] text",
               "crash\nBacktrace:\n./shop(main+0x1d) [0x55d0c0de]\n/lib/libc.so.6(+0x2a) [0x7f00]",
               "=================================================================\n==12==ERROR: "
               "AddressSanitizer: heap-use-after-free\nREAD "
               "of size 4\n    #0 0x1 in main a.cc:3\n\nSUMMARY: AddressSanitizer: x\n==12==ABORTING",
               "next"}},
        Trace{MultilinePreset::custom, {"2026-11-22 one\nmore\n\n  and more", "2026-11-23 two"}}));

// Each is one event: in whichever windows the lines come, and never as the rest of something, for nothing was
// cut.
void expect_events_of_their_own(MultilinePreset preset, const std::vector<std::string>& events) {
  const auto framer = framer_for({.multiline = {.preset = preset, .start_pattern = {}}});
  std::string file;
  for (const std::string& e : events) file += e + "\n";
  const Result whole = frame_all(*framer, file);
  EXPECT_EQ(texts(whole), events);
  for (const Framed& e : whole.events) EXPECT_EQ(e.flags, "") << e.text;
  std::vector<std::string> in_steps;
  FramePosition at;
  for (std::size_t end = 1; end <= file.size(); ++end) {
    const Result r = frame_once(*framer, file, at, end, end == file.size());
    for (const Framed& e : r.events) in_steps.push_back(e.text);
    at = r.position;
  }
  EXPECT_EQ(in_steps, events);
}

TEST(Multiline, TracesThatFollowEachOtherAreEventsOfTheirOwn) {
  const std::string python =
      "Traceback (most recent call last):\n  File \"a.py\", line 1, in <module>\nValueError: one";
  expect_events_of_their_own(
      MultilinePreset::python,
      {python, python,
       python + "\n\nDuring handling of the above exception, another exception occurred:\n\n" + python +
           "\n\nThe above exception was the direct cause of the following exception:\n\n" + python,
       python, "ERROR failed\n" + python, python,
       "  + Exception Group Traceback (most recent call last):\n  |   File \"a.py\", line 1, in f\n  | "
       "ExceptionGroup: two (1 sub-exception)\n  +-+---------------- 1 ----------------\n    | ValueError: "
       "a\n    +------------------------------------",
       python});
  const std::string java = "java.lang.IllegalStateException: one\n\tat a.B.c(B.java:1)";
  expect_events_of_their_own(
      MultilinePreset::java,
      {java, java,
       java + "\n\tSuppressed: x.YException: z\n\t\tat a.B.c(B.java:1)\nCaused by: q.R\n\t... 3 more", java,
       "ERROR failed\n" + java, java, "INFO done"});
  const std::string dotnet = "System.InvalidOperationException: one\n   at A.B.C()";
  expect_events_of_their_own(
      MultilinePreset::dotnet,
      {dotnet, dotnet,
       "System.AggregateException: two (a)\n ---> System.Exception: a\n   at X.Y()\n   --- End of inner "
       "exception stack trace ---\n   at Z.W()\n ---> (Inner Exception #1) System.Exception: b\n   at "
       "X.Y()<---",
       dotnet, "fail: Shop\n" + dotnet, dotnet});
}

TEST(Multiline, GoSaysWhatTheRuntimeWasDoingBeforeTheGoroutines) {
  const std::string stacks =
      "fatal error: stack overflow\n\nruntime stack:\nruntime.throw({0x4a1b2c?, "
      "0x0?})\n\t/usr/lib/go/src/runtime/panic.go:1077 +0x5c\nruntime.newstack()\n\t/usr/lib/go/src/runtime/"
      "stack.go:1117 +0x5bd\n\ngoroutine 1 [running]:\nmain.f(0x1)\n\t/tmp/x.go:4 +0x1d";
  const std::string signal =
      "panic: runtime error: invalid memory address or nil pointer dereference\n[signal SIGSEGV: "
      "segmentation "
      "violation code=0x1 addr=0x0 pc=0x45]\n\ngoroutine 1 [running]:\nmain.main()\n\t/tmp/x.go:4 "
      "+0x1d\nexit "
      "status 2";
  expect_events_of_their_own(
      MultilinePreset::go,
      {stacks, stacks, signal, signal,
       "runtime: goroutine stack exceeds 1000000000-byte limit\nruntime: sp=0xc0200e1390 "
       "stack=[0xc0200e0000, 0xc0400e0000]\n" +
           stacks,
       "listens", "runtime stack: of nothing"});
}

TEST(Multiline, JavaTracesMayBeShortenedOrCrossCoroutines) {
  expect_events_of_their_own(
      MultilinePreset::java,
      {"java.lang.Error: x\n\tat a.B\n\t... 27 frames excluded\n\tat c.D\n\t... suppressed 3 lines\n\tat "
       "e.F\n\t(Coroutine boundary)\n\tat g.H\n\t... 3 more\nCaused by: x.Y: z\n\t... 2 common frames "
       "omitted",
       "INFO two", "\t... and more", "\t(no boundary)"});
}

TEST(Multiline, ACompleteJsonLineIsNoHeadOfATrace) {
  const std::string json = R"({"level":"info","msg":"last words"})";
  const std::string python =
      "Traceback (most recent call last):\n  File \"a.py\", line 1, in <module>\nValueError: one";
  expect_events_of_their_own(MultilinePreset::python,
                             {json, python, json, json, "not this one {}\n" + python});
  expect_events_of_their_own(
      MultilinePreset::java,
      {json, "java.lang.Error: x\n\tat a.B", json, "\tat a.B\n\tat c.D", json,
       "Exception in thread \"main\" java.lang.Error: x\n\tat a.B", json, "Caused by: x.Y\n\tat a.B"});
  expect_events_of_their_own(MultilinePreset::go, {json, "goroutine 1 [running]:\nmain.f()\n\t/x.go:4", json,
                                                   "panic: no\n\ngoroutine "
                                                   "1 [running]:\nmain.f()"});
  expect_events_of_their_own(MultilinePreset::dotnet,
                             {json, "System.Exception: x\n   at A.B()", json, "   at A.B()"});
  expect_events_of_their_own(MultilinePreset::cpp, {json, "#0  0x00 in main () at a.cc:1\n#1  0x01 in f ()"});
  // Over several lines it is one event where a pattern says so.
  const auto framer =
      framer_for({.multiline = {.preset = MultilinePreset::custom, .start_pattern = R"(^\{)"}});
  const std::string pretty = "{\n  \"a\": 1,\n  \"b\": {}\n}";
  EXPECT_THAT(texts(frame_all(*framer, pretty + "\n" + json + "\n" + pretty + "\n")),
              ElementsAre(pretty, json, pretty));
}

TEST(Multiline, ATraceBehindALineThatWasCutOffIsMarked) {
  const auto framer = framer_for({.multiline = {.preset = MultilinePreset::python, .start_pattern = {}}});
  const std::string file = "ERROR failed\nTraceback (most recent call last):\n  File \"a.py\"\nKeyError: 1\n";
  const Result cut = frame_once(*framer, file, {}, 13, true);
  EXPECT_EQ(texts(cut), (std::vector<std::string>{"ERROR failed"}));
  EXPECT_EQ(frame_once(*framer, file, cut.position, file.size(), true).events.at(0).flags, ">");
}

TEST(Multiline, KeepsTheLastEventOpenUntilTheNextBegins) {
  const auto framer = framer_for({.multiline = {.preset = MultilinePreset::java, .start_pattern = {}}});
  const std::string file = "one\n\tat a.B\ntwo\n";
  const Result r = frame_all(*framer, file, false);
  EXPECT_THAT(r.events, ElementsAre(Framed{0, 12, "one\n\tat a.B", "", 0, ""}));
  EXPECT_EQ(r.position.low(), 12u);
}

TEST(Multiline, ContinuesBehindAForcedCutAndBehindTheMostLines) {
  const auto framer =
      framer_for({.multiline = {.preset = MultilinePreset::java, .start_pattern = {}, .max_lines = 2}});
  const std::string file = "one\n\tat a\n\tat b\n\tat c\n";
  const Result r = frame_all(*framer, file);
  EXPECT_THAT(r.events, ElementsAre(Framed{0, 10, "one\n\tat a", "", 0, ""},
                                    Framed{10, 22, "\tat b\n\tat c", "", 0, ">"}));
  const Result cut = frame_once(*framer, file, {}, 4, true);
  EXPECT_EQ(frame_once(*framer, file, cut.position, file.size(), true).events.at(0).flags, ">");
}

TEST(Multiline, SkipsTheLinesBeyondTheLimitUntilTheNextEvent) {
  const auto framer = framer_for(
      {.multiline = {.preset = MultilinePreset::java, .start_pattern = {}}, .max_event_bytes = 16});
  const Result r = frame_all(*framer, "one\n\tat abcdefghijk\n\tat lost\nnext\n");
  EXPECT_THAT(r.events, ElementsAre(Framed{0, 20, "one\n\tat abcdefgh", "", 0, "t"},
                                    Framed{29, 34, "next", "", 0, ""}));
  EXPECT_EQ(r.stats.truncated_bytes, 11u);
}

TEST(Multiline, IsAppliedToEachStreamOfAContainer) {
  const auto framer = framer_for({.container = ContainerFormat::cri,
                                  .multiline = {.preset = MultilinePreset::java, .start_pattern = {}}});
  const Result r = frame_all(*framer, cri("stderr", "F", "boom") + cri("stdout", "F", "info") +
                                          cri("stderr", "F", "\tat a.B") + cri("stdout", "F", "more"));
  EXPECT_THAT(texts(r), ::testing::UnorderedElementsAre("boom\n\tat a.B", "info", "more"));
}

TEST(Multiline, JoinsTheTwoLinesOfJavaUtilLogging) {
  const auto java = framer_for({.multiline = {.preset = MultilinePreset::java, .start_pattern = {}}});
  const Result r = frame_all(*java,
                             "Nov 22, 2026 8:01:02\u202FPM shop.Main main\nSEVERE: one\njava.io.IOException: "
                             "x\n\tat a.B\n22 нояб. 2026 г. 20:01:02 shop.Main$1 <init>\nINFO: two\nINFO: "
                             "alone\n2026-11-22 20:01:02 some words\n");
  EXPECT_THAT(texts(r), ElementsAre("Nov 22, 2026 8:01:02\u202FPM shop.Main main\nSEVERE: "
                                    "one\njava.io.IOException: x\n\tat a.B",
                                    "22 нояб. 2026 г. 20:01:02 shop.Main$1 <init>\nINFO: two", "INFO: alone",
                                    "2026-11-22 20:01:02 some words"));
}

TEST(Multiline, KnowsWhetherTheNextGenerationGoesOn) {
  const auto java = framer_for({.multiline = {.preset = MultilinePreset::java, .start_pattern = {}}});
  EXPECT_EQ(java->continues("one\n", "\tat a.B\n", {}), true);
  EXPECT_EQ(java->continues("one\n", "two\n", {}), false);
  EXPECT_EQ(java->continues("one\n", "two", {}), std::nullopt);
  const auto python = framer_for({.multiline = {.preset = MultilinePreset::python, .start_pattern = {}}});
  EXPECT_EQ(python->continues("one\nTraceback (most recent call last):\n", "  File \"a.py\"\r\n", {}), true);
  EXPECT_EQ(python->continues("one\n", "  File \"a.py\"\n", {}), false);
  const auto pieces = framer_for({.container = ContainerFormat::cri});
  EXPECT_EQ(pieces->continues(cri("stdout", "P", "one"), cri("stdout", "F", "two"), {}), true);
  EXPECT_EQ(pieces->continues(cri("stdout", "F", "one"), cri("stdout", "F", "two"), {}), false);
}

TEST(ContainerLogs, CarryWhatEitherStreamLeavesOpenIntoTheNextGeneration) {
  const auto framer = framer_for({.container = ContainerFormat::cri,
                                  .multiline = {.preset = MultilinePreset::java, .start_pattern = {}}});
  const std::string trace = cri("stderr", "F", "boom") + cri("stderr", "F", "x.YException: z");
  const std::string rest = cri("stderr", "F", "\tat a.B") + cri("stderr", "F", "next");
  for (const std::string& other : {std::string(), cri("stdout", "F", "one"), cri("stdout", "P", "one")}) {
    const std::string first = cri("stderr", "F", "before") + other + trace;
    const Result before = frame_once(*framer, first, {}, first.size(), false);
    EXPECT_THAT(texts(before), ElementsAre("before"));
    const std::string carry =
        framer->open_part(std::string_view(first).substr(before.position.low()), before.position);
    EXPECT_EQ(carry, other + trace);
    EXPECT_EQ(framer->continues(carry, rest, before.position), true);
    const Result after = frame_once(*framer, rest, before.position.successor(), rest.size(), true, {}, carry);
    std::vector<std::string> expected = {"boom\nx.YException: z\n\tat a.B", "next"};
    if (!other.empty()) expected.emplace_back("one");
    EXPECT_THAT(texts(after), ::testing::UnorderedElementsAreArray(expected));
  }
}

TEST(ContainerLogs, CarryNothingThatWasHandedOut) {
  const auto framer = framer_for({.container = ContainerFormat::cri});
  const std::string first =
      cri("stderr", "P", "one ") + cri("stdout", "F", "out") + cri("stderr", "P", "two ");
  const Result before = frame_once(*framer, first, {}, first.size(), false);
  EXPECT_THAT(texts(before), ElementsAre("out"));
  const std::string carry = framer->open_part(first, before.position);
  EXPECT_EQ(carry, cri("stderr", "P", "one ") + cri("stderr", "P", "two "));
}

TEST(ContainerLogs, WaitForTheFirstLineOfTheStreamThatHasSomethingOpen) {
  const auto framer = framer_for({.container = ContainerFormat::cri, .max_event_bytes = 1000});
  const std::string carry = cri("stderr", "P", "one ");
  std::string next = cri("stdout", "F", "out");
  EXPECT_EQ(framer->continues(carry, next, {}), std::nullopt);
  EXPECT_EQ(framer->continues(carry, next + cri("stderr", "F", "two"), {}), true);
  while (next.size() < framer->window_bytes()) next += cri("stdout", "F", "out");
  EXPECT_EQ(framer->continues(carry, next, {}), false);
}

// Two events that ended in one carry would have the same range, and one of them would be taken for the other.
TEST(ContainerLogs, CarryNoTwoEventsThatMayEndBehindEachOther) {
  const auto framer = framer_for({.container = ContainerFormat::cri,
                                  .multiline = {.preset = MultilinePreset::java, .start_pattern = {}}});
  const std::string line = cri("stdout", "F", "three");
  const std::string carry =
      cri("stderr", "F", "one") + cri("stdout", "F", "two") + line.substr(0, line.size() - 3);
  EXPECT_EQ(framer->continues(carry, line.substr(line.size() - 3), {}), false);
}

std::string utf16(const std::string& ascii, bool big) {
  std::string out;
  for (const char c : ascii) out += big ? std::string{'\0', c} : std::string{c, '\0'};
  return out;
}

TEST(Multiline, KnowsSoInUtf16) {
  for (const bool big : {false, true}) {
    const auto java = framer_for({.encoding = big ? Encoding::utf16be : Encoding::utf16le,
                                  .multiline = {.preset = MultilinePreset::java, .start_pattern = {}}});
    for (const bool swapped : {false, true}) {
      const bool order = big != swapped;
      const std::string mark = order ? "\xFE\xFF" : "\xFF\xFE";
      FramePosition at;
      at.utf16_swapped = swapped;
      EXPECT_EQ(java->continues(utf16("one\n", order), mark + utf16("\tat a.B\r\n", order), at), true);
      EXPECT_EQ(java->continues(utf16("one\n", order), mark + utf16("two\n", order), at), false);
      EXPECT_EQ(java->continues(utf16("one\n", order), mark + utf16("tw", order), at), std::nullopt);
      // A character with the byte of a newline in it is none.
      EXPECT_EQ(java->continues(utf16("one\n", order), mark + "\x0A\x0A", at), std::nullopt);
    }
  }
}

TEST(Multiline, CarriesAnOpenEventIntoTheNextGeneration) {
  const auto framer = framer_for({.multiline = {.preset = MultilinePreset::java, .start_pattern = {}}});
  const std::string file = "\tat a.B\nnext\n";
  const Result r = frame_once(*framer, file, {}, file.size(), false, {}, "boom\n");
  EXPECT_THAT(r.events, ElementsAre(Framed{0, 8, "boom\n\tat a.B", "", 0, ""}));
  EXPECT_EQ(r.position.low(), 8u);
  const Result own = frame_once(*framer, "next\nmore\n", {}, 10, false, {}, "boom\n");
  EXPECT_THAT(own.events, ElementsAre(Framed{0, 0, "boom", "", 0, ""}, Framed{0, 5, "next", "", 0, ""}));
}

}  // namespace
}  // namespace sidelight::testing

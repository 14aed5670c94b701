#include <array>
#include <cstdlib>
#include <fstream>

#include "tests/agent/parse/parse_testing.h"

namespace sidelight {
namespace {

ParsedLine parse(std::string_view line) {
  return {Format::automatic, line};
}

struct Case {
  std::string_view line, time, level, pid;
};

TEST(AutomaticParser, FindsTimeLevelAndProcessAtTheBeginningOfText) {
  static constexpr auto kCases = std::to_array<Case>({
      {"2026-11-22 20:01:02,123 ERROR [main] com.x.Y - msg", "2026-11-22T20:01:02.123Z", "error", "-"},
      {"[2026-11-22T23:01:02+03:00] WARN something", "2026-11-22T20:01:02.000Z", "warning", "-"},
      {"2026-11-22 20:01:02.123456+00:00 [info] <0.1.0> msg", "2026-11-22T20:01:02.123456Z", "info", "-"},
      {"2026-11-22 20:01:02.123 UTC [123] LOG:  ready", "2026-11-22T20:01:02.123Z", "info", "123"},
      {"2026-11-22 20:01:02.123 UTC [123] user@db FATAL:  no", "2026-11-22T20:01:02.123Z", "critical", "123"},
      {"2026-11-22 23:01:02.123 MSK [123] user@db ERROR:  no", "2026-11-22T20:01:02.123Z", "error", "123"},
      {"2026-11-22 20:01:02.123 IST [123] user@db ERROR:  no", "2026-11-22T20:01:02.123Z", "error", "123"},
      {"2026-11-22 20:01:02.123 IST [123] LOG:  ready", "2026-11-22T20:01:02.123Z", "info", "123"},
      {"1234:M 22 Nov 2026 20:01:02.123 # WARNING", "2026-11-22T20:01:02.123Z", "warning", "1234"},
      {"Nov 22 20:01:02 host prog[77]: hello", "2026-11-22T20:01:02.000Z", "", "77"},
      {"<131>1 2026-11-22T20:01:02.003Z host app 99 ID47 - x", "2026-11-22T20:01:02.003Z", "error", "-"},
      {"E1122 20:01:02.123456    1234 file.go:12] hi", "2026-11-22T20:01:02.123456Z", "error", "-"},
      {"[Sun Dec 04 04:47:44 2005] [notice] ok", "2005-12-04T04:47:44.000Z", "notice", "-"},
      {"17/06/09 20:10:40 INFO executor.X: y", "2017-06-09T20:10:40.000Z", "info", "-"},
      {"2026/11/22 20:01:02 plain words of Go", "2026-11-22T20:01:02.000Z", "", "-"},
      {"nova.log.1 2026-11-22 20:01:02.008 25746 INFO nova [req] x", "2026-11-22T20:01:02.008Z", "info", "-"},
      {"- 1795377662 2026.11.22 host Nov 22 20:01:02 x", "2026-11-22T20:01:02.000Z", "", "-"},
      {"2026-11-22T20:01:02Z\tinfo\tstarted", "2026-11-22T20:01:02.000Z", "info", "-"},
      {"WARNING 2026-11-22 20:01:02,1 thing", "2026-11-22T20:01:02.100Z", "warning", "-"},
      {"22.11.2026 20:01:02,123 ERROR [main] x.Y - z", "2026-11-22T20:01:02.123Z", "error", "-"},
      {"[22.11.2026 20:01:02] WARN x", "2026-11-22T20:01:02.000Z", "warning", "-"},
      {"[2026-11-22 20:01:02] production.ERROR: x {\"a\":1}", "2026-11-22T20:01:02.000Z", "error", "-"},
      {"[2026-11-22T20:01:02.123456+00:00] my-app.CRITICAL: x", "2026-11-22T20:01:02.123456Z", "critical",
       "-"},
      {"2026-11-22 20:01:02 see java.lang.ERROR: no level", "2026-11-22T20:01:02.000Z", "", "-"},
      {"INFO:root:hello", "-", "info", "-"},
      {"[ERROR] boom", "-", "error", "-"},
      {"fail: Shop.Cart[0]", "-", "error", "-"},
      {"dbug: Shop.Cart[0]", "-", "debug", "-"},
      {"trce: Shop.Cart[0]", "-", "trace", "-"},
      {"crit: Shop.Cart[0]", "-", "critical", "-"},
      {"2026-11-22 20:01:02 fail: Shop.Cart[0]", "2026-11-22T20:01:02.000Z", "error", "-"},
      {"2026-11-22 20:01:02 orders that fail: 7", "2026-11-22T20:01:02.000Z", "", "-"},
      {"fail safe is on", "-", "", "-"},
      {"    at com.x.Y(Z.java:12)", "-", "", "-"},
      {"Expires on 2027-01-01 00:00:00", "-", "", "-"},
      {"2026-11-22 20:01:02 user opened /var/error/x.info file", "2026-11-22T20:01:02.000Z", "", "-"},
      {"", "-", "", "-"},
  });
  for (const Case& c : kCases) {
    const auto p = parse(c.line);
    EXPECT_EQ(p.time(), c.time) << c.line;
    EXPECT_EQ(p.level(), c.level) << c.line;
    EXPECT_EQ(p.ecs("process.pid"), c.pid) << c.line;
    EXPECT_EQ(p.message(), c.line);
    EXPECT_EQ(p.error(), "");
  }
}

TEST(AutomaticParser, DecidesByTheLineAlone) {
  EXPECT_EQ(parse(R"({"msg":"x"})").message(), "\"x\"");
  EXPECT_EQ(parse(R"({"msg":"x")").message(), R"({"msg":"x")");
  EXPECT_EQ(parse("level=info msg=\"a b\" n=1").message(), "a b");
  EXPECT_EQ(parse("\xEF\xBB\xBFlevel=info msg=\"a b\" n=1").level(), "info");
  EXPECT_EQ(parse("a=b and then prose").label("a"), "-");
  EXPECT_EQ(parse("x=1").label("x"), "-");
  EXPECT_EQ(parse(R"(10.0.0.1 - - [22/Nov/2026:20:01:02 +0000] "GET / HTTP/1.1" 200 5)").ecs("source.ip"),
            "'10.0.0.1'");
  EXPECT_EQ(parse("2026/11/22 20:01:02 [warn] 5#6: x").ecs("process.pid"), "5");
}

TEST(AutomaticParser, TakesTheLevelOfJavaUtilLoggingFromItsSecondLine) {
  const auto p = parse("Nov 22, 2026 8:01:02 PM shop.Main main\nSEVERE: it failed");
  EXPECT_EQ(p.time(), "2026-11-22T20:01:02.000Z");
  EXPECT_EQ(p.level(), "error");
  EXPECT_EQ(p.message(), "Nov 22, 2026 8:01:02 PM shop.Main main\nSEVERE: it failed");
  EXPECT_EQ(parse("2026-11-22 20:01:02 text\nnote: not a level").level(), "");
}

struct Traced {
  std::string_view text, message, trace, type, error;
};

TEST(AutomaticParser, PutsTheStackTraceOfAJoinedEventWhereEcsHasIt) {
  static constexpr auto kCases = std::to_array<Traced>({
      // A logger's line, then the exception.
      {"2026-11-22 20:01:02 ERROR failed\njava.lang.IllegalStateException: no\n\tat a.B.c(B.java:5)\nCaused "
       "by: "
       "x.Y\n\tat d.E.f(E.java:2)",
       "2026-11-22 20:01:02 ERROR failed",
       "java.lang.IllegalStateException: no\n\tat a.B.c(B.java:5)\nCaused by: x.Y\n\tat d.E.f(E.java:2)",
       "java.lang.IllegalStateException", "no"},
      // The exception is in the first line itself.
      {"Exception in thread \"main\" java.lang.Error: x\n    at a.B.main(B.java:3)",
       "Exception in thread \"main\" java.lang.Error: x",
       "Exception in thread \"main\" java.lang.Error: x\n    at a.B.main(B.java:3)", "java.lang.Error", "x"},
      {"ERROR failed\n\tat a.B.main(B.java:3)", "ERROR failed", "\tat a.B.main(B.java:3)", "", ""},
      {"fail: Shop[0]\n      It failed\n      System.InvalidOperationException: no\n         at A.B()",
       "fail: Shop[0]\n      It failed", "      System.InvalidOperationException: no\n         at A.B()",
       "System.InvalidOperationException", "no"},
      {"ERROR:root:failed\nTraceback (most recent call last):\n  File \"a.py\", line 1\nValueError: bad",
       "ERROR:root:failed", "Traceback (most recent call last):\n  File \"a.py\", line 1\nValueError: bad",
       "ValueError", "bad"},
      {"no order\nTraceback (most recent call last):\n  File \"a.py\", line 1\nKeyError: 1\n\nThe above "
       "exception was "
       "the direct cause of the following exception:\n\nTraceback (most recent call last):\n  File \"a.py\", "
       "line "
       "2\nsqlalchemy.exc.IntegrityError: (psycopg2.errors.UniqueViolation) twice\nDETAIL:  Key (id)=(1) "
       "already "
       "exists.\n\n[SQL: INSERT]\n[parameters: {}]\n(Background on this error at: "
       "https://sqlalche.me/e/20/gkpj)",
       "no order",
       "Traceback (most recent call last):\n  File \"a.py\", line 1\nKeyError: 1\n\nThe above exception was "
       "the direct cause of the following exception:\n\nTraceback (most recent call last):\n  File \"a.py\", "
       "line "
       "2\nsqlalchemy.exc.IntegrityError: (psycopg2.errors.UniqueViolation) twice\nDETAIL:  Key (id)=(1) "
       "already "
       "exists.\n\n[SQL: INSERT]\n[parameters: {}]\n(Background on this error at: "
       "https://sqlalche.me/e/20/gkpj)",
       "sqlalchemy.exc.IntegrityError", "(psycopg2.errors.UniqueViolation) twice"},
      {"Traceback (most recent call last):\n  File \"a.py\", line 1\nKeyError", "KeyError",
       "Traceback (most recent call last):\n  File \"a.py\", line 1\nKeyError", "KeyError", ""},
      {"panic: boom\n\ngoroutine 1 [running]:\nmain.main()\n\t/a.go:3 +0x1", "panic: boom",
       "panic: boom\n\ngoroutine 1 [running]:\nmain.main()\n\t/a.go:3 +0x1", "panic", "boom"},
      {"2026-11-22 20:01:02 stops\nfatal error: all goroutines are asleep - deadlock!\n\ngoroutine 1 "
       "[select]:",
       "2026-11-22 20:01:02 stops",
       "fatal error: all goroutines are asleep - deadlock!\n\ngoroutine 1 [select]:", "fatal error",
       "all goroutines are asleep - deadlock!"},
      {"fatal error: stack overflow\n\nruntime stack:\nruntime.newstack()\n\t/a.go:3 +0x1\n\ngoroutine 1 "
       "[running]:\nmain.f()",
       "fatal error: stack overflow",
       "fatal error: stack overflow\n\nruntime stack:\nruntime.newstack()\n\t/a.go:3 +0x1\n\ngoroutine 1 "
       "[running]:\nmain.f()",
       "fatal error", "stack overflow"},
      {"handled\ngoroutine 7 [running]:\nmain.g()", "handled", "goroutine 7 [running]:\nmain.g()", "", ""},
      // A class that is no Exception by its name, where frames follow.
      {"com.shop.OrderNotFound: 42\n\tat a.B.c(B.java:5)", "com.shop.OrderNotFound: 42",
       "com.shop.OrderNotFound: 42\n\tat a.B.c(B.java:5)", "com.shop.OrderNotFound", "42"},
      {"failed\ncom.shop.OrderNotFound: 42\n\tat a.B.c(B.java:5)", "failed",
       "com.shop.OrderNotFound: 42\n\tat a.B.c(B.java:5)", "com.shop.OrderNotFound", "42"},
      {"failed\na.HttpError$NotFound: 404\n  Detail: no", "failed", "a.HttpError$NotFound: 404\n  Detail: no",
       "a.HttpError$NotFound", "404"},
      {"fail\nNpgsql.PostgresException (0x80004005): 23505: twice\n\nDETAIL: Key", "fail",
       "Npgsql.PostgresException (0x80004005): 23505: twice\n\nDETAIL: Key", "Npgsql.PostgresException",
       "23505: twice"},
      // No trace, and the rest of one.
      {"SELECT 1\n  FROM t\n at home", "SELECT 1\n  FROM t\n at home", "", "", ""},
      {"\tat a.B.c(B.java:5)\n\tat a.B.d(B.java:6)", "\tat a.B.c(B.java:5)\n\tat a.B.d(B.java:6)", "", "",
       ""},
  });
  for (const Traced& c : kCases) {
    const auto p = parse(c.text);
    const auto quoted = [](std::string_view s) { return s.empty() ? "-" : "'" + std::string(s) + "'"; };
    EXPECT_EQ(p.message(), c.message) << c.text;
    EXPECT_EQ(p.ecs("error.stack_trace"), quoted(c.trace)) << c.text;
    EXPECT_EQ(p.ecs("error.type"), quoted(c.type)) << c.text;
    EXPECT_EQ(p.ecs("error.message"), quoted(c.error)) << c.text;
  }
}

TEST(AutomaticParser, TakesTheLevelOfAGoCrashFromWhereverItIsSaid) {
  constexpr std::string_view kStack = "\n\ngoroutine 1 [running]:\nmain.f()";
  EXPECT_EQ(parse("runtime: sp=0xc02 stack=[0xc0, 0xc1]\nfatal error: stack overflow" + std::string(kStack))
                .level(),
            "critical");
  EXPECT_EQ(parse("runtime: pc=0x1\npanic: no" + std::string(kStack)).level(), "emergency");
  EXPECT_EQ(parse("WARN runtime: sp=0xc02\nfatal error: stack overflow" + std::string(kStack)).level(),
            "warning");
}

TEST(RawParser, LooksIntoNothing) {
  const ParsedLine p(Format::raw, "2026-11-22 20:01:02 ERROR x");
  EXPECT_EQ(p.time(), "-");
  EXPECT_EQ(p.level(), "");
  EXPECT_EQ(p.message(), "2026-11-22 20:01:02 ERROR x");
}

// Lines in the shapes that real programs give them.
TEST(TextParser, FindsTimeAndLevelInTheShapesOfRealPrograms) {
  struct Shape {
    const char* text;
    const char* time;
    const char* level;  // "": the program names none
  };
  for (const Shape& c : {
           Shape{"[Sun Nov 22 20:01:02 2026] [notice] workerEnv.init() is done", "2026-11-22T20:01:02.000Z",
                 "notice"},
           Shape{"[Sun Nov 22 20:01:02 2026] [error] no such module", "2026-11-22T20:01:02.000Z", "error"},
           Shape{"2026-11-22 20:01:02,123 INFO [main] shop.mapreduce.Master: token of kind MES",
                 "2026-11-22T20:01:02.123Z", "info"},
           Shape{"2026-11-22 20:01:02,123 - WARN  [Sender:18:Quorum$Sender@68] - leaving",
                 "2026-11-22T20:01:02.123Z", "warning"},
           Shape{"Nov 22 20:01:02 crm sshd(pam_unix)[19937]: session opened for user shop",
                 "2026-11-22T20:01:02.000Z", ""},
           Shape{"Nov  2 06:55:46 mes sshd[24200]: invalid user printer [preauth]",
                 "2026-11-02T06:55:46.000Z", ""},
           Shape{"shop-api.log.1.2026-11-21_13:53:08 2026-11-22 20:01:02.551 25746 INFO shop.wsgi [req-55 1 "
                 "2] GET",
                 "2026-11-22T20:01:02.551Z", "info"},
           Shape{"26/11/22 20:01:02 INFO price.SecurityManager: acls are changed", "2026-11-22T20:01:02.000Z",
                 "info"},
           Shape{"- 1795377662 2026.11.22 dn228 Nov 22 20:01:02 dn228/dn228 crond[2916]: (root) CMD (hourly)",
                 "2026-11-22T20:01:02.000Z", ""},
       }) {
    const ParsedLine p(Format::automatic, c.text);
    EXPECT_EQ(p.time(), c.time) << c.text;
    EXPECT_EQ(p.level(), c.level) << c.text;
  }
}

// The same over thousands of lines of public collections (loghub), for whoever has them: the directory is
// named by SIDELIGHT_LOG_COLLECTIONS. The levels are those that the lines name.
struct Collection {
  const char* file;
  bool names_levels;
};

class RealLines : public testing::TestWithParam<Collection> {};

TEST_P(RealLines, HaveTheirTimeAndLevelFound) {
  const char* const collections = std::getenv("SIDELIGHT_LOG_COLLECTIONS");
  if (collections == nullptr) GTEST_SKIP() << "SIDELIGHT_LOG_COLLECTIONS names no directory";
  std::ifstream in(std::string(collections) + "/" + GetParam().file);
  ASSERT_TRUE(in) << GetParam().file;
  auto parser = make_parser({});
  ASSERT_TRUE(parser.has_value());
  std::size_t lines = 0;
  std::size_t times = 0;
  std::size_t levels = 0;
  std::string line;
  Record record;
  while (std::getline(in, line)) {
    Arena arena;
    Event event;
    event.text = arena.copy(line);
    (*parser)->parse(event, kTestNow, arena, record);
    ++lines;
    times += record.timestamp_ns.has_value();
    levels += !record.level.empty();
  }
  EXPECT_GT(lines, 0u);
  EXPECT_EQ(times, lines);
  if (GetParam().names_levels) {
    EXPECT_EQ(levels, lines);
  } else {
    EXPECT_LT(levels, lines / 10);
  }
}

INSTANTIATE_TEST_SUITE_P(
    Collections, RealLines,
    testing::Values(Collection{"Apache_2k.log", true}, Collection{"Hadoop_2k.log", true},
                    Collection{"Linux_2k.log", false}, Collection{"OpenSSH_2k.log", false},
                    Collection{"OpenStack_2k.log", true}, Collection{"Spark_2k.log", true},
                    Collection{"Thunderbird_2k.log", false}, Collection{"Zookeeper_2k.log", true}));

}  // namespace
}  // namespace sidelight

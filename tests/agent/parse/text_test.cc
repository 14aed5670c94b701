#include <array>
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
      {"INFO:root:hello", "-", "info", "-"},
      {"[ERROR] boom", "-", "error", "-"},
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
  EXPECT_EQ(parse("a=b and then prose").label("a"), "-");
  EXPECT_EQ(parse("x=1").label("x"), "-");
  EXPECT_EQ(parse(R"(10.0.0.1 - - [22/Nov/2026:20:01:02 +0000] "GET / HTTP/1.1" 200 5)").ecs("source.ip"),
            "'10.0.0.1'");
  EXPECT_EQ(parse("2026/11/22 20:01:02 [warn] 5#6: x").ecs("process.pid"), "5");
}

TEST(RawParser, LooksIntoNothing) {
  const ParsedLine p(Format::raw, "2026-11-22 20:01:02 ERROR x");
  EXPECT_EQ(p.time(), "-");
  EXPECT_EQ(p.level(), "");
  EXPECT_EQ(p.message(), "2026-11-22 20:01:02 ERROR x");
}

// Lines of real programs, where a collection of them lies beside the checkout. The levels are those that the
// lines name.
struct Collection {
  const char* file;
  bool names_levels;
};

class RealLines : public testing::TestWithParam<Collection> {};

TEST_P(RealLines, HaveTheirTimeAndLevelFound) {
  const std::string path = std::string("../shared/data/logs/") + GetParam().file;
  std::ifstream in(path);
  if (!in) GTEST_SKIP() << "no " << path;
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

// Whatever comes in, records keep their promises: seeded random lines, made to look like what each parser
// wants.
#include <algorithm>
#include <array>
#include <random>
#include <vector>

#include "tests/agent/parse/parse_testing.h"

namespace sidelight {
namespace {

constexpr auto kPieces = std::to_array<std::string_view>({
    "{",
    "}",
    "[",
    "]",
    ":",
    ",",
    "\"",
    "\\",
    "\\u",
    "d800",
    "dc00",
    "\\n",
    " ",
    "\t",
    "\n",
    "\x01",
    "=",
    "true",
    "null",
    "false",
    "1",
    "-",
    "0",
    "1e999",
    "12345678901234567890",
    ".5",
    "\"a\"",
    "\"a\":",
    "\"level\":\"info\"",
    "\"msg\":\"x\"",
    "\"http\":{",
    "\"error\":{",
    "\"labels\":{",
    "\"a.b\":",
    "\"..\":",
    "\"\":",
    "\"time\":\"2026-11-22T20:01:02Z\"",
    "\"url.port\":\"7\"",
    "\xFF",
    "\xC3\xA9",
    "\xED\xA0\x80",
    "10.0.0.1",
    " - - [22/Nov/2026:20:01:02 +0000] \"",
    "GET / HTTP/1.1\" 200 5",
    "2026/11/22 20:01:02 [error] 1#2: *3 ",
    ", client: ",
    ", host: \"",
    "2026-11-22 20:01:02,123",
    "ERROR",
    "[info]",
    "key=",
    "k=\"v w\"",
    "1234:M ",
    "22 Nov 2026 20:01:02",
    "<134>1 ",
    "I1122 20:01:02",
});

std::string random_line(std::mt19937& random) {
  std::string line;
  if (random() % 3 == 0) line = "{";
  for (std::size_t n = random() % 40; n > 0; --n) {
    line += random() % 8 == 0 ? std::string(1, static_cast<char>(random() % 256))
                              : std::string(kPieces[random() % kPieces.size()]);
  }
  if (line.starts_with("{") && random() % 2 == 0) line += "}";
  return line;
}

// A valid JSON object, so that more than the error path is met.
std::string random_object(std::mt19937& random, int depth) {
  static constexpr auto kKeys = std::to_array<std::string_view>(
      {"a",       "b",       "\\u0061", "msg",         "level",     "time",     "http",
       "request", "method",  "error",   "message",     "log",       "labels",   "",
       ".",       "a.b",     "user",    "id",          "source.ip", "url.port", "\\u0000",
       "x y",     "\\ud800", "host.ip", "event.start", "t",         "fields"});
  static constexpr auto kValues = std::to_array<std::string_view>(
      {"1", "-0.5e3", "1e999", "\"x\"", "\"\\ud800\"", "\"\\u00e9\\n\"", "true", "null",
       "123456789012345678901234567890", "\"2026-11-22T20:01:02Z\"", "1795377662", "\"10.0.0.1\"", "\"WARN\"",
       "[]", "{}", "\"\"", "\"a{}b\"", "\"a {} b\"", "[1,[2,{\"a\":1,\"a\":2}]]"});
  std::string out = "{";
  for (std::size_t n = random() % 8; n > 0; --n) {
    if (out.size() > 1) out += ',';
    out += "\"" + std::string(kKeys[random() % kKeys.size()]) + "\":";
    out += depth > 0 && random() % 3 == 0 ? random_object(random, depth - 1)
                                          : std::string(kValues[random() % kValues.size()]);
  }
  return out + "}";
}

class Property : public testing::TestWithParam<Format> {};

TEST_P(Property, RecordsAreSoundWhateverTheLineIs) {
  ParseOptions options{.format = GetParam()};
  if (options.format == Format::regex)
    options.pattern = R"((?P<time>\S+)[ =](?P<level>\S+) ?(?P<url__port>\S*)(?P<message>.*))";
  auto parser = make_parser(options);
  ASSERT_TRUE(parser.has_value());
  Record record;
  for (unsigned seed = 0; seed < 6000; ++seed) {
    std::mt19937 random(seed);
    const std::string line = seed % 2 == 0 ? random_line(random) : random_object(random, 4);
    Arena arena;
    Event event;
    event.text = arena.copy(line);
    (*parser)->parse(event, kTestNow, arena, record);
    ASSERT_EQ(complaint_about(record, event), "") << "seed " << seed << ": " << line;
  }
}

INSTANTIATE_TEST_SUITE_P(Formats, Property,
                         testing::Values(Format::automatic, Format::raw, Format::json, Format::logfmt,
                                         Format::nginx_access, Format::nginx_error, Format::regex));

// As one statement of a program writes them: the same keys in the same order, other values. Now and then a
// byte is wrong.
class Statement {
 public:
  explicit Statement(std::mt19937& random) {
    static constexpr auto kKeys = std::to_array<std::string_view>({"time",
                                                                   "timestamp",
                                                                   "level",
                                                                   "msg",
                                                                   "message",
                                                                   "logger",
                                                                   "trace_id",
                                                                   "traceId",
                                                                   "a",
                                                                   "b",
                                                                   "c",
                                                                   "x y",
                                                                   "pid",
                                                                   "http.request.method",
                                                                   "url.port",
                                                                   "source.ip",
                                                                   "event.start",
                                                                   "labels",
                                                                   "err",
                                                                   "\\u0061",
                                                                   "a.",
                                                                   "log",
                                                                   "a key of more than thirty-two bytes"});
    // Half of them without keys that are in each other's way.
    static constexpr auto kPeaceful =
        std::to_array<std::string_view>({"ts", "level", "msg", "logger", "trace_id", "a", "x y", "pid",
                                         "url.port", "source.ip", "event.start"});
    if (random() % 2 == 0) {
      keys_.assign(kPeaceful.begin(), kPeaceful.end());
      std::shuffle(keys_.begin(), keys_.end(), random);
      keys_.resize(random() % keys_.size() + 1);
    } else {
      for (std::size_t n = random() % 9; n > 0; --n) keys_.push_back(kKeys[random() % kKeys.size()]);
    }
  }
  std::string line(std::mt19937& random) const {
    static constexpr auto kValues = std::to_array<std::string_view>({"1",
                                                                     "-0.5e3",
                                                                     "1e999",
                                                                     "\"x\"",
                                                                     "\"\\ud800\"",
                                                                     "\"a\\\"b\\n\"",
                                                                     "true",
                                                                     "null",
                                                                     "\"2026-11-22T20:01:02.5Z\"",
                                                                     "1795377662",
                                                                     "\"10.0.0.1\"",
                                                                     "\"WARN\"",
                                                                     "\"\"",
                                                                     "\"7\"",
                                                                     "\"2026-11-22T20:01:02.123Z\"",
                                                                     "\"GET\"",
                                                                     "1",
                                                                     "\"2026-11-22T20:01:02.45xZ\"",
                                                                     "[]",
                                                                     "{}",
                                                                     "{\"a\":1}",
                                                                     "[1,2]",
                                                                     "tru"});
    std::string out = "{";
    for (const std::string_view key : keys_) {
      if (out.size() > 1) out += ',';
      out += "\"" + std::string(key) + "\":";
      out += kValues[random() % (random() % 40 == 0 ? kValues.size() : 18)];
    }
    out += "}";
    if (random() % 10 == 0) out[random() % out.size()] = "{}[]:,\"\\ 1a"[random() % 11];
    if (random() % 20 == 0) out.insert(random() % out.size(), " ");
    return out;
  }

 private:
  std::vector<std::string_view> keys_;
};

// Lines that lie in one window are looked at together: no line may change what another one gives.
TEST_P(Property, LinesOfOneWindowAreReadAsIfEachWereAlone) {
  ParseOptions options{.format = GetParam()};
  if (options.format == Format::regex)
    options.pattern = R"((?P<time>\S+)[ =](?P<level>\S+) ?(?P<message>.*))";
  for (unsigned seed = 0; seed < 120; ++seed) {
    std::mt19937 random(seed);
    std::string window;
    const std::vector<Statement> statements{Statement(random), Statement(random), Statement(random)};
    const bool alike = random() % 2 == 0;
    const auto faulty = seed % 4 == 0 ? 0 : random() % 3;
    for (std::size_t n = random() % 200; n > 0; --n) {
      std::string line =
          faulty > 0 && random() % 30 < faulty ? random_line(random) : random_object(random, 3);
      if (alike && random() % 10 != 0) line = statements[random() % statements.size()].line(random);
      if (random() % 100 == 0) line = R"({"long":")" + std::string(random() % 40'000, 'x') + "\"}";
      if (random() % 8 == 0) line.insert(0, "2026-11-22T20:01:02.123456789Z stdout F ");
      window += line + (random() % 10 == 0 ? "\r\n" : "\n");
    }
    if (random() % 2 == 0 && !window.empty()) window.pop_back();
    // What an event's text is of its line: all, without its end, without its wrapping, or cut.
    const auto cut = [&random](std::string_view line) {
      if (const auto wrapping = line.find(" F "); wrapping != std::string_view::npos)
        line.remove_prefix(wrapping + 3);
      if (line.ends_with('\r')) line.remove_suffix(1);
      if (const auto object = line.find("{}"); object != std::string_view::npos && random() % 10 == 0)
        return line.substr(object, 2);
      if (random() % 50 == 0) line.remove_prefix(random() % (line.size() + 1));
      if (random() % 50 == 0) line.remove_suffix(random() % (line.size() + 1));
      return line;
    };
    ASSERT_EQ(complaint_about_window(options, window, cut), "") << "seed " << seed;
  }
}

// A quote inside of a word opens a string, but is no token of its own.
TEST_P(Property, LinesThatBeginInAnOpenStringAreNotTakenForClean) {
  ParseOptions options{.format = GetParam()};
  if (options.format == Format::regex)
    options.pattern = R"((?P<time>\S+)[ =](?P<level>\S+) ?(?P<message>.*))";
  const auto behind = [](std::string_view mark) {
    return [mark](std::string_view line) {
      const auto at = line.find(mark);
      return at == std::string_view::npos ? line : line.substr(at + mark.size());
    };
  };
  EXPECT_EQ(complaint_about_window(options, "1 {}\nx\"y \"{}\n", behind(" ")), "");
  EXPECT_EQ(complaint_about_window(options,
                                   "2026-11-22T20:01:01Z stdout F {\"x\":1}\n"
                                   "2026-11-22T20:01:02\" stdout F {\"{\"a\":1}\n",
                                   behind(" F ")),
            "");
  EXPECT_EQ(complaint_about_window(options, "{\"a\":1}\n\n{\"b\":2}\n{\"a\":3}", behind("none")), "");
}

// Our grammar on top of the structural index agrees with an independent parser on what a JSON object is.
TEST(JsonGrammar, AgreesWithAnotherParser) {
  auto parser = make_parser({.format = Format::json});
  ASSERT_TRUE(parser.has_value());
  Record record;
  std::size_t accepted = 0;
  for (unsigned seed = 0; seed < 20000; ++seed) {
    std::mt19937 random(seed);
    std::string line = random_object(random, 4);
    if (!line.empty() && random() % 2 == 0) line[random() % line.size()] = "{}[]:,\"\\ 1a-."[random() % 13];
    Arena arena;
    Event event;
    event.text = arena.copy(line);
    (*parser)->parse(event, kTestNow, arena, record);
    // The other one refuses numbers that no double holds and halves of surrogate pairs, which are
    // grammatical.
    if (line.find("1e9") != std::string::npos || line.find("\\ud") != std::string::npos) continue;
    const auto other = nlohmann::json::parse(line, nullptr, false);
    const bool object = !other.is_discarded() && other.is_object();
    ASSERT_EQ(record.parse_error.empty(), object) << "seed " << seed << ": " << line;
    accepted += object;
  }
  EXPECT_GT(accepted, 1000u);
}

}  // namespace
}  // namespace sidelight

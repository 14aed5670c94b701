#include "tests/agent/parse/parse_testing.h"

namespace sidelight {
namespace {

ParsedLine parse(std::string_view line) {
  return {Format::json, line};
}

TEST(JsonParser, FindsTimeLevelAndMessageUnderTheNamesOfWellKnownLoggers) {
  const auto logstash = parse(
      R"({"@timestamp":"2026-11-22T20:01:02.123Z","level":"WARN","message":"low","logger_name":"a.B"})");
  EXPECT_EQ(logstash.time(), "2026-11-22T20:01:02.123Z");
  EXPECT_EQ(logstash.level(), "warning");
  EXPECT_EQ(logstash.message(), "\"low\"");
  EXPECT_EQ(logstash.ecs("log.logger"), "\"a.B\"");
  const auto pino = parse(
      R"({"level":50,"time":1795377662123,"pid":7,"msg":"x","err":{"type":"E","message":"m","stack":"s"}})");
  EXPECT_EQ(pino.time(), "2026-11-22T20:01:02.123Z");
  EXPECT_EQ(pino.level(), "error");
  EXPECT_EQ(pino.ecs("process.pid"), "7");
  EXPECT_EQ(pino.ecs("error.stack_trace"), "\"s\"");
  EXPECT_EQ(pino.ecs("error.type"), "\"E\"");
  const auto mongodb = parse(
      R"({"t":{"$date":"2026-11-22T20:01:02.123+00:00"},"s":"W","c":"NETWORK","id":1,"ctx":"x","msg":"y"})");
  EXPECT_EQ(mongodb.time(), "2026-11-22T20:01:02.123Z");
  EXPECT_EQ(mongodb.level(), "warning");
  EXPECT_EQ(mongodb.label("s"), "-");
  EXPECT_EQ(parse(R"({"level":"info","s":"W"})").level(), "info");
  EXPECT_EQ(parse(R"({"s":"words","msg":"y"})").label("s"), "\"words\"");
  EXPECT_EQ(parse(R"({"level":"INFO+2","msg":"slog"})").level(), "info");
  EXPECT_EQ(parse(R"({"level":" warn ","msg":"padded"})").level(), "warning");

  const auto nested = parse(R"({"log":{"level":"error","logger":"l"},"trace_id":"abc"})");
  EXPECT_EQ(nested.level(), "error");
  EXPECT_EQ(nested.ecs("log.logger"), "\"l\"");
  EXPECT_EQ(nested.ecs("trace.id"), "\"abc\"");
}

TEST(JsonParser, ReadsTimesOfTwoNumbers) {
  const auto log4j = parse(
      R"({"instant":{"epochSecond":1795377662,"nanoOfSecond":123000000},"level":"INFO","message":"x"})");
  EXPECT_EQ(log4j.time(), "2026-11-22T20:01:02.123Z");
  EXPECT_EQ(log4j.label("instant"), "-");
  EXPECT_EQ(parse(R"({"timestamp": {"seconds": 1795377662, "nanos": 5}})").time(),
            "2026-11-22T20:01:02.000000005Z");
  for (const char* none :
       {R"({"instant":{}})", R"({"instant":{"epochSecond":-1}})",
        R"({"instant":{"epochSecond":1795377662.5}})", R"({"instant":{"epochSecond":99999999999}})",
        R"({"instant":{"epochSecond":{"seconds":1795377662}}})", R"({"instant":{"epochSecond":1e9}})",
        R"({"time":{"seconds":3,"nanos":5},"instant":0})"}) {
    EXPECT_EQ(parse(none).time(), "-") << none;
    EXPECT_NE(parse(none).label("instant"), "-") << none;
  }
}

TEST(JsonParser, SaysThatATimeIsInNoKnownForm) {
  const auto unread = [](std::string_view line) { return parse(line).record().time_unread; };
  EXPECT_TRUE(unread(R"({"time":"11/28/2026 10:00 PM","msg":"x"})"));
  EXPECT_TRUE(unread(R"({"time":"2026-13-45 10:00:00"})"));
  EXPECT_EQ(parse(R"({"time":"2026-13-45 10:00:00"})").label("time"), "\"2026-13-45 10:00:00\"");
  EXPECT_FALSE(unread(R"({"time":"11/28/2026 10:00 PM","ts":"2026-11-22T20:01:02Z"})"));
  EXPECT_FALSE(unread(R"({"ts":"2026-11-22T20:01:02Z","time":"11/28/2026 10:00 PM"})"));
  for (const char* duration : {R"({"time":"12.5ms"})", R"({"time":"1m2.5s"})", R"({"time":3})", R"({"a":1})"})
    EXPECT_FALSE(unread(duration)) << duration;
}

// Multiline inputs and processors hand over JSON that goes over several lines.
TEST(JsonParser, PutsContainersOnOneLine) {
  const auto p = parse("{\n  \"a\": {\r\n    \"b\": [1,\n 2.50, \"\\n\"]\n  },\n  \"c\": [\n]\n}");
  EXPECT_EQ(p.label("a"), R"({"b":[1,2.50,"\n"]})");
  EXPECT_EQ(p.label("c"), "[]");
  EXPECT_EQ(parse(R"({"a":{ "b" : 1 }})").label("a"), R"({ "b" : 1 })");
}

TEST(JsonParser, TakesNoAddressThatGoesOnBehindANul) {
  const auto p = parse("{\"client.ip\":\"10.0.0.1\\u0000x\"}");
  EXPECT_EQ(p.ecs("client.ip"), "-");
  EXPECT_NE(p.label("client.ip"), "-");
}

TEST(JsonParser, AcceptsEcsDottedAndNestedAndTheLastOneWins) {
  const auto p = parse(
      R"({"http.request.method":"GET","http":{"request":{"method":"PUT"},"response":{"status_code":404}}})");
  EXPECT_EQ(p.ecs("http.request.method"), "\"PUT\"");
  EXPECT_EQ(p.ecs("http.response.status_code"), "404");
  EXPECT_EQ(parse(R"({"a":1,"a":2})").label("a"), "2");
}

TEST(JsonParser, SendsWhatTheMappingWouldRefuseToLabels) {
  const auto p = parse(
      R"({"http":"x","http.response.status_code":"OK","client.ip":"nope","user":{"id":7,"name":{"a":1}}})");
  EXPECT_EQ(p.label("http"), "\"x\"");
  EXPECT_EQ(p.label("http.response.status_code"), "\"OK\"");
  EXPECT_EQ(p.label("client.ip"), "\"nope\"");
  EXPECT_EQ(p.ecs("user.id"), "'7'");
  EXPECT_EQ(p.label("user.name"), R"({"a":1})");
}

TEST(JsonParser, KeepsAnUnreadableTimeAsLabel) {
  const auto p = parse(R"({"time":12.5,"timestamp":"soon","msg":"x"})");
  EXPECT_EQ(p.time(), "-");
  EXPECT_EQ(p.label("time"), "12.5");
  EXPECT_EQ(p.label("timestamp"), "\"soon\"");
}

TEST(JsonParser, KeepsTheLoserOfTwoKeysForOnePartAsLabel) {
  const auto p = parse(R"({"msg":"second","message":"first","text":"third"})");
  EXPECT_EQ(p.message(), "\"first\"");
  EXPECT_EQ(p.label("msg"), "\"second\"");
  EXPECT_EQ(p.label("text"), "\"third\"");
}

TEST(JsonParser, ResolvesDuplicateKeysInNestedObjectsHoweverTheyAreWritten) {
  EXPECT_EQ(parse(R"({"x":{"a":1,"b":[{"c":1,"c":2}],"\u0061":3}})").label("x"), R"({"b":[{"c":2}],"a":3})");
  std::string many = R"({"x":{"k0":"old")";
  for (int i = 0; i < 50; ++i) many += ",\"k" + std::to_string(i) + "\":" + std::to_string(i);
  const auto p = parse(many + "}}");
  EXPECT_EQ(p.label("x").find("old"), std::string::npos);
  EXPECT_NE(p.label("x").find("\"k0\":0"), std::string::npos);
}

TEST(JsonParser, TurnsNumbersBeyondTheEnginesRangeIntoStrings) {
  const auto p = parse(
      R"({"a":1e999,"b":123456789012345678901234567890,"c":-9223372036854775808,"d":{"e":1e999},"f":1.5e3})");
  EXPECT_EQ(p.label("a"), "'1e999'");
  EXPECT_EQ(p.label("b"), "'123456789012345678901234567890'");
  EXPECT_EQ(p.label("c"), "-9223372036854775808");
  EXPECT_EQ(p.label("d"), R"({"e":"1e999"})");
  EXPECT_EQ(p.label("f"), "1.5e3");
}

TEST(JsonParser, ReplacesHalfCharactersAndKeepsPairs) {
  const auto p = parse(R"({"a":"x\ud800y","b":"\ud83d\ude00","c":{"d":"\udc00"}})");
  EXPECT_EQ(p.label("a"), "'x\xEF\xBF\xBDy'");
  EXPECT_EQ(p.label("b"), R"("\ud83d\ude00")");
  EXPECT_EQ(p.label("c"), "{\"d\":\"\xEF\xBF\xBD\"}");
}

TEST(JsonParser, RepairsBrokenUtf8AndControlCharactersInStrings) {
  const auto p = parse("{\"msg\":\"a\xFF\",\"k\":\"tab\there\"}");
  EXPECT_EQ(p.error(), "");
  EXPECT_EQ(p.message(), "\"a\xEF\xBF\xBD\"");
  EXPECT_EQ(p.label("k"), R"("tab\there")");
}

TEST(JsonParser, RenamesKeysThatTheEnginesRefuse) {
  const auto p = parse(R"({"":1,".x":2,"a..b":3,"x\u0000y":4,"fine.dots":5,"o":{"..":6}})");
  EXPECT_EQ(p.label("_"), "1");
  EXPECT_EQ(p.label("_x"), "2");
  EXPECT_EQ(p.label("a__b"), "3");
  EXPECT_EQ(p.label("x_y"), "4");
  EXPECT_EQ(p.label("fine.dots"), "5");
  EXPECT_EQ(p.label("o"), R"({"__":6})");
  const auto longest = parse("{\"" + std::string(1000, 'k') + "\":1}");
  EXPECT_EQ(longest.label(std::string(256, 'k')), "1");
}

TEST(JsonParser, MakesDeepValuesText) {
  const auto nested = [](std::size_t n) {
    return "{\"a\":" + std::string(n, '[') + std::string(n, ']') + "}";
  };
  EXPECT_EQ(parse(nested(16)).label("a"), std::string(16, '[') + std::string(16, ']'));
  EXPECT_EQ(parse(nested(17)).label("a"), "'" + std::string(17, '[') + std::string(17, ']') + "'");
  EXPECT_EQ(parse(nested(100'000)).error(), "");
}

TEST(JsonParser, PutsLabelsBeyondTheCapIntoOneText) {
  std::string line = "{";
  for (int i = 0; i < 200; ++i)
    line += (i > 0 ? ",\"k" : "\"k") + std::to_string(i) + "\":" + std::to_string(i);
  const auto p = parse(line + "}");
  EXPECT_EQ(p.record().labels.size(), 128u);
  EXPECT_EQ(p.label("k126"), "126");
  const std::string overflow = p.label("_overflow");
  const auto rest = nlohmann::json::parse(overflow.substr(1, overflow.size() - 2));
  EXPECT_EQ(rest.size(), 73u);
  EXPECT_EQ(rest["k199"], 199);
}

TEST(JsonParser, TakesMembersOfLabelsAsLabels) {
  const auto p = parse(R"({"labels":{"a":"b","level":"x"}})");
  EXPECT_EQ(p.label("a"), "\"b\"");
  EXPECT_EQ(p.label("level"), "\"x\"");
}

TEST(JsonParser, ShipsWhatIsNoJsonObjectRawAndMarked) {
  for (const std::string_view line : {"",
                                      "text",
                                      "[1]",
                                      "{",
                                      "{\"a\":1,}",
                                      "{\"a\":1}x",
                                      "{\"a\" 1}",
                                      "{a:1}",
                                      "{\"a\":01}",
                                      "{\"a\":1.}",
                                      "{\"a\":+1}",
                                      "{\"a\":tru}",
                                      "{\"a\":\"\\x\"}",
                                      "{\"a\":\"\\u12\"}",
                                      "{\"a\":[1,]}",
                                      "{\"a\":[1 2]}",
                                      "{\"a\":{\"b\"}}",
                                      "{\"a\":[}]",
                                      "{\"a\":\"b\"c}",
                                      "{\"a\":{1:2}}",
                                      "{,}",
                                      "{\"a\":}",
                                      "{\"a\":[,1]}",
                                      "{\"a\":\"x",
                                      "{\"a\":1}{\"b\":2}"}) {
    const auto p = parse(line);
    EXPECT_NE(p.error(), "") << line;
    EXPECT_EQ(p.message(), line);
  }
}

TEST(JsonParser, CountsALineCompleteWithBlanksAndByteOrderMark) {
  EXPECT_EQ(parse("\xEF\xBB\xBF { \"msg\" : \"x\" , \"a\" : [ 1 , { } ] } ").label("a"), "[ 1 , { } ]");
  EXPECT_EQ(parse("{}").error(), "");
}

TEST(JsonParser, TakesTheContainersTimeWhereTheLineHasNone) {
  auto parser = make_parser({.format = Format::json});
  ASSERT_TRUE(parser.has_value());
  Arena arena;
  Event event;
  event.text = arena.copy(R"({"msg":"x"})");
  event.container_time = "2026-11-22T20:01:02.5Z";
  Record record;
  (*parser)->parse(event, kTestNow, arena, record);
  EXPECT_EQ(record.timestamp_ns, kTestNow + 500'000'000);
}

// What was learned of the keys of one line must not change what the next one gives.
TEST(JsonParser, RemembersKeysWithoutConsequences) {
  for (const char* line : {
           R"({"time":"2026-11-22T20:01:02Z","level":"info","msg":"x","a":1,"trace_id":"t"})",
           R"({"time":"2026-11-22T20:01:02Z","timestamp":"2026-11-22T20:01:03Z","msg":"x"})",
           R"({"msg":"x","message":"y","event":"z"})",
           R"({"level":"info","severity":"error"})",
           R"({"traceId":"a","trace_id":"b"})",
           R"({"trace.id":"a","trace_id":"b"})",
           R"({"a":1,"a":2})",
           R"({"a":1,"\u0061":2})",
           R"({"a..b":1,"c":2})",
           R"({"labels":1,"log":2,"pid":"x"})",
           R"({"time":"2026-11-22T20:01:02.123Z","level":"warn","msg":"a \"b\"","trace_id":"\u0074"})",
           R"({"key_of_31_bytes_with_its_quot":1,"key_of_32_bytes_with_its_quote":2})",
           R"({"key_of_32_bytes_with_its_quote":{"a":1},"key_of_31_bytes_with_its_quot":[]})",
       }) {
    auto parser = make_parser({.format = Format::json});
    ASSERT_TRUE(parser.has_value());
    const auto parsed = [&](std::string_view bytes) {
      Arena arena;
      Event event;
      event.text = arena.copy(bytes);
      Record record;
      (*parser)->parse(event, kTestNow, arena, record);
      EXPECT_EQ(complaint_about(record, event), "") << bytes;
      return text_of(record);
    };
    const std::string first = parsed(line);
    for (int i = 0; i < 3; ++i) EXPECT_EQ(parsed(line), first) << line;
    for (const char end : {']', ',', ':', '"'}) {
      std::string broken(line);
      broken.back() = end;
      EXPECT_NE(parsed(broken).find("no JSON"), std::string::npos) << broken;
    }
    EXPECT_NE(parsed(std::string(line) + "}").find("no JSON"), std::string::npos) << line;
    for (const auto colon : {std::string_view(line).find(':'), std::string_view(line).rfind(':')}) {
      std::string broken(line);
      broken.insert(colon + 1, "tru");  // of the first value, and of the last
      EXPECT_NE(parsed(broken).find("no JSON"), std::string::npos) << broken;
    }
    EXPECT_EQ(parsed(line), first) << line;
  }
}

}  // namespace
}  // namespace sidelight

#include "tests/agent/parse/parse_testing.h"

namespace sidelight {
namespace {

ParsedLine parse_regex(const std::string& pattern, std::string_view line) {
  return ParsedLine(ParseOptions{.format = Format::regex, .pattern = pattern}, line);
}

TEST(LogfmtParser, ReadsQuotedAndBareValuesAndFlags) {
  const ParsedLine p(
      Format::logfmt,
      R"(time=2026-11-22T20:01:02.5Z level=warn msg="say \"x\"\n" http.response.status_code=404 debug n=1)");
  EXPECT_EQ(p.time(), "2026-11-22T20:01:02.500Z");
  EXPECT_EQ(p.level(), "warning");
  EXPECT_EQ(p.message(), "say \"x\"\n");
  EXPECT_EQ(p.ecs("http.response.status_code"), "404");
  EXPECT_EQ(p.label("debug"), "true");
  EXPECT_EQ(p.label("n"), "'1'");
}

TEST(LogfmtParser, LeavesTheTraceBehindTheLineWhole) {
  const std::string trace = "Traceback (most recent call last):\n  File \"a.py\", line 1\nValueError: a=b";
  for (const Format format : {Format::logfmt, Format::automatic}) {
    const ParsedLine p(format, "time=2026-11-22T20:01:02Z level=error msg=\"it failed\" n=1\n" + trace);
    EXPECT_EQ(p.time(), "2026-11-22T20:01:02.000Z");
    EXPECT_EQ(p.level(), "error");
    EXPECT_EQ(p.message(), "it failed");
    EXPECT_EQ(p.label("n"), "'1'");
    EXPECT_EQ(p.ecs("error.stack_trace"), "'" + trace + "'");
    EXPECT_EQ(p.ecs("error.type"), "'ValueError'");
    EXPECT_EQ(p.ecs("error.message"), "'a=b'");
    EXPECT_EQ(p.label("File"), "-");
  }
  EXPECT_EQ(ParsedLine(Format::automatic, "user=x said y\n" + trace).message(), "user=x said y");
}

TEST(LogfmtParser, KeepsTheLineAsMessageWhereItNamesNone) {
  EXPECT_EQ(ParsedLine(Format::logfmt, "a=1 b=2").message(), "a=1 b=2");
}

TEST(LogfmtParser, MarksLinesWithoutPairsOrWithAnOpenQuote) {
  for (const std::string_view line : {"", "just words", "a=\"open", "a\"b=c"}) {
    const ParsedLine p(Format::logfmt, line);
    EXPECT_NE(p.error(), "") << line;
    EXPECT_EQ(p.message(), line);
  }
}

TEST(NginxAccessParser, ReadsCombinedAndWhatPeopleAppendToIt) {
  const ParsedLine p(
      Format::nginx_access,
      R"(10.0.0.1 - bob [22/Nov/2026:23:01:02 +0300] "GET /a?b=c HTTP/1.1" 200 512 "http://r/" "curl \"7\"" "1.2.3.4" )"
      R"(request_time=0.0350 urt="0.034" cache=- zone="a b")");
  EXPECT_EQ(p.time(), "2026-11-22T20:01:02.000Z");
  EXPECT_EQ(p.ecs("source.ip"), "'10.0.0.1'");
  EXPECT_EQ(p.ecs("user.name"), "'bob'");
  EXPECT_EQ(p.ecs("http.request.method"), "'GET'");
  EXPECT_EQ(p.ecs("url.original"), "'/a?b=c'");
  EXPECT_EQ(p.ecs("url.path"), "'/a'");
  EXPECT_EQ(p.ecs("url.query"), "'b=c'");
  EXPECT_EQ(p.ecs("http.version"), "'1.1'");
  EXPECT_EQ(p.ecs("http.response.status_code"), "200");
  EXPECT_EQ(p.ecs("http.response.body.bytes"), "512");
  EXPECT_EQ(p.ecs("http.request.referrer"), "'http://r/'");
  EXPECT_EQ(p.ecs("user_agent.original"), "'curl \\\"7\\\"'");
  EXPECT_EQ(p.ecs("event.duration"), "35000000");
  EXPECT_EQ(p.label("http_x_forwarded_for"), "'1.2.3.4'");
  EXPECT_EQ(p.label("urt"), "'0.034'");
  EXPECT_EQ(p.label("cache"), "-");
  EXPECT_EQ(p.label("zone"), "'a b'");
}

TEST(NginxAccessParser, ReadsApachesCommonAndRequestsThatAreNone) {
  const ParsedLine p(Format::nginx_access,
                     R"(host.example - - [22/Nov/2026:20:01:02 +0000] "\x16\x03" 400 -)");
  EXPECT_EQ(p.label("remote_addr"), "'host.example'");
  EXPECT_EQ(p.label("request"), "'\\x16\\x03'");
  EXPECT_EQ(p.ecs("http.response.body.bytes"), "-");
  EXPECT_EQ(p.ecs("http.response.status_code"), "400");
}

TEST(NginxAccessParser, FollowsTheUsersLogFormat) {
  const ParseOptions options{
      .format = Format::nginx_access,
      .nginx_format =
          R"([$time_iso8601] ${host} $status "$request_uri" $request_time $upstream_cache_status)"};
  const ParsedLine p(options, R"([2026-11-22T23:01:02+03:00] shop 200 "/x" 1.250 HIT)");
  EXPECT_EQ(p.time(), "2026-11-22T20:01:02.000Z");
  EXPECT_EQ(p.ecs("url.domain"), "'shop'");
  EXPECT_EQ(p.ecs("url.original"), "'/x'");
  EXPECT_EQ(p.ecs("event.duration"), "1250000000");
  EXPECT_EQ(p.label("upstream_cache_status"), "'HIT'");
  EXPECT_NE(ParsedLine(options, "other").error(), "");
}

// A request that was tried on several upstreams has a value of each.
TEST(NginxAccessParser, TakesTheValuesOfAllUpstreams) {
  const ParseOptions ingress{
      .format = Format::nginx_access,
      .nginx_format =
          R"($remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent "$http_referer" )"
          R"("$http_user_agent" $request_length $request_time [$proxy_upstream_name] )"
          R"([$proxy_alternative_upstream_name] $upstream_addr $upstream_response_length )"
          R"($upstream_response_time $upstream_status $req_id)"};
  const std::string head =
      R"(10.1.1.1 - - [22/Nov/2026:20:01:02 +0000] "GET /a HTTP/1.1" 200 12 "-" "curl" 500 0.016 [ns-svc-80] [] )";
  const ParsedLine p(
      ingress, head + "10.0.0.1:80, 10.0.0.2:80 : unix:/x 0, 12 : - 0.005, 0.010 : - 502, 200 : 200 abc");
  EXPECT_EQ(p.error(), "");
  EXPECT_EQ(p.label("upstream_addr"), "'10.0.0.1:80, 10.0.0.2:80 : unix:/x'");
  EXPECT_EQ(p.label("upstream_response_length"), "'0, 12 : -'");
  EXPECT_EQ(p.label("upstream_response_time"), "'0.005, 0.010 : -'");
  EXPECT_EQ(p.label("upstream_status"), "'502, 200 : 200'");
  EXPECT_EQ(p.label("req_id"), "'abc'");
  const ParsedLine one(ingress, head + "10.0.0.1:80 12 0.010 200 abc");
  EXPECT_EQ(one.label("upstream_addr"), "'10.0.0.1:80'");
  EXPECT_EQ(one.label("upstream_status"), "'200'");
  EXPECT_EQ(one.label("req_id"), "'abc'");

  const ParsedLine named(
      {.format = Format::nginx_access,
       .nginx_format = R"($status ua=$upstream_addr $upstream_status "$http_x_forwarded_for")"},
      R"(200 ua=10.0.0.1:80, 10.0.0.2:80 502, 200 "1.2.3.4")");
  EXPECT_EQ(named.label("upstream_addr"), "'10.0.0.1:80, 10.0.0.2:80'");
  EXPECT_EQ(named.label("upstream_status"), "'502, 200'");
  EXPECT_EQ(named.label("http_x_forwarded_for"), "'1.2.3.4'");

  const ParsedLine last(
      {.format = Format::nginx_access, .nginx_format = "$status,$upstream_addr,$upstream_status"},
      "200,10.0.0.1:80, 10.0.0.2:80,502, 200");
  EXPECT_EQ(last.label("upstream_addr"), "'10.0.0.1:80, 10.0.0.2:80'");
  EXPECT_EQ(last.label("upstream_status"), "'502, 200'");

  const ParsedLine appended(
      Format::nginx_access,
      R"(10.0.0.1 - - [22/Nov/2026:23:01:02 +0300] "GET /a HTTP/1.1" 200 512 "-" "curl" )"
      R"(ua=10.0.0.1:80, 10.0.0.2:80 urt=0.005 : 0.010 rt=0.016)");
  EXPECT_EQ(appended.label("ua"), "'10.0.0.1:80, 10.0.0.2:80'");
  EXPECT_EQ(appended.label("urt"), "'0.005 : 0.010'");
  EXPECT_EQ(appended.ecs("event.duration"), "16000000");
}

TEST(NginxAccessParser, RefusesLogFormatsThatCannotBeRead) {
  for (const char* format : {"no variable", "$a$b", "$", "${a", "x $ y"}) {
    EXPECT_FALSE(make_parser({.format = Format::nginx_access, .nginx_format = format}).has_value()) << format;
  }
}

TEST(NginxErrorParser, TakesApartWhatNginxAppends) {
  const ParsedLine p(Format::nginx_error,
                     "2026/11/22 20:01:02 [crit] 12#34: *56 connect() failed, while reading, client: "
                     "10.0.0.1, server: shop, "
                     "request: \"GET /a, host: HTTP/1.1\", upstream: \"http://u/\", host: \"shop.example\", "
                     "referrer: \"http://r/\"");
  EXPECT_EQ(p.time(), "2026-11-22T20:01:02.000Z");
  EXPECT_EQ(p.level(), "critical");
  EXPECT_EQ(p.message(), "connect() failed, while reading");
  EXPECT_EQ(p.ecs("process.pid"), "12");
  EXPECT_EQ(p.ecs("process.thread.id"), "34");
  EXPECT_EQ(p.label("connection"), "'56'");
  EXPECT_EQ(p.ecs("source.ip"), "'10.0.0.1'");
  EXPECT_EQ(p.label("server"), "'shop'");
  EXPECT_EQ(p.ecs("url.original"), "'/a, host:'");  // what looks like a field inside the quotes is none
  EXPECT_EQ(p.label("upstream"), "'http://u/'");
  EXPECT_EQ(p.ecs("url.domain"), "'shop.example'");
  EXPECT_EQ(p.ecs("http.request.referrer"), "'http://r/'");
  EXPECT_NE(ParsedLine(Format::nginx_error, "2026/11/22 20:01:02 words").error(), "");
}

TEST(RegexParser, PutsNamedGroupsWhereTheirNamesSay) {
  const auto p = parse_regex(
      R"((?P<time>\S+) (?P<level>\w+) (?P<http__request__method>\w+) (?P<order>\d+)? ?(?P<message>.*))",
      "2026-11-22T20:01:02Z ERR PUT 17 done");
  EXPECT_EQ(p.time(), "2026-11-22T20:01:02.000Z");
  EXPECT_EQ(p.level(), "error");
  EXPECT_EQ(p.ecs("http.request.method"), "'PUT'");
  EXPECT_EQ(p.label("order"), "'17'");
  EXPECT_EQ(p.message(), "done");
}

TEST(RegexParser, MarksLinesThatDoNotMatchAndRefusesBadPatterns) {
  const auto p = parse_regex("^(?P<a>\\d+)$", "x");
  EXPECT_NE(p.error(), "");
  EXPECT_EQ(p.message(), "x");
  EXPECT_FALSE(make_parser({.format = Format::regex, .pattern = "("}).has_value());
  EXPECT_FALSE(make_parser({.format = Format::regex, .pattern = "no groups"}).has_value());
}

TEST(MakeParser, RefusesUnknownZonesWithTheWayOut) {
  const auto parser = make_parser({.timezone = "Mars/Base"});
  ASSERT_FALSE(parser.has_value());
  EXPECT_NE(parser.error().message.find("Europe/Moscow"), std::string::npos);
}

}  // namespace
}  // namespace sidelight

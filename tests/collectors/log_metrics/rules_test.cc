#include "collectors/log_metrics/rules.h"

#include <gmock/gmock.h>

#include "tests/collectors/log_metrics/counting.h"

namespace sidelight {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

LogMetricsOptions one(LogMetricRule rule) {
  LogMetricsOptions o;
  o.rules.push_back(std::move(rule));
  return o;
}

std::string error_of(LogMetricRule rule) {
  const auto made = LogMetricRules::make(one(std::move(rule)), {"shop"});
  return made ? "" : made.error().message;
}

TEST(LogMetricRules, CountEventsThatMatchAllConditions) {
  Counting c(one({.name = "x_total",
                  .when = {{"event", "order"}, {"amount", "/[0-9]+/"}, {"country", "de*"}, {"test", "!"}},
                  .labels = {{"country", "country"}}}));
  c.line(R"({"msg":"m","event":"order","amount":7,"country":"de"})");
  c.line(R"({"msg":"m","event":"order","amount":"8","country":"de-by"})");
  c.line(R"({"msg":"m","event":"order","amount":"8x","country":"de"})");
  c.line(R"({"msg":"m","event":"order","amount":7,"country":"fr"})");
  c.line(R"({"msg":"m","event":"order","amount":7,"country":"de","test":true})");
  c.line(R"({"msg":"m","event":"ordered","amount":7,"country":"de"})");
  c.line("not json at all");
  EXPECT_THAT(c.series(), ElementsAre("x_total{country=de-by} 1.00", "x_total{country=de} 1.00"));
}

TEST(LogMetricRules, ReadValuesWhateverTheyAreWrittenAs) {
  Counting c(one({.name = "x_total", .value = "n,m"}));
  c.line(R"({"msg":"m","n":1.5})");
  c.line(R"({"msg":"m","n":"2"})");
  c.line(R"({"msg":"m","m":3})");
  c.line(R"({"msg":"m","n":null,"m":0.25})");
  c.line(R"({"msg":"m","n":"\u0031"})");
  for (const char* no :
       {R"({"msg":"m","n":"2s"})", R"({"msg":"m","n":-4})", R"({"msg":"m","n":"nan"})",
        R"({"msg":"m","n":"1e999"})", R"({"msg":"m","n":{"a":1}})", R"({"msg":"m","n":[1]})"})
    c.line(no);
  EXPECT_THAT(c.series(), ElementsAre("x_total{} 7.75"));
}

TEST(LogMetricRules, GaugesTakeTheLastValueAndGoAfterFiveMinutes) {
  Counting c(one({.name = "workers", .type = LogMetricType::gauge, .value = "n"}));
  c.line(R"({"msg":"m","n":5})");
  c.line(R"({"msg":"m","n":3})");
  EXPECT_THAT(c.series(), ElementsAre("workers{} 3.00"));
  c.clock.advance(std::chrono::minutes(5) + std::chrono::seconds(1));
  EXPECT_THAT(c.series(), IsEmpty());
}

TEST(LogMetricRules, SplitListsAsNginxWritesThem) {
  Counting c(one({.name = "x_total",
                  .labels = {{"upstream", "upstream_addr"}, {"status_class", "upstream_status|class"}},
                  .split = true}));
  c.line(
      R"({"msg":"m","upstream_addr":"10.0.0.1:80, 10.0.0.2:80 : [::1]:81","upstream_status":"502, 200 : 404"})");
  c.line(R"({"msg":"m","upstream_addr":"","upstream_status":""})");
  c.line(R"({"msg":"m","upstream_addr":"10.0.0.1:80, 10.0.0.2:80","upstream_status":"-, 200"})");
  EXPECT_THAT(c.series(), ElementsAre("x_total{upstream=10.0.0.1:80,status_class=5xx} 1.00",
                                      "x_total{upstream=10.0.0.1:80} 1.00",
                                      "x_total{upstream=10.0.0.2:80,status_class=2xx} 2.00",
                                      "x_total{upstream=[::1]:81,status_class=4xx} 1.00"));
}

TEST(LogMetricRules, TakeTheServiceFromTheConfigurationFirst) {
  const LogMetricsOptions options = one({.name = "x_total", .labels = {{"service_name", "service"}}});
  Counting with(options, {.service = "shop"});
  with.line(R"({"msg":"m","service":"other"})");
  EXPECT_THAT(with.series(), ElementsAre("x_total{service_name=shop} 1.00"));
  Counting without(options);
  without.line(R"({"msg":"m","service":"other"})");
  EXPECT_THAT(without.series(), ElementsAre("x_total{service_name=other} 1.00"));
}

TEST(LogMetricRules, FindKeysOfTheLineWhateverTheyBecame) {
  const std::string line =
      R"({"time":"2026-11-24T10:00:00Z","severity":"WARN","event":"paid","logger":"shop.pay","remote_addr":"10.0.0.7","err":"late"})";
  for (const auto& [field, value] :
       std::vector<std::pair<std::string, std::string>>{{"time", "2026-11-24T10:00:00Z"},
                                                        {"severity", "WARN"},
                                                        {"level", "warning"},
                                                        {"event", "paid"},
                                                        {"message", "paid"},
                                                        {"logger", "shop.pay"},
                                                        {"log.logger", "shop.pay"},
                                                        {"remote_addr", "10.0.0.7"},
                                                        {"err", "late"}}) {
    Counting c(one({.name = "x_total", .when = {{field, "?"}, {field, "*"}}, .labels = {{"is", field}}}));
    c.line(line);
    EXPECT_THAT(c.series(), ElementsAre("x_total{is=" + value + "} 1.00")) << field;
  }
}

TEST(LogMetricRules, DoNotTakeAnotherKeyForTheOneThatIsAskedFor) {
  for (const char* field : {"event", "severity", "time", "logger"}) {
    Counting c(one({.name = "x_total", .when = {{field, "!?"}}}));
    c.line(R"({"ts":"2026-11-24T10:00:00Z","level":"warn","msg":"m"})");
    EXPECT_THAT(c.series(), ElementsAre("x_total{} 1.00")) << field;
  }
}

TEST(LogMetricRules, KeepToTheirInputs) {
  const auto rules = LogMetricRules::make(one({.name = "x_total", .inputs = {"b"}}), {"a", "b"}).value();
  EXPECT_FALSE(rules.reads(0));
  EXPECT_TRUE(rules.reads(1));
}

TEST(LogMetricRules, SayWhatIsWrong) {
  EXPECT_THAT(error_of({.name = "x"}), HasSubstr("log metric x: the name of a counter ends in _total"));
  EXPECT_THAT(error_of({.name = "x-y_total"}), HasSubstr("letters, digits and _"));
  EXPECT_THAT(error_of({.name = "sidelight_x_total"}), HasSubstr("program's own"));
  EXPECT_THAT(error_of({.name = "x_total", .type = LogMetricType::gauge}), HasSubstr("for counters"));
  EXPECT_THAT(error_of({.name = "x", .type = LogMetricType::gauge}), HasSubstr("need a value"));
  EXPECT_THAT(error_of({.name = "x_total", .inputs = {"mes"}}), HasSubstr("no log input \"mes\""));
  EXPECT_THAT(error_of({.name = "x_total", .when = {{"a", "/(/"}}}), HasSubstr("regular expression"));
  EXPECT_THAT(error_of({.name = "x_total", .when = {{"a|upper", "b"}}}), HasSubstr("names no field"));
  EXPECT_THAT(error_of({.name = "x_total", .labels = {{"pod", "pod"}}}), HasSubstr("belongs to the scrape"));
  EXPECT_THAT(error_of({.name = "x_total", .labels = {{"a b", "c"}}}), HasSubstr("letters, digits"));
  EXPECT_THAT(error_of({.name = "x_total", .buckets = {"1"}}), HasSubstr("for histograms"));
  EXPECT_THAT(error_of({.name = "x", .type = LogMetricType::histogram, .value = "v", .buckets = {"2", "1"}}),
              HasSubstr("ascend"));
  EXPECT_THAT(error_of({.name = "x", .type = LogMetricType::histogram, .value = "v", .buckets = {"a"}}),
              HasSubstr("no number"));
  LogMetricsOptions twice;
  twice.presets = {"app"};
  twice.rules.push_back({.name = "app_requests_total"});
  EXPECT_THAT(LogMetricRules::make(twice, {}).error().message, HasSubstr("another rule or preset"));
}

}  // namespace
}  // namespace sidelight

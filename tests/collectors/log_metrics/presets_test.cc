#include "collectors/log_metrics/presets.h"

#include <gmock/gmock.h>

#include <map>

#include "tests/collectors/log_metrics/counting.h"

namespace sidelight {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

Counting preset(const char* name, DocConstants constants = {}) {
  LogMetricsOptions o;
  o.presets = {name};
  return Counting(o, std::move(constants));
}

TEST(Presets, AppCountsRequestsAndLevels) {
  auto c = preset("app");
  c.line(
      R"({"time":"2026-11-24T10:00:00Z","level":"info","msg":"request","service":"shop","method":"GET","route":"/models/{id}","status":200,"duration_s":0.02})");
  c.line(
      R"({"time":"2026-11-24T10:00:00Z","level":"error","msg":"request","service":"shop","method":"GET","route":"/models/{id}","status":503,"duration_s":1})");
  c.line(R"({"time":"2026-11-24T10:00:00Z","level":"warn","msg":"slow","service":"crm"})");
  EXPECT_THAT(
      c.series(),
      ElementsAre(
          "app_log_events_total{service_name=crm,level=warning} 1.00",
          "app_log_events_total{service_name=shop,level=error} 1.00",
          "app_log_events_total{service_name=shop,level=info} 1.00",
          "app_request_duration_seconds{service_name=shop,route=/models/{id}} 2/1.020",
          "app_requests_total{service_name=shop,route=/models/{id},method=GET,status_class=2xx} 1.00",
          "app_requests_total{service_name=shop,route=/models/{id},method=GET,status_class=5xx} 1.00"));
}

TEST(Presets, AppReadsTheCombinedFormat) {
  auto c = preset("app", {.service = "web"});
  c.line(R"(127.0.0.1 - - [24/Nov/2026:10:00:00 +0000] "GET /a HTTP/1.1" 404 12 "-" "curl")");
  EXPECT_THAT(c.series(),
              ElementsAre("app_requests_total{service_name=web,method=GET,status_class=4xx} 1.00"));
}

TEST(Presets, MesCountsCalculationsAndLookUps) {
  auto c = preset("mes");
  c.line(
      R"({"level":"info","msg":"price calculated","event":"price_calculation","algorithm":"v2","duration_s":1.25,"result":"ok"})");
  c.line(
      R"({"level":"debug","msg":"price cache lookup","event":"price_cache_lookup","key_prefix":"price","result":"hit"})");
  c.line(
      R"({"level":"debug","msg":"price cache lookup","event":"price_cache_lookup","key_prefix":"price","result":"miss","reason":"new"})");
  EXPECT_THAT(c.series(),
              ElementsAre("mes_price_cache_lookups_total{key_prefix=price,result=hit} 1.00",
                          "mes_price_cache_lookups_total{key_prefix=price,result=miss,reason=new} 1.00",
                          "mes_price_calculation_duration_seconds{algorithm=v2} 1/1.250",
                          "mes_price_calculations_total{algorithm=v2,result=ok} 1.00"));
}

TEST(Presets, MesCountsLinesThatHaveNothingButWhatItNeeds) {
  auto c = preset("mes");
  c.line(R"({"event":"price_calculation","algorithm":"v2","result":"ok","duration_s":0.3})");
  c.line(R"({"event":"price_cache_lookup","key_prefix":"price","result":"hit"})");
  c.line("event=price_cache_lookup key_prefix=price result=hit");
  EXPECT_THAT(c.series(), ElementsAre("mes_price_cache_lookups_total{key_prefix=price,result=hit} 2.00",
                                      "mes_price_calculation_duration_seconds{algorithm=v2} 1/0.300",
                                      "mes_price_calculations_total{algorithm=v2,result=ok} 1.00"));
}

constexpr const char* kGatewayLine =
    R"({"msec":"1795514149.687","method":"GET","path":"/api/x","route":"api","partner":"acme","status":"200","duration_s":"0.003","upstream_addr":"127.0.0.1:1, 127.0.0.1:2","upstream_status":"502, 200","upstream_response_time":"0.001, 0.002","upstream_cache_status":"HIT","limit_req_status":"PASSED"})";
constexpr const char* kRejectedLine =
    R"({"msec":"1795514149.687","method":"GET","path":"/api/x","route":"api","partner":"acme","status":"429","duration_s":"0.000","upstream_addr":"","upstream_status":"","upstream_response_time":"","upstream_cache_status":"","limit_req_status":"REJECTED"})";

TEST(Presets, GatewayCountsRequestsTriesLimiterAndCache) {
  auto c = preset("gateway");
  c.line(kGatewayLine);
  c.line(kRejectedLine);
  EXPECT_THAT(c.series(),
              ElementsAre("gateway_cache_requests_total{route=api,status=hit} 1.00",
                          "gateway_limited_requests_total{route=api,partner=acme,outcome=passed} 1.00",
                          "gateway_limited_requests_total{route=api,partner=acme,outcome=rejected} 1.00",
                          "gateway_request_duration_seconds{route=api} 2/0.003",
                          "gateway_requests_total{route=api,partner=acme,method=GET,status_class=2xx} 1.00",
                          "gateway_requests_total{route=api,partner=acme,method=GET,status_class=4xx} 1.00",
                          "gateway_upstream_duration_seconds{upstream=127.0.0.1:1} 1/0.001",
                          "gateway_upstream_duration_seconds{upstream=127.0.0.1:2} 1/0.002",
                          "gateway_upstream_responses_total{upstream=127.0.0.1:1,status_class=5xx} 1.00",
                          "gateway_upstream_responses_total{upstream=127.0.0.1:2,status_class=2xx} 1.00"));
}

TEST(Presets, AGatewaysLinesAreNotAnApplicationsAndTheOtherWayRound) {
  auto app = preset("app");
  app.line(kGatewayLine);
  app.line(kRejectedLine);
  EXPECT_THAT(app.series(), IsEmpty());
  auto gateway = preset("gateway");
  gateway.line(
      R"({"msg":"request","service":"shop","method":"GET","route":"/m","status":200,"duration_s":0.02})");
  EXPECT_THAT(gateway.series(), IsEmpty());
}

TEST(Presets, AreDeclaredAsTheyAre) {
  std::map<std::string, DeclaredMetric> declared;
  for (const DeclaredMetric& d : log_metric_presets_declared()) declared.emplace(d.info.name, d);
  std::size_t rules = 0;
  for (const char* name : {"app", "mes", "gateway"}) {
    for (const LogMetricRule& rule : log_metric_preset(name)) {
      ++rules;
      ASSERT_TRUE(declared.contains(rule.name)) << rule.name;
      const DeclaredMetric& d = declared.at(rule.name);
      std::string labels;
      for (const auto& [label, field] : rule.labels) labels += (labels.empty() ? "" : "; ") + label;
      EXPECT_EQ(d.info.labels, labels) << rule.name;
      EXPECT_EQ(d.kind == MetricKind::histogram, rule.type == LogMetricType::histogram) << rule.name;
    }
  }
  EXPECT_EQ(declared.size(), rules);
}

}  // namespace
}  // namespace sidelight

#include "collectors/log_metrics/presets.h"

#include <string>

namespace sidelight {
namespace {

constexpr std::size_t kSeries = 1001;  // the default of max_series, and the overflow

constexpr const char* kService = "service";
constexpr const char* kMethod = "http.request.method,method";
constexpr const char* kStatus = "http.response.status_code,status";
constexpr const char* kStatusClass = "http.response.status_code,status|class";
constexpr const char* kRoute = "http.route,route";
constexpr const char* kSeconds = "duration_s,duration_seconds,request_time";
constexpr const char* kAny = "*";
constexpr const char* kNotThere = "!?";
constexpr const char* kPresent = "?";

std::vector<std::string> request_buckets() {
  return {"0.005", "0.01", "0.025", "0.05", "0.1", "0.25", "0.5", "1", "2.5", "5", "10"};
}

std::vector<std::string> calculation_buckets() {
  return {"0.1", "0.25", "0.5", "1", "2.5", "5", "10", "30", "60", "120", "300"};
}

using enum LogMetricType;

std::vector<LogMetricRule> app_rules() {
  // Lines of a gateway, which say where they were sent, are not an application's own.
  const std::vector<std::pair<std::string, std::string>> request = {
      {kStatus, kAny}, {kMethod, kAny}, {"upstream_addr", kNotThere}};
  return {
      {.name = "app_requests_total",
       .help = "Requests that applications answered, from their logs.",
       .when = request,
       .labels = {{"service_name", kService},
                  {"route", kRoute},
                  {"method", kMethod},
                  {"status_class", kStatusClass}}},
      {.name = "app_request_duration_seconds",
       .help = "How long applications took to answer, from their logs.",
       .type = histogram,
       .when = request,
       .value = kSeconds,
       .labels = {{"service_name", kService}, {"route", kRoute}},
       .buckets = request_buckets()},
      {.name = "app_log_events_total",
       .help = "Log events by level.",
       .when = {{"level", kAny}},
       .labels = {{"service_name", kService}, {"level", "level"}}},
  };
}

std::vector<LogMetricRule> mes_rules() {
  return {
      {.name = "mes_price_calculations_total",
       .help = "Price calculations by version of the algorithm and outcome.",
       .when = {{"event", "price_calculation"}},
       .labels = {{"algorithm", "algorithm"}, {"result", "result"}}},
      {.name = "mes_price_calculation_duration_seconds",
       .help = "How long price calculations took, by version of the algorithm.",
       .type = histogram,
       .when = {{"event", "price_calculation"}},
       .value = kSeconds,
       .labels = {{"algorithm", "algorithm"}},
       .buckets = calculation_buckets()},
      {.name = "mes_price_cache_lookups_total",
       .help = "Look-ups in the price cache by key prefix, outcome and, for a miss, its reason.",
       .when = {{"event", "price_cache_lookup"}},
       .labels = {{"key_prefix", "key_prefix"}, {"result", "result"}, {"reason", "reason"}}},
  };
}

std::vector<LogMetricRule> gateway_rules() {
  // A line that says where it was sent (or, as "" or "-", that it was not) is a gateway's.
  const std::vector<std::pair<std::string, std::string>> request = {{kStatus, kAny},
                                                                    {"upstream_addr", kPresent}};
  const std::vector<std::pair<std::string, std::string>> upstream = {{"upstream_addr", kAny}};
  return {
      {.name = "gateway_requests_total",
       .help = "Requests to the gateway by route, partner, method and class of status.",
       .when = request,
       .labels =
           {{"route", kRoute}, {"partner", "partner"}, {"method", kMethod}, {"status_class", kStatusClass}}},
      {.name = "gateway_request_duration_seconds",
       .help = "How long the gateway took to answer, by route.",
       .type = histogram,
       .when = request,
       .value = kSeconds,
       .labels = {{"route", kRoute}},
       .buckets = request_buckets()},
      {.name = "gateway_upstream_responses_total",
       .help = "Answers of upstream servers, each try apart.",
       .when = upstream,
       .labels = {{"upstream", "upstream_addr"}, {"status_class", "upstream_status|class"}},
       .split = true},
      {.name = "gateway_upstream_duration_seconds",
       .help = "How long upstream servers took to answer, each try apart.",
       .type = histogram,
       .when = upstream,
       .value = "upstream_response_time",
       .labels = {{"upstream", "upstream_addr"}},
       .buckets = request_buckets(),
       .split = true},
      {.name = "gateway_limited_requests_total",
       .help = "What the rate limiter decided, by route and partner.",
       .when = {{"limit_req_status", kAny}},
       .labels = {{"route", kRoute}, {"partner", "partner"}, {"outcome", "limit_req_status|lower"}}},
      {.name = "gateway_cache_requests_total",
       .help = "What the gateway's cache did, by route.",
       .when = {{"upstream_cache_status", kAny}},
       .labels = {{"route", kRoute}, {"status", "upstream_cache_status|lower"}}},
  };
}

// What docs/metrics.md says of a preset's metric; literals, since a declaration outlives its rule.
constexpr DeclaredMetric kDeclared[] = {
    {{.name = "app_requests_total",
      .labels = "service_name; route; method; status_class",
      .max_series = kSeries,
      .help = "Requests that applications answered, from their logs (preset `app`)."},
     MetricKind::counter},
    {{.name = "app_request_duration_seconds",
      .unit = "seconds",
      .labels = "service_name; route",
      .max_series = kSeries,
      .help = "How long applications took to answer, from their logs (preset `app`)."},
     MetricKind::histogram},
    {{.name = "app_log_events_total",
      .labels = "service_name; level",
      .max_series = kSeries,
      .help = "Log events by level (preset `app`)."},
     MetricKind::counter},
    {{.name = "mes_price_calculations_total",
      .labels = "algorithm; result",
      .max_series = kSeries,
      .help = "Price calculations by version of the algorithm and outcome (preset `mes`)."},
     MetricKind::counter},
    {{.name = "mes_price_calculation_duration_seconds",
      .unit = "seconds",
      .labels = "algorithm",
      .max_series = kSeries,
      .help = "How long price calculations took, by version of the algorithm (preset `mes`)."},
     MetricKind::histogram},
    {{.name = "mes_price_cache_lookups_total",
      .labels = "key_prefix; result; reason",
      .max_series = kSeries,
      .help =
          "Look-ups in the price cache by key prefix, outcome and, for a miss, its reason (preset `mes`)."},
     MetricKind::counter},
    {{.name = "gateway_requests_total",
      .labels = "route; partner; method; status_class",
      .max_series = kSeries,
      .help = "Requests to the gateway by route, partner, method and class of status (preset `gateway`)."},
     MetricKind::counter},
    {{.name = "gateway_request_duration_seconds",
      .unit = "seconds",
      .labels = "route",
      .max_series = kSeries,
      .help = "How long the gateway took to answer, by route (preset `gateway`)."},
     MetricKind::histogram},
    {{.name = "gateway_upstream_responses_total",
      .labels = "upstream; status_class",
      .max_series = kSeries,
      .help = "Answers of upstream servers, each try apart (preset `gateway`)."},
     MetricKind::counter},
    {{.name = "gateway_upstream_duration_seconds",
      .unit = "seconds",
      .labels = "upstream",
      .max_series = kSeries,
      .help = "How long upstream servers took to answer, each try apart (preset `gateway`)."},
     MetricKind::histogram},
    {{.name = "gateway_limited_requests_total",
      .labels = "route; partner; outcome",
      .max_series = kSeries,
      .help = "What the rate limiter decided, by route and partner (preset `gateway`)."},
     MetricKind::counter},
    {{.name = "gateway_cache_requests_total",
      .labels = "route; status",
      .max_series = kSeries,
      .help = "What the gateway's cache did, by route (preset `gateway`)."},
     MetricKind::counter},
};

}  // namespace

std::vector<LogMetricRule> log_metric_preset(std::string_view name) {
  if (name == "app") return app_rules();
  if (name == "mes") return mes_rules();
  if (name == "gateway") return gateway_rules();
  return {};
}

std::vector<DeclaredMetric> log_metric_presets_declared() {
  return {std::begin(kDeclared), std::end(kDeclared)};
}

}  // namespace sidelight

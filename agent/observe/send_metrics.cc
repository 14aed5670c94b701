#include "agent/observe/send_metrics.h"

#include <initializer_list>

#include "agent/observe/input_labels.h"

namespace sidelight {
namespace {

constexpr std::size_t kMaxCauses = 32;

std::map<std::string, Counter*, std::less<>> counters_by(Family<Counter>& family, const char* label,
                                                         std::initializer_list<const char*> values) {
  std::map<std::string, Counter*, std::less<>> out;
  for (const char* value : values) out.emplace(value, &family.Add({{label, value}}));
  return out;
}

std::string_view status_class(int status) {
  if (status == 429) return "429";
  if (status >= 200 && status < 300) return "2xx";
  if (status >= 300 && status < 400) return "3xx";
  if (status >= 400 && status < 500) return "4xx";
  if (status >= 500 && status < 600) return "5xx";
  return status == 0 ? "none" : "other";
}

}  // namespace

SendMetrics::SendMetrics(MetricFamilies& f)
    : shipped_events_(f.counter(
          {.name = "sidelight_shipped_events_total", .help = "Events that the destination acknowledged."})),
      shipped_bytes_(f.counter({.name = "sidelight_shipped_bytes_total",
                                .unit = "bytes",
                                .help = "Bytes of acknowledged documents, before compression."})),
      duplicates_(
          f.counter({.name = "sidelight_duplicate_events_total",
                     .help = "Events sent again after a restart or a cut connection that the destination had "
                             "already (not stored twice)."})),
      id_conflicts_(
          f.counter({.name = "sidelight_id_conflicts_total",
                     .help = "Documents refused because their id existed although they were never sent "
                             "before. Should stay 0."})),
      retried_(counters_by(f.counters({.name = "sidelight_retried_events_total",
                                       .labels = "reason: rejected, unavailable, timeout, connection, other",
                                       .max_series = 5,
                                       .help = "Events that had to be sent again."}),
                           "reason", {"rejected", "unavailable", "timeout", "connection", "other"})),
      dead_lettered_(counters_by(
          f.counters({.name = "sidelight_dead_lettered_events_total",
                      .labels = "reason: mapping, parsing, too_large, other",
                      .max_series = 4,
                      .help = "Events that the destination refuses for good, kept in the dead letters."}),
          "reason", {"mapping", "parsing", "too_large", "other"})),
      dead_letters_dropped_(
          f.counter({.name = "sidelight_dead_letters_dropped_events_total",
                     .help = "Events dropped from full dead letters (on_full: drop_oldest)."})),
      requests_(counters_by(
          f.counters(
              {.name = "sidelight_output_requests_total",
               .labels = "code: 2xx, 3xx, 429, 4xx, 5xx, none, other",
               .max_series = 7,
               .help = "Finished requests to the destination by status (none: no answer); of those about the "
                       "index template only what keeps documents waiting."}),
          "code", {"2xx", "3xx", "429", "4xx", "5xx", "none", "other"})),
      request_bytes_(f.counter({.name = "sidelight_output_request_bytes_total",
                                .unit = "bytes",
                                .help = "Bytes of request bodies that got an answer, after compression."})),
      request_seconds_(f.histograms({.name = "sidelight_output_request_duration_seconds",
                                     .unit = "seconds",
                                     .help = "From the start of a request to the end of its answer."})
                           .Add({}, Histogram::BucketBoundaries{0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1,
                                                                2.5, 5, 10, 30, 60})),
      batch_seconds_(f.histograms({.name = "sidelight_batch_latency_seconds",
                                   .unit = "seconds",
                                   .help = "From the first event in a batch to its last one acknowledged."})
                         .Add({}, Histogram::BucketBoundaries{0.05, 0.1, 0.25, 0.5, 1, 1.5, 2.5, 5, 10, 30,
                                                              60, 300, 900, 3600})),
      up_(f.gauge({.name = "sidelight_output_up",
                   .help =
                       "0 while the destination cannot be reached or refuses everything, else 1 (before the "
                       "first attempt too)."})),
      down_cause_(f.gauges({.name = "sidelight_output_down_cause",
                            .labels = "cause",
                            .max_series = kMaxCauses + 1,
                            .help = "1 for the cause that keeps the output down now, 0 for earlier ones."})),
      requests_in_flight_(f.gauge(
          {.name = "sidelight_output_requests_in_flight", .help = "Requests sent and not answered yet."})),
      bytes_in_flight_(f.gauge({.name = "sidelight_output_in_flight_bytes",
                                .unit = "bytes",
                                .help = "Bodies of the requests in flight, as they are sent (compressed)."})),
      concurrency_limit_(
          f.gauge({.name = "sidelight_output_concurrency_limit",
                   .help = "Requests that may be in flight now; follows the destination's load."})) {
  up_.Set(1);
}

void SendMetrics::count(const ByValue& counters, std::string_view value, std::uint64_t n) {
  auto it = counters.find(value);
  if (it == counters.end()) it = counters.find("other");
  it->second->Increment(static_cast<double>(n));
}

void SendMetrics::shipped(std::uint64_t documents, std::uint64_t body_bytes) {
  shipped_events_.Increment(static_cast<double>(documents));
  shipped_bytes_.Increment(static_cast<double>(body_bytes));
}

void SendMetrics::duplicates(std::uint64_t documents) {
  duplicates_.Increment(static_cast<double>(documents));
}

void SendMetrics::id_conflicts(std::uint64_t documents) {
  id_conflicts_.Increment(static_cast<double>(documents));
}

void SendMetrics::retried(std::uint64_t documents, std::string_view reason) {
  count(retried_, reason, documents);
}

void SendMetrics::dead_lettered(std::uint64_t documents, std::string_view reason) {
  count(dead_lettered_, reason, documents);
}

void SendMetrics::dead_letters_dropped(std::uint64_t documents) {
  dead_letters_dropped_.Increment(static_cast<double>(documents));
}

void SendMetrics::request(double seconds, std::uint64_t wire_bytes, int status) {
  count(requests_, status_class(status), 1);
  // Without an answer nobody knows how much was sent, and mostly it is nothing: the connection was refused.
  if (status != 0) request_bytes_.Increment(static_cast<double>(wire_bytes));
  request_seconds_.Observe(seconds);
}

void SendMetrics::batch_acknowledged(double seconds_since_opened) {
  batch_seconds_.Observe(seconds_since_opened);
}

void SendMetrics::output_up(bool up, std::string_view cause) {
  const std::lock_guard lock(mutex_);
  up_.Set(up ? 1 : 0);
  if (current_cause_ != nullptr) current_cause_->Set(0);
  current_cause_ = nullptr;
  if (up) return;
  std::string label = label_text(cause.empty() ? "unknown" : cause);
  auto it = causes_.find(label);
  if (it == causes_.end()) {
    if (causes_.size() >= kMaxCauses) label = kOverflowLabel;
    it = causes_.emplace(label, &down_cause_.Add({{"cause", label}})).first;
  }
  current_cause_ = it->second;
  current_cause_->Set(1);
}

void SendMetrics::in_flight(std::uint64_t requests, std::uint64_t bytes) {
  requests_in_flight_.Set(static_cast<double>(requests));
  bytes_in_flight_.Set(static_cast<double>(bytes));
}

void SendMetrics::concurrency_limit(double requests) {
  concurrency_limit_.Set(requests);
}

}  // namespace sidelight

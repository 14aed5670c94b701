#include "collectors/log_store/logstash.h"

#include "collectors/log_store/logstash_answer.h"

namespace sidelight {
namespace {

constexpr std::size_t kMaxAnswer = 8u << 20;  // it tells about every plugin

constexpr MetricInfo metric(std::string_view name, std::string_view unit, std::string_view labels,
                            std::size_t max_series, std::string_view help) {
  return {.name = name,
          .role = MetricRole::beside_a_target,
          .unit = unit,
          .labels = labels,
          .max_series = max_series,
          .help = help};
}

constexpr std::string_view kPerPipeline = "target; pipeline";

constexpr MetricInfo kEvents =
    metric("log_relay_events_total", "", "target; pipeline; direction: in, filtered, out",
           3 * kMaxRelayPipelines, "Events that came in, were filtered and went out.");
constexpr MetricInfo kQueueEvents = metric("log_relay_queue_events", "", kPerPipeline, kMaxRelayPipelines,
                                           "Events in the queue of a pipeline.");
constexpr MetricInfo kQueueBytes =
    metric("log_relay_queue_bytes", "bytes", kPerPipeline, kMaxRelayPipelines, "Size of a persisted queue.");
constexpr MetricInfo kQueueLimit =
    metric("log_relay_queue_limit_bytes", "bytes", kPerPipeline, kMaxRelayPipelines,
           "Size of a persisted queue at which Logstash takes no more events.");
constexpr MetricInfo kHeap =
    metric("log_relay_heap_used_ratio", "ratio", "target", 1, "Used share of the Java heap.");
constexpr MetricInfo kReloads =
    metric("log_relay_reloads_total", "", "target; pipeline; result: success, failure",
           2 * kMaxRelayPipelines, "Reloads of a pipeline's configuration.");

class LogstashCollector final : public Collector {
 public:
  LogstashCollector(const LogRelayOptions& options, const CollectorContext& context)
      : url_(options.url), fetch_(context.fs, options.access) {
    while (url_.ends_with('/')) url_.pop_back();
  }

  Expected<void> collect(CollectRun& run) override {
    const auto body = fetch_.get(url_ + "/_node/stats", run.deadline, kMaxAnswer);
    if (!body) return std::unexpected(body.error());
    const auto stats = parse_relay_stats(*body);
    if (!stats) return std::unexpected(stats.error());
    if (stats->heap_used_ratio) run.out.gauge(kHeap, *stats->heap_used_ratio);
    for (const LogRelayPipeline& pipeline : stats->pipelines) show(pipeline, run.out);
    return {};
  }

 private:
  static void show(const LogRelayPipeline& p, Samples& out) {
    const auto counter = [&](const MetricInfo& info, const std::optional<double>& value, const char* label,
                             const char* is) {
      if (value) out.counter(info, *value, {{"pipeline", p.name}, {label, is}});
    };
    const auto gauge = [&](const MetricInfo& info, const std::optional<double>& value) {
      if (value) out.gauge(info, *value, {{"pipeline", p.name}});
    };
    counter(kEvents, p.events_in, "direction", "in");
    counter(kEvents, p.events_filtered, "direction", "filtered");
    counter(kEvents, p.events_out, "direction", "out");
    counter(kReloads, p.reload_successes, "result", "success");
    counter(kReloads, p.reload_failures, "result", "failure");
    gauge(kQueueEvents, p.queue_events);
    gauge(kQueueBytes, p.queue_bytes);
    gauge(kQueueLimit, p.queue_limit_bytes);
  }

  std::string url_;
  HttpFetch fetch_;
};

}  // namespace

std::unique_ptr<Collector> make_logstash_collector(const LogRelayOptions& options,
                                                   const CollectorContext& context) {
  return std::make_unique<LogstashCollector>(options, context);
}

std::vector<DeclaredMetric> logstash_metrics() {
  return {{kEvents, MetricKind::counter},   {kQueueEvents, MetricKind::gauge},
          {kQueueBytes, MetricKind::gauge}, {kQueueLimit, MetricKind::gauge},
          {kHeap, MetricKind::gauge},       {kReloads, MetricKind::counter}};
}

}  // namespace sidelight

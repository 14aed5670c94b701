#include "collectors/http_json/collector.h"

#include <utility>
#include <vector>

#include "collectors/http_json/json_reading.h"

namespace sidelight {
namespace {

constexpr std::size_t kMaxAnswer = 1u << 20;

class HttpJsonCollector final : public Collector {
 public:
  HttpJsonCollector(const HttpJsonOptions& options, const CollectorContext& context)
      : options_(options), fetch_(context.fs, options.access) {}

  Expected<void> collect(CollectRun& run) override {
    if (auto ready = make_rules(); !ready) return ready;
    auto body = fetch_.get(options_.url, run.deadline, kMaxAnswer);
    if (!body) return std::unexpected(body.error());
    const auto document = JsonDocument::parse(*body);
    if (!document) return std::unexpected(document.error());
    for (std::size_t i = 0; i < rules_.size(); ++i) show(options_.metrics[i], rules_[i], *document, run.out);
    return {};
  }

 private:
  Expected<void> make_rules() {
    for (std::size_t i = rules_.size(); i < options_.metrics.size(); ++i) {
      auto rule = make_json_rule(options_.metrics[i]);
      if (!rule) return fail(options_.metrics[i].name + ": " + rule.error().message);
      rules_.push_back(std::move(*rule));
    }
    return {};
  }

  static void show(const JsonMetric& metric, const JsonMetricRule& rule, const JsonDocument& document,
                   Samples& out) {
    const MetricInfo info{.name = metric.name,
                          .role = MetricRole::beside_a_target,
                          .max_series = metric.max_series,
                          .help = metric.help};
    JsonReading reading = document.read(rule, metric.type);
    for (auto& [labels, value] : reading.series) {
      if (metric.type == MetricKind::counter) {
        out.counter(info, value, std::move(labels));
      } else {
        out.gauge(info, value, std::move(labels));
      }
    }
    if (!reading.problem.empty()) out.warn(metric.name + " (" + metric.pointer + "): " + reading.problem);
  }

  const HttpJsonOptions options_;
  HttpFetch fetch_;
  std::vector<JsonMetricRule> rules_;  // as options_.metrics
};

}  // namespace

std::unique_ptr<Collector> make_http_json_collector(const HttpJsonOptions& options,
                                                    const CollectorContext& context) {
  return std::make_unique<HttpJsonCollector>(options, context);
}

}  // namespace sidelight

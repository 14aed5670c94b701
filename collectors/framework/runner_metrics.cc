#include "collectors/framework/runner_metrics.h"

#include "collectors/framework/render.h"

namespace sidelight {
namespace {

// As many targets as a configuration may have of one kind, times the kinds.
constexpr std::size_t kTargets = 1000;
constexpr std::string_view kLabels = "collector; target";

constexpr MetricInfo kUp{.name = "sidelight_collector_up",
                         .role = MetricRole::beside_a_target,
                         .labels = kLabels,
                         .max_series = kTargets,
                         .help = "Whether the last run of the collector against the target succeeded."};
constexpr MetricInfo kStale{
    .name = "sidelight_collector_stale",
    .role = MetricRole::beside_a_target,
    .labels = kLabels,
    .max_series = kTargets,
    .help = "1 while the target's values are those of an earlier run (three intervals long) or gone."};
constexpr MetricInfo kLastSuccess{.name = "sidelight_collector_last_success_timestamp_seconds",
                                  .role = MetricRole::beside_a_target,
                                  .unit = "seconds",
                                  .labels = kLabels,
                                  .max_series = kTargets,
                                  .help = "When the last good run began; stays while the target fails."};
constexpr MetricInfo kDuration{
    .name = "sidelight_collector_duration_seconds",
    .role = MetricRole::beside_a_target,
    .unit = "seconds",
    .labels = kLabels,
    .max_series = kTargets,
    .help = "How long the last run took; the present one, when it is past its timeout."};
constexpr MetricInfo kRuns{.name = "sidelight_collector_runs_total",
                           .role = MetricRole::beside_a_target,
                           .labels = "collector; target; result: success, failure, timeout",
                           .max_series = 3 * kTargets,
                           .help = "Runs of the collector."};
constexpr MetricInfo kDropped{
    .name = "sidelight_collector_series_dropped_total",
    .role = MetricRole::beside_a_target,
    .labels = kLabels,
    .max_series = kTargets,
    .help = "Series left out, or summed under overflow, since a metric was at its cap; counted at each run."};

class Table {
 public:
  Table(const MetricInfo& info, MetricKind kind) {
    family_ = {std::string(info.name), std::string(info.help), kind, {}};
  }
  void add(const TargetStatus& t, double value, const char* result = nullptr) {
    SampleFamily::Series series;
    series.labels = {{"collector", t.collector}, {"target", t.target}};
    if (result != nullptr) series.labels.emplace_back("result", result);
    series.value = value;
    family_.series.push_back(std::move(series));
  }
  SampleFamily& family() { return family_; }

 private:
  SampleFamily family_;
};

}  // namespace

std::vector<DeclaredMetric> runner_metrics() {
  return {{kUp, MetricKind::gauge},       {kStale, MetricKind::gauge},  {kLastSuccess, MetricKind::gauge},
          {kDuration, MetricKind::gauge}, {kRuns, MetricKind::counter}, {kDropped, MetricKind::counter}};
}

std::vector<std::shared_ptr<const RenderedFamily>> render_status(const std::vector<TargetStatus>& targets) {
  Table up(kUp, MetricKind::gauge);
  Table stale(kStale, MetricKind::gauge);
  Table last_success(kLastSuccess, MetricKind::gauge);
  Table duration(kDuration, MetricKind::gauge);
  Table runs(kRuns, MetricKind::counter);
  Table dropped(kDropped, MetricKind::counter);
  for (const TargetStatus& t : targets) {
    const TargetView& v = t.view;
    if (v.up) up.add(t, *v.up ? 1 : 0);
    if (v.up) stale.add(t, v.stale ? 1 : 0);
    if (v.last_success) last_success.add(t, static_cast<double>(*v.last_success) / 1e9);
    if (v.duration) duration.add(t, *v.duration);
    runs.add(t, static_cast<double>(v.successes), "success");
    runs.add(t, static_cast<double>(v.failures), "failure");
    runs.add(t, static_cast<double>(v.timeouts), "timeout");
    dropped.add(t, static_cast<double>(v.series_dropped));
  }
  std::vector<SampleFamily> families;
  for (Table* table : {&up, &stale, &last_success, &duration, &runs, &dropped})
    families.push_back(std::move(table->family()));
  return render_families(families);
}

}  // namespace sidelight

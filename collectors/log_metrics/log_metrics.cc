#include "collectors/log_metrics/log_metrics.h"

#include <algorithm>
#include <utility>

#include "collectors/framework/render.h"
#include "collectors/log_metrics/presets.h"

namespace sidelight {
namespace {

constexpr std::size_t kInputs = 200;  // that have series of their own
constexpr MetricInfo kEvents{.name = "sidelight_log_metrics_events_total",
                             .labels = "input",
                             .max_series = kInputs,
                             .help = "Log events that the rules of log_metrics were applied to."};
constexpr MetricInfo kLate{
    .name = "sidelight_log_metrics_late_events_total",
    .labels = "input",
    .max_series = kInputs,
    .help = "Log events that were too old when they were read (late_after) and count nowhere else."};
constexpr MetricInfo kLag{.name = "sidelight_log_metrics_lag_bytes",
                          .unit = "bytes",
                          .labels = "input",
                          .max_series = kInputs,
                          .help = "Bytes of log that log_metrics have yet to read."};
constexpr MetricInfo kSeries{.name = "sidelight_log_metrics_series",
                             .help = "Series that log_metrics hold now."};
constexpr MetricInfo kOverflow{
    .name = "sidelight_log_metrics_series_dropped_total",
    .help = "Events counted under overflow, or left out of a gauge, since their metric was at max_series."};

SampleFamily family(const MetricInfo& info, MetricKind kind) {
  return {std::string(info.name), std::string(info.help), kind, {}};
}

void add(SampleFamily& f, double value, Labels labels = {}) {
  SampleFamily::Series series;
  series.labels = std::move(labels);
  series.value = value;
  f.series.push_back(std::move(series));
}

class CountingTemplate final : public DocTemplate {
 public:
  explicit CountingTemplate(DocConstants c) : constants(std::move(c)) {}
  DocConstants constants;
};

class CountingEncoder final : public Encoder {
 public:
  explicit CountingEncoder(LogMetrics& owner) : owner_(owner) {}
  std::unique_ptr<DocTemplate> prepare(const DocConstants& constants) const override {
    return std::make_unique<CountingTemplate>(constants);
  }
  void append(const Record& record, const DocTemplate& tmpl, const Source& source,
              std::int64_t /*fallback_ns*/, std::uint32_t span, Batch& batch) const override {
    owner_.count(source.input, record, static_cast<const CountingTemplate&>(tmpl).constants);
    Doc doc;
    doc.span = span;
    doc.begin = record.event->begin;
    doc.end = record.event->end;
    batch.docs.push_back(doc);
    ++batch.spans[span].pending;
  }

 private:
  LogMetrics& owner_;
};

// Everything is settled as soon as it is counted.
class CountingOutput final : public Output {
 public:
  explicit CountingOutput(const OutputContext& context) : context_(context) {}
  EncoderOptions encoding() const override { return {}; }
  void submit(BatchPtr batch) override {
    for (std::size_t i = 0; i < batch->docs.size(); ++i) batch->settle(i, context_.ledger);
    context_.recycler.recycle(std::move(batch));
  }
  std::size_t queued_bytes() const override { return 0; }
  bool drain(MonoTime /*deadline*/) override { return true; }

 private:
  OutputContext context_;
};

}  // namespace

Expected<std::unique_ptr<LogMetrics>> LogMetrics::make(const LogMetricsOptions& options,
                                                       const std::vector<std::string>& inputs,
                                                       const Clock& clock) {
  auto rules = LogMetricRules::make(options, inputs);
  if (!rules) return std::unexpected(rules.error());
  return std::unique_ptr<LogMetrics>(new LogMetrics(std::move(*rules), options, inputs, clock));
}

LogMetrics::LogMetrics(LogMetricRules rules, const LogMetricsOptions& options,
                       const std::vector<std::string>& inputs, const Clock& clock)
    : rules_(std::move(rules)),
      late_after_(options.late_after),
      clock_(clock),
      table_(rules_.metrics(), options.max_series, clock) {
  for (const std::string& name : inputs) {
    inputs_.push_back(std::make_unique<Input>());
    inputs_.back()->name = name;
  }
}

void LogMetrics::adopt(LogMetrics& before) {
  const auto& old = before.rules_.sources();
  for (std::size_t i = 0; i < rules_.sources().size(); ++i) {
    const auto same = std::find(old.begin(), old.end(), rules_.sources()[i]);
    if (same != old.end()) table_.adopt(i, before.table_, static_cast<std::size_t>(same - old.begin()));
  }
  table_.adopt_overflowed(before.table_);
  for (const auto& input : inputs_) {
    const auto same = std::find_if(before.inputs_.begin(), before.inputs_.end(),
                                   [&](const auto& other) { return other->name == input->name; });
    if (same == before.inputs_.end()) continue;
    input->events = (*same)->events.load();
    input->late = (*same)->late.load();
    input->lag_bytes = (*same)->lag_bytes.load();
  }
}

std::unique_ptr<Encoder> LogMetrics::make_encoder() {
  return std::make_unique<CountingEncoder>(*this);
}

std::unique_ptr<Output> LogMetrics::make_output(const OutputContext& context) {
  return std::make_unique<CountingOutput>(context);
}

void LogMetrics::lag(std::uint32_t input, std::uint64_t bytes) {
  inputs_[input]->lag_bytes = bytes;
}

void LogMetrics::count(std::uint32_t input, const Record& record, const DocConstants& constants) {
  Input& in = *inputs_[input];
  const std::int64_t oldest = clock_.wall() - Nanos(late_after_).count();
  if (record.timestamp_ns && *record.timestamp_ns < oldest) {
    in.late.fetch_add(1, std::memory_order_relaxed);
    return;
  }
  in.events.fetch_add(1, std::memory_order_relaxed);
  EventView event(record, constants);
  rules_.apply(input, event, table_);
}

void LogMetrics::families(std::vector<std::shared_ptr<const RenderedFamily>>& out) {
  std::vector<SampleFamily> all = table_.snapshot();
  SampleFamily events = family(kEvents, MetricKind::counter);
  SampleFamily late = family(kLate, MetricKind::counter);
  SampleFamily lag = family(kLag, MetricKind::gauge);
  for (std::size_t i = 0; i < inputs_.size() && events.series.size() < kInputs; ++i) {
    if (!rules_.reads(static_cast<std::uint32_t>(i))) continue;
    const Input& in = *inputs_[i];
    add(events, static_cast<double>(in.events.load()), {{"input", in.name}});
    add(late, static_cast<double>(in.late.load()), {{"input", in.name}});
    add(lag, static_cast<double>(in.lag_bytes.load()), {{"input", in.name}});
  }
  SampleFamily series = family(kSeries, MetricKind::gauge);
  add(series, static_cast<double>(table_.series()));
  SampleFamily overflow = family(kOverflow, MetricKind::counter);
  add(overflow, static_cast<double>(table_.overflowed()));
  for (SampleFamily* f : {&events, &late, &lag, &series, &overflow}) all.push_back(std::move(*f));
  for (auto& rendered : render_families(all)) out.push_back(std::move(rendered));
}

std::vector<DeclaredMetric> log_metrics_declared() {
  std::vector<DeclaredMetric> all = log_metric_presets_declared();
  for (const MetricInfo& counter : {kEvents, kLate, kOverflow}) all.push_back({counter, MetricKind::counter});
  for (const MetricInfo& gauge : {kLag, kSeries}) all.push_back({gauge, MetricKind::gauge});
  return all;
}

}  // namespace sidelight

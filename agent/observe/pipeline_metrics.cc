#include "agent/observe/pipeline_metrics.h"

#include <map>
#include <utility>

namespace sidelight {
namespace {

// In the order of the enums.
constexpr std::array<const char*, kDropReasons> kDropReasonNames = {"rule", "sampled", "rate_limited",
                                                                    "duplicate"};
constexpr std::array<const char*, 1> kPauseReasonNames = {"dead_letters"};

}  // namespace

PipelineMetrics::PipelineMetrics(MetricFamilies& f, const Clock& clock)
    : clock_(clock),
      bytes_(f.counters({.name = "sidelight_read_bytes_total",
                         .unit = "bytes",
                         .labels = "input",
                         .max_series = kMaxInputSeries,
                         .help = "Bytes read from log files."})),
      lines_(f.counters({.name = "sidelight_read_lines_total",
                         .labels = "input",
                         .max_series = kMaxInputSeries,
                         .help = "Lines read from log files."})),
      events_(f.counters({.name = "sidelight_read_events_total",
                          .labels = "input",
                          .max_series = kMaxInputSeries,
                          .help = "Events made of the lines (several lines make one with multiline)."})),
      truncated_events_(f.counters({.name = "sidelight_truncated_events_total",
                                    .labels = "input",
                                    .max_series = kMaxInputSeries,
                                    .help = "Events cut at the size limit; they are shipped and marked."})),
      truncated_bytes_(f.counters({.name = "sidelight_truncated_bytes_total",
                                   .unit = "bytes",
                                   .labels = "input",
                                   .max_series = kMaxInputSeries,
                                   .help = "Bytes cut off events at the size limit."})),
      parse_errors_(
          f.counters({.name = "sidelight_parse_errors_total",
                      .labels = "input",
                      .max_series = kMaxInputSeries,
                      .help = "Events whose format or container wrapping is not the configured one, or whose "
                              "time cannot be read; shipped all the same, and marked in log.flags."})),
      dropped_(f.counters({.name = "sidelight_dropped_events_total",
                           .labels = "input; reason: rule, sampled, rate_limited, duplicate",
                           .max_series = kMaxInputSeries * kDropReasons,
                           .help = "Events not shipped because the configuration says so."})),
      lag_bytes_(
          f.gauges({.name = "sidelight_input_lag_bytes",
                    .unit = "bytes",
                    .labels = "input",
                    .max_series = kMaxInputLabels,
                    .help = "Bytes in the input's files that are not delivered yet; absent until first "
                            "measured."})),
      lag_seconds_(f.gauges(
          {.name = "sidelight_input_lag_seconds",
           .unit = "seconds",
           .labels = "input",
           .max_series = kMaxInputLabels,
           .help = "Age of the oldest of those bytes, from when they were first seen (what was there at "
                   "the start: by the checkpoint, at least since the file's last change), 0 when there "
                   "are none; absent until first measured."})),
      paused_(f.gauges({.name = "sidelight_input_paused",
                        .labels = "input; reason: dead_letters",
                        .max_series = kMaxInputLabels * kPauseReasons,
                        .help = "1 while the input is not read for that reason."})),
      in_flight_(f.gauge({.name = "sidelight_in_flight_bytes",
                          .unit = "bytes",
                          .help = "Memory held by log data between reading and acknowledgement."})),
      budget_(f.gauge({.name = "sidelight_memory_budget_bytes",
                       .unit = "bytes",
                       .help = "Limit of sidelight_in_flight_bytes; reading stops at it."})),
      inputs_over_cap_(f.gauge({.name = "sidelight_inputs_over_cap",
                                .help = "Log inputs without series of their own: their counters are under "
                                        "input=\"overflow\", their gauges are left out."})),
      reloads_(f.counters({.name = "sidelight_config_reloads_total",
                           .role = MetricRole::every_instance,
                           .labels = "result: success, failure",
                           .max_series = 2,
                           .help = "Attempts to take a configuration, the one at start included."})),
      reloads_good_(reloads_.Add({{"result", "success"}})),
      reloads_bad_(reloads_.Add({{"result", "failure"}})),
      reload_ok_(f.gauge({.name = "sidelight_config_last_reload_successful",
                          .role = MetricRole::every_instance,
                          .help = "0 when the newest configuration is bad and an older one is running."})),
      reload_time_(
          f.gauge({.name = "sidelight_config_last_reload_success_timestamp_seconds",
                   .role = MetricRole::every_instance,
                   .unit = "seconds",
                   .help = "When the configuration that is running was taken, as Unix time; 0 before."})) {}

PipelineMetrics::Counters PipelineMetrics::counters_for(const std::string& label) {
  const prometheus::Labels input{{"input", label}};
  Counters c{.bytes = &bytes_.Add(input),
             .lines = &lines_.Add(input),
             .events = &events_.Add(input),
             .truncated_events = &truncated_events_.Add(input),
             .truncated_bytes = &truncated_bytes_.Add(input),
             .parse_errors = &parse_errors_.Add(input)};
  for (std::size_t i = 0; i < kDropReasons; ++i)
    c.dropped.at(i) = &dropped_.Add({{"input", label}, {"reason", kDropReasonNames.at(i)}});
  return c;
}

PipelineMetrics::Gauges PipelineMetrics::gauges_for(const std::string& label) {
  Gauges g;
  for (std::size_t i = 0; i < kPauseReasons; ++i)
    g.paused.at(i) = &paused_.Add({{"input", label}, {"reason", kPauseReasonNames.at(i)}});
  return g;
}

void PipelineMetrics::remove(Gauges& gauges) {
  if (gauges.lag_bytes != nullptr) lag_bytes_.Remove(gauges.lag_bytes);
  if (gauges.lag_seconds != nullptr) lag_seconds_.Remove(gauges.lag_seconds);
  for (Gauge* paused : gauges.paused)
    if (paused != nullptr) paused_.Remove(paused);
}

void PipelineMetrics::set_inputs(const std::vector<InputLabel>& labels) {
  const std::lock_guard lock(mutex_);
  std::map<std::string, Gauges> gauges;
  for (const Input& old : inputs_)
    if (!old.label.overflow) gauges.emplace(old.label.text, old.gauges);
  inputs_.clear();
  double over_cap = 0;
  for (const InputLabel& label : labels) {
    Input input{label, counters_for(label.text), {}};
    if (label.overflow) {
      ++over_cap;
    } else if (auto kept = gauges.extract(label.text)) {
      input.gauges = kept.mapped();
      for (Gauge* paused : input.gauges.paused) paused->Set(0);  // whoever paused it is gone
    } else {
      input.gauges = gauges_for(label.text);
    }
    inputs_.push_back(std::move(input));
  }
  for (auto& [label, gone] : gauges) remove(gone);
  inputs_over_cap_.Set(over_cap);
}

PipelineMetrics::Counters PipelineMetrics::counters_at(std::uint32_t input) {
  if (input < inputs_.size()) return inputs_[input].counters;
  return counters_for(std::string(kOverflowLabel));
}

PipelineMetrics::Input* PipelineMetrics::input_with_gauges(std::uint32_t input) {
  if (input >= inputs_.size() || inputs_[input].label.overflow) return nullptr;
  return &inputs_[input];
}

void PipelineMetrics::read(std::uint32_t input, std::uint64_t bytes) {
  const std::lock_guard lock(mutex_);
  counters_at(input).bytes->Increment(static_cast<double>(bytes));
}

void PipelineMetrics::events(std::uint32_t input, std::uint64_t lines, std::uint64_t events) {
  const std::lock_guard lock(mutex_);
  const Counters c = counters_at(input);
  c.lines->Increment(static_cast<double>(lines));
  c.events->Increment(static_cast<double>(events));
}

void PipelineMetrics::truncated(std::uint32_t input, std::uint64_t events, std::uint64_t bytes) {
  const std::lock_guard lock(mutex_);
  const Counters c = counters_at(input);
  c.truncated_events->Increment(static_cast<double>(events));
  c.truncated_bytes->Increment(static_cast<double>(bytes));
}

void PipelineMetrics::dropped(std::uint32_t input, std::uint64_t events, DropReason reason) {
  const std::lock_guard lock(mutex_);
  counters_at(input).dropped.at(static_cast<std::size_t>(reason))->Increment(static_cast<double>(events));
}

void PipelineMetrics::parse_errors(std::uint32_t input, std::uint64_t events) {
  const std::lock_guard lock(mutex_);
  counters_at(input).parse_errors->Increment(static_cast<double>(events));
}

void PipelineMetrics::lag(std::uint32_t input, std::uint64_t bytes, double seconds) {
  const std::lock_guard lock(mutex_);
  Input* in = input_with_gauges(input);
  if (in == nullptr) return;
  if (in->gauges.lag_bytes == nullptr) {
    in->gauges.lag_bytes = &lag_bytes_.Add({{"input", in->label.text}});
    in->gauges.lag_seconds = &lag_seconds_.Add({{"input", in->label.text}});
  }
  in->gauges.lag_bytes->Set(static_cast<double>(bytes));
  in->gauges.lag_seconds->Set(seconds);
}

void PipelineMetrics::in_flight(std::uint64_t bytes_used, std::uint64_t budget) {
  in_flight_.Set(static_cast<double>(bytes_used));
  budget_.Set(static_cast<double>(budget));
}

void PipelineMetrics::input_paused(std::uint32_t input, bool paused, PauseReason reason) {
  const std::lock_guard lock(mutex_);
  Input* in = input_with_gauges(input);
  if (in != nullptr) in->gauges.paused.at(static_cast<std::size_t>(reason))->Set(paused ? 1 : 0);
}

void PipelineMetrics::files(const std::vector<FileProgress>& progress, std::size_t all) {
  std::vector<TailedFileReport> files;
  files.reserve(progress.size());
  {
    const std::lock_guard lock(mutex_);
    for (const FileProgress& f : progress) {
      const std::string input = f.input < inputs_.size() ? inputs_[f.input].label.text : std::string();
      files.push_back({std::string(f.path), input, f.size, f.read, f.delivered, f.behind_seconds});
    }
  }
  tailed_files_.set(std::move(files), all);
}

void PipelineMetrics::reload(bool success) {
  (success ? reloads_good_ : reloads_bad_).Increment();
  reload_ok_.Set(success ? 1 : 0);
  if (success) reload_time_.Set(static_cast<double>(clock_.wall()) / 1e9);
}

}  // namespace sidelight

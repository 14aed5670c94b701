#include "agent/observe/tail_metrics.h"

namespace sidelight {
namespace {

// In the order of the enums.
constexpr std::array<const char*, 3> kLossReasons = {"deleted", "truncated", "overflow"};
constexpr std::array<const char*, 3> kRotationKinds = {"rename", "copytruncate", "gzip"};

}  // namespace

TailMetrics::TailMetrics(MetricFamilies& f)
    : files_open_(f.gauge({.name = "sidelight_files_open", .help = "Log files open now."})),
      files_tracked_(
          f.gauge({.name = "sidelight_files_tracked", .help = "Log files known now, open or not."})),
      matched_(f.gauges({.name = "sidelight_input_files",
                         .labels = "input",
                         .max_series = kMaxInputLabels,
                         .help = "Log files that are there for the input, also those that cannot be read "
                                 "(sidelight_files_unreadable); absent until first looked for."})),
      polling_(
          f.gauge({.name = "sidelight_watch_polling",
                   .help = "1 while some directory gives no change notifications and is polled instead."})),
      unreadable_(f.gauge({.name = "sidelight_files_unreadable",
                           .help = "Log files that match an input but may not be read."})),
      ignored_(f.gauge(
          {.name = "sidelight_files_ignored",
           .help =
               "Log files that match an input but are left alone: as many as tailing.max_files are known."})),
      lost_(f.counters({.name = "sidelight_lost_bytes_total",
                        .unit = "bytes",
                        .labels = "input; reason: deleted, truncated, overflow",
                        .max_series = kMaxInputSeries * kLossReasons.size(),
                        .help = "Bytes of log that were gone before they could be read."})),
      read_errors_(
          f.counter({.name = "sidelight_read_errors_total", .help = "Reads of a log file that failed."})),
      deleted_held_(f.gauge({.name = "sidelight_deleted_files_held_bytes",
                             .unit = "bytes",
                             .help = "Unread bytes of deleted files that are held open."})),
      descriptor_limit_hits_(f.counter({.name = "sidelight_descriptor_limit_hits_total",
                                        .help = "Times that a file had to wait for a free descriptor."})) {
  auto& rotations = f.counters({.name = "sidelight_rotations_total",
                                .labels = "kind: rename, copytruncate, gzip",
                                .max_series = kRotationKinds.size(),
                                .help = "Rotations followed (gzip: read from a compressed copy)."});
  for (std::size_t i = 0; i < kRotationKinds.size(); ++i)
    rotations_.at(i) = &rotations.Add({{"kind", kRotationKinds.at(i)}});
}

TailMetrics::ByReason TailMetrics::lost_counters(const std::string& label) {
  ByReason counters{};
  for (std::size_t i = 0; i < counters.size(); ++i)
    counters.at(i) = &lost_.Add({{"input", label}, {"reason", kLossReasons.at(i)}});
  return counters;
}

void TailMetrics::set_inputs(const std::vector<InputLabel>& labels) {
  const std::lock_guard lock(mutex_);
  for (const Input& old : inputs_)
    if (old.files != nullptr) matched_.Remove(old.files);
  inputs_.clear();
  for (const InputLabel& label : labels) inputs_.push_back({label, lost_counters(label.text), nullptr});
}

void TailMetrics::lost_bytes(std::uint32_t input, std::uint64_t bytes, LossReason reason) {
  const std::lock_guard lock(mutex_);
  // A loss is told even when a reload took its input away in between.
  const ByReason counters =
      input < inputs_.size() ? inputs_[input].lost : lost_counters(std::string(kOverflowLabel));
  counters.at(static_cast<std::size_t>(reason))->Increment(static_cast<double>(bytes));
}

void TailMetrics::files_open(std::uint64_t files) {
  files_open_.Set(static_cast<double>(files));
}
void TailMetrics::files_tracked(std::uint64_t files) {
  files_tracked_.Set(static_cast<double>(files));
}
void TailMetrics::input_files(std::uint32_t input, std::uint64_t files) {
  const std::lock_guard lock(mutex_);
  if (input >= inputs_.size() || inputs_[input].label.overflow) return;
  Input& in = inputs_[input];
  if (in.files == nullptr) in.files = &matched_.Add({{"input", in.label.text}});
  in.files->Set(static_cast<double>(files));
}
void TailMetrics::watch_mode(bool polling) {
  polling_.Set(polling ? 1 : 0);
}
void TailMetrics::unreadable_files(std::uint64_t files) {
  unreadable_.Set(static_cast<double>(files));
}
void TailMetrics::ignored_files(std::uint64_t files) {
  ignored_.Set(static_cast<double>(files));
}
void TailMetrics::rotation(RotationKind kind) {
  rotations_.at(static_cast<std::size_t>(kind))->Increment();
}
void TailMetrics::read_error() {
  read_errors_.Increment();
}
void TailMetrics::deleted_bytes_held(std::uint64_t bytes) {
  deleted_held_.Set(static_cast<double>(bytes));
}
void TailMetrics::descriptor_limit_hit() {
  descriptor_limit_hits_.Increment();
}

}  // namespace sidelight

// When a target is asked, and what of its last answer still holds. Pure: no threads, no clock of its own.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "agent/base/metric_page.h"
#include "collectors/framework/collector.h"
#include "collectors/framework/samples.h"

namespace sidelight {

// The answer of one good run. Immutable.
struct TargetValues {
  MonoTime at;  // when the run began
  std::vector<std::shared_ptr<const RenderedFamily>> rendered;
  std::vector<Advice> advice;
  std::vector<std::string> warnings;
};

// What is known of a target at one moment.
struct TargetView {
  std::optional<bool> up;                      // nothing before the first run has ended or overrun
  bool stale = false;                          // values of an earlier run, or what should be there is gone
  std::shared_ptr<const TargetValues> values;  // null: none, or too old to be shown
  std::optional<WallNanos> last_success;       // when the last good run began
  std::optional<MonoTime> last_success_mono;   // the same on the other clock
  std::optional<double> duration;  // seconds, of the last run; of the present one when it overruns
  std::uint64_t successes = 0;
  std::uint64_t failures = 0;
  std::uint64_t timeouts = 0;
  std::uint64_t series_dropped = 0;
  std::string error;  // of the last run; empty: none
};

// Runs start an interval apart (give or take 5 %, so that instances do not fall into step). After the n-th
// failure in a row the wait is interval * 2^(n-1), at most the greater of the interval and a minute. A run
// that has not returned at its deadline has failed from then on, and the next one waits for it. After a
// failure the last values are shown until three intervals have gone since the run that gave them.
class TargetSlot {
 public:
  TargetSlot(const TargetOptions& options, MonoTime first_run, std::uint32_t seed);

  bool running() const { return begun_.has_value(); }
  // When the next run is due; not while one is running.
  MonoTime next_run() const { return next_; }
  MonoTime deadline() const { return *begun_ + options_.timeout; }

  void begin(MonoTime now);
  // `values` of a good run, else null and what was wrong. Values that come after the deadline are not taken.
  void finish(MonoTime now, WallNanos wall, std::shared_ptr<const TargetValues> values, std::string error);
  void count_dropped(std::uint64_t series) { series_dropped_ += series; }

  TargetView view(MonoTime now) const;

 private:
  Nanos wait();

  TargetOptions options_;
  std::minstd_rand random_;
  MonoTime next_;
  std::optional<MonoTime> begun_;
  unsigned failures_in_a_row_ = 0;
  std::shared_ptr<const TargetValues> values_;
  std::uint64_t series_dropped_ = 0;
  TargetView known_;  // but for what depends on the time of asking
};

}  // namespace sidelight

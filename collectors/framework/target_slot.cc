#include "collectors/framework/target_slot.h"

#include <algorithm>
#include <cassert>
#include <utility>

namespace sidelight {
namespace {

constexpr Nanos kLongestWait = std::chrono::minutes(1);
constexpr int kIntervalsShown = 3;

double seconds_of(Nanos span) {
  return std::chrono::duration<double>(span).count();
}

std::string overrun_text(std::chrono::milliseconds timeout) {
  return "no answer within the timeout of " + std::to_string(timeout.count()) + " ms";
}

}  // namespace

TargetSlot::TargetSlot(const TargetOptions& options, MonoTime first_run, std::uint32_t seed)
    : options_(options), random_(seed), next_(first_run) {}

void TargetSlot::begin(MonoTime now) {
  assert(!begun_);
  begun_ = now;
}

Nanos TargetSlot::wait() {
  const Nanos interval = options_.interval;
  Nanos wait = interval;
  const Nanos most = std::max(interval, kLongestWait);
  for (unsigned n = 1; n < failures_in_a_row_ && wait < most; ++n) wait *= 2;
  wait = std::min(wait, most);
  std::uniform_int_distribution<std::int64_t> jitter(-wait.count() / 20, wait.count() / 20);
  return wait + Nanos(jitter(random_));
}

void TargetSlot::finish(MonoTime now, WallNanos wall, std::shared_ptr<const TargetValues> values,
                        std::string error) {
  assert(begun_);
  const Nanos took = now - *begun_;
  known_.duration = seconds_of(took);
  if (took > options_.timeout) {
    ++known_.timeouts;
    known_.error = error.empty() ? overrun_text(options_.timeout) : std::move(error);
  } else if (!values) {
    ++known_.failures;
    known_.error = std::move(error);
  } else {
    ++known_.successes;
    known_.error.clear();
    known_.last_success = wall - took.count();
    known_.last_success_mono = *begun_;
    values_ = std::move(values);
  }
  known_.up = known_.error.empty();
  failures_in_a_row_ = *known_.up ? 0 : failures_in_a_row_ + 1;
  // Runs keep their pace however long they take, but a slow one is not followed on its heels.
  next_ = std::max(*begun_ + wait(), now + Nanos(options_.interval) / 10);
  begun_.reset();
}

TargetView TargetSlot::view(MonoTime now) const {
  TargetView v = known_;
  v.series_dropped = series_dropped_;
  if (begun_ && now - *begun_ > options_.timeout) {
    ++v.timeouts;  // counted for good when it ends
    v.up = false;
    v.duration = seconds_of(now - *begun_);
    v.error = overrun_text(options_.timeout);
  } else if (!begun_ && now - next_ > Nanos(options_.interval)) {
    v.up = false;
    v.error = "waits for its turn: other targets do not answer";
  }
  v.stale = v.up && !*v.up && v.last_success;
  if (values_ && now - values_->at <= kIntervalsShown * Nanos(options_.interval)) v.values = values_;
  return v;
}

}  // namespace sidelight

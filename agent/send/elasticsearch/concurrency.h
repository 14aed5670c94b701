// How many requests may be in flight: additive increase, multiplicative decrease, as TCP does it.
#pragma once

#include <cstddef>
#include <cstdint>

#include "agent/base/clock.h"

namespace sidelight {

// One thread.
class ConcurrencyLimit {
 public:
  explicit ConcurrencyLimit(std::size_t max) : max_(max < 1 ? 1 : max), limit_(max_ < 2 ? 1.0 : 2.0) {}
  std::size_t requests() const { return static_cast<std::size_t>(limit_); }
  double value() const { return limit_; }
  // A request was answered without a sign of overload: one more after each round of them.
  void on_success();
  // A sign of overload on a request that was started at `started`: halves, but once for all requests that
  // were in flight together, since they tell of one and the same congestion.
  void on_overload(MonoTime started, MonoTime now);

 private:
  std::size_t max_;
  double limit_;
  MonoTime last_decrease_{MonoTime::min()};
};

}  // namespace sidelight

// Counts messages that came into a queue of dead letters.
#pragma once

#include <deque>

#include "agent/base/clock.h"

namespace sidelight {

// RabbitMQ does not count what it dead-letters into a queue as published there. What came is worked out: the
// growth of the depth, and what was acknowledged meanwhile. The two are up to kSettle apart in time, so a
// rise counts when it has lasted that long. A fall that no acknowledgement explains is first taken for the
// other half of such a skew and pays for the next rise, until kForgive later it is seen as a purge (or
// expiry), which costs nothing. One thread.
class LetterCounter {
 public:
  static constexpr Nanos kSettle = std::chrono::seconds(11);
  static constexpr Nanos kForgive = std::chrono::seconds(30);

  // `acked` is the broker's counter; below the one before it has begun again at zero.
  void observe(MonoTime at, double depth, double acked);
  // Since the first observation.
  double total() const { return total_; }

 private:
  struct Point {
    MonoTime at;
    double flow;  // depth and acknowledgements, relative to the first observation
  };
  std::deque<Point> recent_;  // at most kSettle long, and thus not longer than runs in that time
  bool begun_ = false;
  double first_depth_ = 0;
  double last_acked_ = 0;
  double acked_ = 0;
  double settled_ = 0;  // the flow that has lasted
  double debt_ = 0;
  MonoTime debt_since_;
  double total_ = 0;
};

}  // namespace sidelight

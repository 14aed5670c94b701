// How long the message at the head of a queue has waited, worked out from counters.
#pragma once

#include <cstddef>
#include <optional>
#include <vector>

#include "agent/base/clock.h"

namespace sidelight {

// A queue hands its messages out in order: when P were published and R are ready, the one at the head is the
// (P - R + 1)-th, and it came when the count of publishes passed P - R. The history of that count is kept for
// as far back as messages of the queue may reach, and thinned with age: its points lie 1/32 of their age
// apart at most, or wider when even that were more than kMaxPoints.
//
// Requeued messages stand at the head again although they are older than those that follow; messages that
// came by dead-lettering are not among the publishes. The true age may be greater then. One thread.
class HeadAge {
 public:
  static constexpr std::size_t kMaxPoints = 256;

  // `published` is the broker's counter; below the one before it has begun again at zero. `depth` (ready and
  // unacknowledged) says how far back the history is needed. Times go forward.
  void observe(MonoTime at, double published, double depth);

  // Of the message at the head, when `ready` are ready; nothing when there is none, or before the first
  // observation. A lower bound when the message was there before the first observation.
  std::optional<Nanos> age(MonoTime now, double ready) const;

  std::size_t points() const { return points_.size(); }

 private:
  struct Point {
    MonoTime at;
    double published;  // since the first observation
  };
  void forget(double depth);
  void thin();

  std::vector<Point> points_;
  double last_counter_ = 0;
};

}  // namespace sidelight

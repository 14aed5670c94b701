// What one queue did lately: growth, drain time, whether it stands still, the age of its head.
#pragma once

#include <deque>
#include <optional>

#include "agent/base/clock.h"
#include "collectors/framework/counter_window.h"
#include "collectors/rabbitmq/head_age.h"
#include "collectors/rabbitmq/letter_counter.h"

namespace sidelight {

// Bounded. Everything is nothing until there is enough to tell it from. One thread.
class QueueHistory {
 public:
  static constexpr Nanos kWindow = std::chrono::minutes(5);

  struct Observation {
    MonoTime at;
    double ready = 0;
    double unacked = 0;
    std::optional<double> published;  // counters of the broker; absent where it has no statistics
    std::optional<double> acked;
  };
  void observe(const Observation& o);

  // Change of the backlog (ready and unacknowledged) over the window.
  std::optional<double> growth_per_second() const;
  // The backlog at the rate of acknowledgement over the window. Nothing when that is zero.
  std::optional<double> drain_seconds() const;
  // Whether for a whole window there was a backlog and nothing was acknowledged.
  std::optional<bool> stalled() const;
  // Estimated; a lower bound for messages older than the history.
  std::optional<double> head_age_seconds(MonoTime now) const;
  // Messages that came in, dead letters included, since the first observation.
  std::optional<double> arrived() const;

 private:
  struct Backlog {
    MonoTime at;
    double depth;
  };
  std::deque<Backlog> backlog_;
  std::optional<MonoTime> backlog_since_;  // no empty queue was seen since
  std::optional<MonoTime> watched_since_;  // acknowledgements are known without a break since
  MonoTime unmoved_since_;                 // no acknowledgement was seen since
  CounterWindow acked_{kWindow};
  HeadAge head_;
  LetterCounter letters_;
  Observation last_;
};

}  // namespace sidelight

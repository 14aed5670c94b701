// Rates over a window from own samples of a cumulative counter.
#pragma once

#include <cstddef>
#include <deque>
#include <optional>

#include "agent/base/clock.h"

namespace sidelight {

// Bounded: at most kMaxPoints points are kept whatever the interval. A value below the one before is a reset:
// the counter began again at zero, as Prometheus takes it. One thread.
class CounterWindow {
 public:
  static constexpr std::size_t kMaxPoints = 128;

  explicit CounterWindow(Nanos window) : window_(window) {}
  void add(MonoTime at, double value);
  // Forgets everything: what follows is another counter (another master).
  void restart() { points_.clear(); }

  struct Change {
    double amount = 0;   // since the beginning of the window, resets accounted for
    double seconds = 0;  // how long that was: the window, or less while it is young
  };
  // Nothing until there are two points.
  std::optional<Change> change() const;
  std::optional<double> per_second() const;

 private:
  struct Point {
    MonoTime at;
    double total;  // of all increments since the first point ever
  };
  Nanos window_;
  std::deque<Point> points_;
  double last_value_ = 0;
};

}  // namespace sidelight

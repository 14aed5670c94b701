#include "collectors/framework/counter_window.h"

namespace sidelight {

void CounterWindow::add(MonoTime at, double value) {
  double total = 0;
  if (!points_.empty()) {
    if (at <= points_.back().at) return;
    total = points_.back().total + (value >= last_value_ ? value - last_value_ : value);
  }
  last_value_ = value;
  // Points closer together than the window has room for: the newest one moves instead.
  const Nanos least = window_ / (kMaxPoints - 2);
  if (points_.size() >= 2 && points_.back().at - points_[points_.size() - 2].at < least) points_.pop_back();
  points_.push_back({at, total});
  // The oldest point that is kept is the youngest of those that are a window old.
  while (points_.size() > 2 && at - points_[1].at >= window_) points_.pop_front();
}

std::optional<CounterWindow::Change> CounterWindow::change() const {
  if (points_.size() < 2) return std::nullopt;
  const Nanos span = points_.back().at - points_.front().at;
  return Change{points_.back().total - points_.front().total, std::chrono::duration<double>(span).count()};
}

std::optional<double> CounterWindow::per_second() const {
  const auto c = change();
  if (!c || c->seconds <= 0) return std::nullopt;
  return c->amount / c->seconds;
}

}  // namespace sidelight

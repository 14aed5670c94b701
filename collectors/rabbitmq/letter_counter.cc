#include "collectors/rabbitmq/letter_counter.h"

#include <algorithm>

namespace sidelight {
namespace {

constexpr std::size_t kMostPoints = 64;

}  // namespace

void LetterCounter::observe(MonoTime at, double depth, double acked) {
  if (!begun_) {
    begun_ = true;
    first_depth_ = depth;
    last_acked_ = acked;
    recent_.push_back({at, 0});
    return;
  }
  acked_ += acked >= last_acked_ ? acked - last_acked_ : acked;
  last_acked_ = acked;
  recent_.push_back({at, depth - first_depth_ + acked_});
  while (recent_.size() > kMostPoints || at - recent_.front().at > kSettle) recent_.pop_front();
  const double lasting = std::min_element(recent_.begin(), recent_.end(), [](const Point& a, const Point& b) {
                           return a.flow < b.flow;
                         })->flow;
  if (debt_ > 0 && at - debt_since_ > kForgive) debt_ = 0;
  const double change = lasting - settled_;
  settled_ = lasting;
  if (change < 0) {
    if (debt_ == 0) debt_since_ = at;
    debt_ -= change;
    return;
  }
  const double paid = std::min(debt_, change);
  debt_ -= paid;
  total_ += change - paid;
}

}  // namespace sidelight

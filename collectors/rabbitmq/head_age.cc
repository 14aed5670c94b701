#include "collectors/rabbitmq/head_age.h"

#include <algorithm>
#include <cmath>

namespace sidelight {
namespace {

// Ready messages and publishes are counted by different processes of the broker at different times; a head
// that seems to go back a little must still find its points.
constexpr Nanos kAlwaysKept = std::chrono::minutes(1);

}  // namespace

void HeadAge::observe(MonoTime at, double published, double depth) {
  if (points_.empty()) {
    last_counter_ = published;
    points_.push_back({at, 0});
    return;
  }
  if (at <= points_.back().at) return;
  const double grown = published >= last_counter_ ? published - last_counter_ : published;
  last_counter_ = published;
  const double total = points_.back().published + grown;
  // A stretch without publishes needs its two ends only.
  const std::size_t n = points_.size();
  if (n >= 2 && points_[n - 1].published == total && points_[n - 2].published == total)
    points_.back().at = at;
  else
    points_.push_back({at, total});
  forget(depth);
  if (points_.size() > kMaxPoints) thin();
}

// Drops points that no message of the queue can be as old as; the youngest of those stays.
void HeadAge::forget(double depth) {
  const double oldest = points_.back().published - depth;
  const MonoTime recent = points_.back().at - kAlwaysKept;
  std::size_t drop = 0;
  while (drop + 1 < points_.size() && points_[drop + 1].published <= oldest && points_[drop + 1].at <= recent)
    ++drop;
  points_.erase(points_.begin(), points_.begin() + static_cast<std::ptrdiff_t>(drop));
}

void HeadAge::thin() {
  for (double share = 1.0 / 32; points_.size() > kMaxPoints; share *= 2) {
    const MonoTime now = points_.back().at;
    std::vector<Point> kept;
    kept.reserve(points_.size());
    kept.push_back(points_.front());
    for (std::size_t i = 1; i + 1 < points_.size(); ++i) {
      const auto gap = std::chrono::duration<double>(points_[i + 1].at - kept.back().at);
      const auto age = std::chrono::duration<double>(now - points_[i].at);
      if (gap > age * share) kept.push_back(points_[i]);
    }
    kept.push_back(points_.back());
    points_ = std::move(kept);
  }
}

std::optional<Nanos> HeadAge::age(MonoTime now, double ready) const {
  if (points_.empty() || ready < 1) return std::nullopt;
  // Between the counts `before` and `before + 1` the message came.
  const double before = points_.back().published - ready;
  const auto after = std::upper_bound(points_.begin(), points_.end(), before,
                                      [](double count, const Point& p) { return count < p.published; });
  if (after == points_.begin()) return now - points_.front().at;
  if (after == points_.end()) return Nanos(0);
  const Point& a = *(after - 1);
  const double position = std::min((before + 0.5 - a.published) / (after->published - a.published), 1.0);
  const auto offset = std::chrono::duration<double, std::nano>(after->at - a.at) * position;
  return now - (a.at + Nanos(std::llround(offset.count())));
}

}  // namespace sidelight

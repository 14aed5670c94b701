// The last quarter of an hour of what the status page draws, so that the page has a past when it is opened.
#pragma once

#include <cstddef>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "agent/base/clock.h"

namespace sidelight {

// Thread-safe. Bounded: kPoints points of at most kMaxSeries series; further series are not drawn. A series
// that is absent has a gap.
class History {
 public:
  static constexpr std::size_t kPoints = 90;
  static constexpr Nanos kInterval = std::chrono::seconds(10);
  static constexpr std::size_t kMaxSeries = 200;

  // Whether a sample is due.
  bool due(MonoTime now) const;
  // `page` is what /metrics answers.
  void sample(MonoTime now, std::string_view page);

  struct Series {
    std::string
        id;  // "mes_queue_depth{queue=\"a\"}", or only the name for a sum over all series of a counter
    std::vector<double> points;  // the last is the newest; NaN: absent then
  };
  // Sorted by id, all of the same length.
  std::vector<Series> series() const;

 private:
  struct Ring {
    std::vector<double> points;
    std::size_t last_seen = 0;
  };
  mutable std::mutex mutex_;
  std::map<std::string, Ring, std::less<>> rings_;
  std::size_t samples_ = 0;
  MonoTime last_{};
};

}  // namespace sidelight

// Bounds the label sets of each metric of one target.
#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "agent/base/clock.h"

namespace sidelight {

// Label sets once admitted stay admitted until they have been absent for kForget: a set that comes and goes
// keeps its series, and names that are gone for good make room. One thread at a time.
class SeriesCap {
 public:
  static constexpr Nanos kForget = std::chrono::hours(1);

  // Whether this label set of the metric may be shown, now that it is there.
  bool admit(std::string_view metric, const std::vector<std::pair<std::string, std::string>>& labels,
             std::size_t limit, MonoTime now);
  // Label sets that are remembered, of all metrics.
  std::size_t size() const;

 private:
  using Labels = std::vector<std::pair<std::string, std::string>>;
  struct Metric {
    std::map<Labels, MonoTime> seen;
    MonoTime next_sweep{};
  };
  std::map<std::string, Metric, std::less<>> metrics_;
};

}  // namespace sidelight

#include "collectors/framework/series_cap.h"

namespace sidelight {
namespace {

// A full set is swept this often at most.
constexpr Nanos kSweep = std::chrono::minutes(1);

}  // namespace

bool SeriesCap::admit(std::string_view metric, const Labels& labels, std::size_t limit, MonoTime now) {
  auto it = metrics_.find(metric);
  if (it == metrics_.end()) it = metrics_.emplace(std::string(metric), Metric{}).first;
  Metric& m = it->second;
  if (const auto known = m.seen.find(labels); known != m.seen.end()) {
    known->second = now;
    return true;
  }
  if (m.seen.size() >= limit) {
    if (now < m.next_sweep) return false;
    m.next_sweep = now + kSweep;
    std::erase_if(m.seen, [&](const auto& entry) { return now - entry.second >= kForget; });
    if (m.seen.size() >= limit) return false;
  }
  m.seen.emplace(labels, now);
  return true;
}

std::size_t SeriesCap::size() const {
  std::size_t n = 0;
  for (const auto& [name, metric] : metrics_) n += metric.seen.size();
  return n;
}

}  // namespace sidelight

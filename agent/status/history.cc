#include "agent/status/history.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>

namespace sidelight {
namespace {

enum class Draw {
  each,  // every series of the metric
  sum,   // one line for all of them
};

struct Wanted {
  std::string_view name;
  Draw draw;
  std::string_view holds = {};  // only series whose labels hold this text
  std::string_view id = {};     // of a sum, where the name alone would not tell
};

constexpr auto kWanted = std::to_array<Wanted>({
    {"app_log_events_total", Draw::sum, "level=\"error\"", "app_errors"},
    {"app_requests_total", Draw::sum},
    {"app_requests_total", Draw::sum, "status_class=\"5xx\"", "app_requests_5xx"},
    {"gateway_requests_total", Draw::sum},
    {"gateway_requests_total", Draw::sum, "status_class=\"5xx\"", "gateway_requests_5xx"},
    {"mes_cache_hit_ratio", Draw::each},
    {"mes_price_calculations_total", Draw::sum},
    {"mes_queue_depth", Draw::each},
    {"sidelight_input_lag_bytes", Draw::each},
    {"sidelight_read_lines_total", Draw::each},
    {"sidelight_shipped_events_total", Draw::sum},
});

constexpr double kAbsent = std::numeric_limits<double>::quiet_NaN();

// "name{labels} value" -> the parts; false for comments and what is no sample.
bool split(std::string_view line, std::string_view& name, std::string_view& labels, double& value) {
  if (line.empty() || line.front() == '#') return false;
  const std::size_t space = line.rfind(' ');
  if (space == std::string_view::npos) return false;
  const std::string_view text = line.substr(space + 1);
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return false;
  const std::string_view id = line.substr(0, space);
  const std::size_t brace = std::min(id.find('{'), id.size());
  name = id.substr(0, brace);
  labels = id.substr(brace);
  return true;
}

void gather(std::string_view page, std::map<std::string, double, std::less<>>& out) {
  while (!page.empty()) {
    const std::size_t end = std::min(page.find('\n'), page.size());
    const std::string_view line = page.substr(0, end);
    page.remove_prefix(std::min(end + 1, page.size()));
    std::string_view name;
    std::string_view labels;
    double value = 0;
    if (!split(line, name, labels, value)) continue;
    for (const Wanted& w : kWanted) {
      if (w.name != name || (!w.holds.empty() && labels.find(w.holds) == std::string_view::npos)) continue;
      std::string id(w.id.empty() ? name : w.id);
      if (w.draw == Draw::each) id += labels;
      out[std::move(id)] += value;
    }
  }
}

}  // namespace

bool History::due(MonoTime now) const {
  const std::lock_guard lock(mutex_);
  return samples_ == 0 || now - last_ >= kInterval;
}

void History::sample(MonoTime now, std::string_view page) {
  std::map<std::string, double, std::less<>> found;
  gather(page, found);
  const std::lock_guard lock(mutex_);
  last_ = now;
  const std::size_t slot = samples_ % kPoints;
  ++samples_;
  for (auto& [id, ring] : rings_) ring.points[slot] = kAbsent;
  for (const auto& [id, value] : found) {
    auto it = rings_.find(id);
    if (it == rings_.end()) {
      if (rings_.size() >= kMaxSeries) continue;
      it = rings_.emplace(id, Ring{std::vector<double>(kPoints, kAbsent), 0}).first;
    }
    it->second.points[slot] = value;
    it->second.last_seen = samples_;
  }
  std::erase_if(rings_, [&](const auto& r) { return samples_ - r.second.last_seen >= kPoints; });
}

std::vector<History::Series> History::series() const {
  const std::lock_guard lock(mutex_);
  const std::size_t n = std::min(samples_, kPoints);
  std::vector<Series> out;
  for (const auto& [id, ring] : rings_) {
    Series s{id, {}};
    for (std::size_t i = samples_ - n; i < samples_; ++i) s.points.push_back(ring.points[i % kPoints]);
    out.push_back(std::move(s));
  }
  return out;
}

}  // namespace sidelight

#include "collectors/postgres/status_shares.h"

#include <algorithm>

namespace sidelight {

double value_share(const ColumnStatistics& s, double rows, const std::string& value) {
  const auto it = std::ranges::find(s.values, value, &ColumnStatistics::Value::value);
  if (it != s.values.end()) return it->share;
  const double distinct = s.distinct >= 0 ? s.distinct : -s.distinct * rows;
  const double others = distinct - s.common_count;
  const double left = 1 - s.null_fraction - s.common_share;
  if (others < 1 || left <= 0) return 0;
  return std::min(left / others, s.least_common);
}

double hot_share(const ColumnStatistics& s, double rows, const std::vector<std::string>& hot) {
  double sum = 0;
  for (const std::string& value : hot) sum += value_share(s, rows, value);
  return std::clamp(sum, 0.0, 1.0);
}

}  // namespace sidelight

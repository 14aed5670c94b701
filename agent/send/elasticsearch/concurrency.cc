#include "agent/send/elasticsearch/concurrency.h"

#include <algorithm>

namespace sidelight {

void ConcurrencyLimit::on_success() {
  limit_ = std::min(static_cast<double>(max_), limit_ + 1.0 / limit_);
}

void ConcurrencyLimit::on_overload(MonoTime started, MonoTime now) {
  if (started < last_decrease_) return;
  limit_ = std::max(1.0, limit_ / 2);
  last_decrease_ = now;
}

}  // namespace sidelight

#include "agent/observe/log_limiter.h"

#include <algorithm>
#include <utility>

namespace sidelight {

std::optional<std::uint64_t> LogLimiter::admit(std::string_view key, MonoTime now) {
  Bucket& b = bucket(key, now);
  const auto earned = (now - b.refilled) / kRefill;
  if (earned > 0) {
    b.tokens =
        static_cast<int>(std::min<std::int64_t>(kBurst, b.tokens + std::min<std::int64_t>(earned, kBurst)));
    b.refilled += earned * kRefill;
  }
  if (b.tokens == 0) {
    ++b.suppressed;
    return std::nullopt;
  }
  // A full bucket earns nothing: what it will earn counts from the first message that leaves it.
  if (b.tokens == kBurst) b.refilled = now;
  --b.tokens;
  return std::exchange(b.suppressed, 0);
}

LogLimiter::Bucket& LogLimiter::bucket(std::string_view key, MonoTime now) {
  if (auto it = buckets_.find(key); it != buckets_.end()) return it->second;
  if (buckets_.size() >= kMaxKeys) forget_idle(now);
  if (buckets_.size() < kMaxKeys)
    return buckets_.emplace(key, Bucket{.tokens = kBurst, .refilled = now, .suppressed = 0}).first->second;
  if (!shared_in_use_) {
    shared_in_use_ = true;
    shared_.refilled = now;
  }
  return shared_;
}

// A bucket that is full again knows nothing worth keeping, unless it still has to tell what it held back.
void LogLimiter::forget_idle(MonoTime now) {
  std::erase_if(buckets_, [&](const auto& entry) {
    return entry.second.suppressed == 0 && now - entry.second.refilled >= kBurst * kRefill;
  });
}

}  // namespace sidelight

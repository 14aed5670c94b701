#include "agent/observe/log_limiter.h"

#include <algorithm>
#include <utility>

namespace sidelight {

void LogLimiter::refill(Bucket& b, int burst, MonoTime now) {
  const auto earned = (now - b.refilled) / kRefill;
  if (earned > 0) {
    b.tokens =
        static_cast<int>(std::min<std::int64_t>(burst, b.tokens + std::min<std::int64_t>(earned, burst)));
    b.refilled += earned * kRefill;
  }
  // A full bucket earns nothing: what it will earn counts from the first message that leaves it.
  if (b.tokens == burst) b.refilled = now;
}

std::optional<std::uint64_t> LogLimiter::admit(std::string_view key, MonoTime now) {
  const auto space = key.find(' ');
  Bucket* family = nullptr;
  if (space != std::string_view::npos) {
    const std::string_view word = key.substr(0, space + 1);  // with its space: no key is the same
    const bool fresh = !buckets_.contains(word);
    family = &bucket(word, now);
    if (family == &shared_) {
      family = nullptr;
    } else {
      if (fresh) family->tokens = kFamilyBurst;
      refill(*family, kFamilyBurst, now);
      if (family->tokens == 0) {
        ++family->suppressed;
        return std::nullopt;
      }
    }
  }
  Bucket& b = bucket(key, now);
  refill(b, kBurst, now);
  if (b.tokens == 0) {
    ++(family != nullptr ? *family : b).suppressed;
    return std::nullopt;
  }
  --b.tokens;
  std::uint64_t held_back = std::exchange(b.suppressed, 0);
  if (family != nullptr) {
    --family->tokens;
    held_back += std::exchange(family->suppressed, 0);
  }
  return held_back;
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

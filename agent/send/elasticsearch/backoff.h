// How long to wait before the next try.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <random>
#include <string_view>

#include "agent/base/clock.h"

namespace sidelight {

// Exponential with full jitter: uniform in (0, min(cap, initial * 2^attempt)], so that a hundred pods do not
// come back at once. One thread. The same seed gives the same waits.
class Backoff {
 public:
  Backoff(std::chrono::milliseconds initial, std::chrono::milliseconds cap, std::uint64_t seed);
  // `attempt` counts from 0. `retry_after`, what the destination asked for, is the least to wait (up to ten
  // minutes).
  Nanos wait(unsigned attempt, std::optional<std::chrono::seconds> retry_after);
  // While draining no wait is longer than this, and nobody's Retry-After counts: the process is about to end.
  void set_draining(bool on) { draining_ = on; }
  std::uint64_t random(std::uint64_t below);

 private:
  std::chrono::milliseconds initial_;
  std::chrono::milliseconds cap_;
  std::mt19937_64 rng_;
  bool draining_ = false;
};

inline constexpr std::chrono::milliseconds kDrainWait{250};

// Both forms of RFC 9110 10.2.3: seconds, or an HTTP date ("Sun, 06 Nov 1994 08:49:37 GMT"), read relative to
// `wall`. Nothing when it is neither; zero when it is in the past.
std::optional<std::chrono::seconds> parse_retry_after(std::string_view value, WallNanos wall);

}  // namespace sidelight

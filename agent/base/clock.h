// The only door to time. Stages take a Clock&; tests hand them one that they step.
#pragma once

#include <chrono>
#include <cstdint>

namespace sidelight {

using Nanos = std::chrono::nanoseconds;
// Monotonic time, for intervals and deadlines; the epoch means nothing.
using MonoTime = std::chrono::time_point<std::chrono::steady_clock, Nanos>;
// UTC nanoseconds since 1970-01-01, for timestamps in documents.
using WallNanos = std::int64_t;

// Thread-safe.
class Clock {
 public:
  virtual ~Clock() = default;
  virtual MonoTime now() const = 0;
  virtual WallNanos wall() const = 0;
};

class SystemClock final : public Clock {
 public:
  MonoTime now() const override;
  WallNanos wall() const override;
};

}  // namespace sidelight

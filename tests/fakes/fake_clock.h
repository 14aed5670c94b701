// A clock that stands still until a test steps it.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>

#include "agent/base/clock.h"

namespace sidelight {

// Thread-safe. Both times move together; set_wall() alone plays an administrator who sets the clock.
class FakeClock final : public Clock {
 public:
  explicit FakeClock(WallNanos wall = 1'763'800'000'000'000'000) : wall_(wall) {}
  MonoTime now() const override { return MonoTime(Nanos(mono_.load())); }
  WallNanos wall() const override { return wall_.load(); }
  void advance(Nanos by) {
    mono_ += by.count();
    wall_ += by.count();
  }
  void set_wall(WallNanos wall) { wall_ = wall; }

 private:
  std::atomic<std::int64_t> mono_{1'000'000'000};
  std::atomic<WallNanos> wall_;
};

}  // namespace sidelight

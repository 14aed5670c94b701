#include "agent/base/clock.h"

namespace sidelight {

MonoTime SystemClock::now() const {
  return std::chrono::steady_clock::now();
}

WallNanos SystemClock::wall() const {
  return std::chrono::duration_cast<Nanos>(std::chrono::system_clock::now().time_since_epoch()).count();
}

}  // namespace sidelight

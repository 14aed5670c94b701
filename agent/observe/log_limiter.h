// How many log messages of one key may pass.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "agent/base/clock.h"

namespace sidelight {

// A token bucket a key: kBurst messages at once, then one every kRefill. Bounded: when kMaxKeys are known and
// none of them has been quiet for long enough to be forgotten, further keys share one bucket.
// A key may name what it is about behind a space ("tail.unreadable PATH"): all keys with the same first word
// then share a second bucket of kFamilyBurst messages, so that many files with one trouble are not many
// messages.
// Caller synchronises.
class LogLimiter {
 public:
  static constexpr std::size_t kMaxKeys = 1000;
  static constexpr int kBurst = 10;
  static constexpr int kFamilyBurst = 20;
  static constexpr Nanos kRefill = std::chrono::seconds(10);

  // Empty: do not write this message. Else the number of messages of the key that were held back since the
  // last one that passed; with them those of its family.
  std::optional<std::uint64_t> admit(std::string_view key, MonoTime now);

 private:
  struct Bucket {
    int tokens = kBurst;
    MonoTime refilled{};
    std::uint64_t suppressed = 0;
  };
  static void refill(Bucket& b, int burst, MonoTime now);
  Bucket& bucket(std::string_view key, MonoTime now);
  void forget_idle(MonoTime now);

  std::map<std::string, Bucket, std::less<>> buckets_;
  Bucket shared_;
  bool shared_in_use_ = false;
};

}  // namespace sidelight

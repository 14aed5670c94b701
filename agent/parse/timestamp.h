// Times as loggers write them, to UTC nanoseconds since 1970. Times before 1970 or after 2261 are no
// timestamps.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string_view>

#include "agent/parse/time_zone.h"

namespace sidelight {

// The second that was read last, as text and as a number: neighbours mostly share it. One thread.
struct TimeMemory {
  static constexpr std::size_t kLength = 19;  // "2026-11-22T20:01:02"
  std::array<char, kLength> text{};
  std::int64_t seconds = 0;  // since 1970, as if it were UTC

  // Whether the kLength bytes at `p` are that second.
  bool is_at(const char* p) const {
    const auto same = [&](std::size_t at) {  // eight bytes
      std::uint64_t a = 0;
      std::uint64_t b = 0;
      std::memcpy(&a, p + at, sizeof a);
      std::memcpy(&b, text.data() + at, sizeof b);
      return a == b;
    };
    return same(kLength - 8) && same(kLength - 16) && same(0);
  }
};

// What a time that does not say everything is completed with.
struct TimeContext {
  const TimeZone* zone = nullptr;  // for times without a zone; never null
  std::int64_t now_ns = 0;  // for times without a year: the nearest year that is not more than a day ahead
  TimeMemory* memory = nullptr;  // or none
};

struct TimeMatch {
  std::int64_t ns = 0;
  std::size_t length = 0;  // bytes that belong to the time, its zone included
};

// The time that `text` begins with, in one of these forms (fractions of one to nine digits behind '.' or ',',
// further digits ignored; zones Z, +hh, +hhmm, +hh:mm, an abbreviation of the configured zone, or one that
// offset_named() knows; optional where not said otherwise):
//   2026-11-22T20:01:02.123Z        RFC 3339, ISO 8601, Java, Python, PostgreSQL, RabbitMQ; also with a
//   blank, '_' or '/' in the date 20261122T200102Z, 20261122 20:01:02.123456 17/06/09 20:10:40 Hadoop, Spark:
//   year, month, day 22/Nov/2026:20:01:02 +0300      nginx, Apache 22 Nov 2026 20:01:02.123        Redis;
//   22-Nov-2026 20:01:02.123 Tomcat Nov 22 20:01:02                 syslog; Nov 22, 2026 8:01:02 PM
//   java.util.logging Sun Nov 22 20:01:02.123456 2026 Apache errors, ctime; Sun Nov 22 20:01:02 UTC 2026
//   date(1) Sun, 22 Nov 2026 20:01:02 GMT   RFC 1123
//   22.11.2026 20:01:02,123         day, month, year, as Russian and German programs write it; with a comma
//                                   behind the year, too
// A match ends where the next character is no digit or letter.
std::optional<TimeMatch> match_time(std::string_view text, const TimeContext& context);

// The month and day of glog and klog ("1122 20:01:02.123456", also "20261122 20:01:02.123456"), without the
// level letter before.
std::optional<TimeMatch> match_glog_time(std::string_view text, const TimeContext& context);

// A whole value (blanks around it are ignored): one of the forms above or a number as epoch_to_ns() takes it.
std::optional<std::int64_t> parse_time(std::string_view value, const TimeContext& context);

// parse_time() of "2026-11-22T20:01:02.123Z" in the second that was read last; nothing for all others.
inline std::optional<std::int64_t> parse_time_in_known_second(std::string_view value,
                                                              const TimeContext& context) {
  constexpr std::size_t kSecond = TimeMemory::kLength;
  const char* const p = value.data();
  if (value.size() != kSecond + 5 || context.memory == nullptr || !context.memory->is_at(p) ||
      p[kSecond] != '.' || p[kSecond + 4] != 'Z')
    return std::nullopt;
  const auto digit = [&](std::size_t i) {
    return static_cast<unsigned>(static_cast<unsigned char>(p[kSecond + i])) - '0';
  };
  const unsigned a = digit(1);
  const unsigned b = digit(2);
  const unsigned c = digit(3);
  if (a > 9 || b > 9 || c > 9) return std::nullopt;
  return context.memory->seconds * 1'000'000'000 + std::int64_t{a * 100 + b * 10 + c} * 1'000'000;
}

// Seconds, milliseconds, microseconds or nanoseconds since 1970, told apart by magnitude; decimals and
// exponents are fine. Numbers below 1e8 (March 1973 in seconds) are durations or counters rather than times,
// and give nothing.
std::optional<std::int64_t> epoch_to_ns(std::string_view number);

}  // namespace sidelight

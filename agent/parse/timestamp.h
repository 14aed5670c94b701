// Times as loggers write them, to UTC nanoseconds since 1970. Times before 1970 or after 2261 are no
// timestamps.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "agent/parse/time_zone.h"

namespace sidelight {

// The second that was read last, as text and as a number: neighbours mostly share it. One thread.
struct TimeMemory {
  std::array<char, 19> text{};  // "2026-11-22T20:01:02"
  std::int64_t seconds = 0;     // since 1970, as if it were UTC
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

// Seconds, milliseconds, microseconds or nanoseconds since 1970, told apart by magnitude; decimals and
// exponents are fine. Numbers below 1e8 (March 1973 in seconds) are durations or counters rather than times,
// and give nothing.
std::optional<std::int64_t> epoch_to_ns(std::string_view number);

}  // namespace sidelight

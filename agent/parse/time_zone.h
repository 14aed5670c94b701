// Offsets of local times from UTC, for log lines that name no zone.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agent/base/error.h"

namespace sidelight {

// Immutable after load(), so shared freely between threads. Reads neither TZ nor /etc/localtime.
class TimeZone {
 public:
  // UTC.
  TimeZone() = default;

  // "UTC", "GMT", "Z", "+03:00", "+0300", "-05", or an IANA name ("Europe/Moscow"), whose rules come from the
  // system's zone files (TZif, RFC 8536). The error says which names are understood.
  static Expected<TimeZone> load(const std::string& name);
  // From the bytes of a TZif file.
  static Expected<TimeZone> from_tzif(std::string_view bytes);

  // Seconds to subtract from a local time (seconds since 1970-01-01 00:00 local) to get UTC. An hour that
  // happens twice is taken as its first time, an hour that is skipped as if the clock had not been moved yet.
  std::int64_t offset_of_local(std::int64_t local_seconds) const;
  // Whether the zone calls itself `abbreviation` ("MSK") at some time.
  bool knows_abbreviation(std::string_view abbreviation) const;
  // As offset_of_local(), of a time that is said to be `abbreviation`: tells the two times of an hour that
  // happens twice apart. Nothing when the zone does not call itself so then.
  std::optional<std::int64_t> offset_of_local(std::int64_t local_seconds,
                                              std::string_view abbreviation) const;

 private:
  // A day rule of a POSIX TZ string.
  struct YearRule {
    enum class Kind { julian_without_leap, day_of_year, month_week_day } kind = Kind::month_week_day;
    int month = 0;  // or the day number
    int week = 0;
    int weekday = 0;
    std::int64_t time = 7200;  // local seconds of the day; may be negative or beyond a day
  };
  struct Footer {
    bool has_dst = false;
    std::int64_t standard = 0;  // offsets east of UTC
    std::int64_t daylight = 0;
    YearRule to_daylight;
    YearRule to_standard;
  };
  friend class PosixRuleReader;

  std::int64_t offset_at_utc(std::int64_t utc_seconds) const;
  std::int64_t footer_offset(std::int64_t utc_seconds) const;
  static std::int64_t rule_second(const YearRule& rule, std::int64_t year);

  std::vector<std::int64_t> transitions_;  // UTC seconds, ascending
  std::vector<std::int64_t> offsets_;      // in force from transitions_[i] on
  std::int64_t first_offset_ = 0;          // before the first transition
  Footer footer_;
  struct Name {
    std::string abbreviation;
    std::int64_t offset = 0;
  };
  std::vector<Name> names_;
};

// Seconds east of UTC of an abbreviation that means the same wherever it is written (UTC, MSK, CEST ...);
// nothing for others, those among them that several zones have (IST, CST, BST, EST ...).
std::optional<std::int64_t> offset_named(std::string_view abbreviation);

}  // namespace sidelight

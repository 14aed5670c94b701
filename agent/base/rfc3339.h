// Writes times as documents carry them: RFC 3339, UTC, 'Z'.
#pragma once

#include <cstddef>
#include <cstdint>

namespace sidelight {

inline constexpr std::size_t kRfc3339Max = 30;

// Remembers the last time and its second, since neighbouring lines mostly share one or the other.
// Caller-owned, one thread.
struct Rfc3339Cache {
  std::int64_t ns = INT64_MIN;
  std::size_t length = 0;              // of the text for `ns`; 0: none yet
  std::int64_t second_ns = INT64_MAX;  // where the text's second begins; INT64_MAX: before 1970, or none
  char text[kRfc3339Max + 2] = {};     // begins with the second
};

// Writes `ns` (UTC nanoseconds since 1970) to `out`, which has room for kRfc3339Max bytes: milliseconds, or
// six or nine digits where the value has them. Every int64 is fine (years 1677 to 2262). No terminating zero.
// Returns the length.
std::size_t write_rfc3339(char* out, std::int64_t ns);
std::size_t write_rfc3339(char* out, std::int64_t ns, Rfc3339Cache& cache);

// A day of the proleptic Gregorian calendar.
struct CivilDate {
  int year;
  unsigned month;  // 1..12
  unsigned day;    // 1..31
};

// Days since 1970-01-01, and back, by counting in 400-year eras that begin on 1 March (so that the leap day
// is the last of a year).
constexpr std::int64_t days_from_civil(std::int64_t year, unsigned month, unsigned day) {
  const std::int64_t y = month <= 2 ? year - 1 : year;
  const std::int64_t era = (y >= 0 ? y : y - 399) / 400;
  const auto year_of_era = static_cast<unsigned>(y - era * 400);
  const unsigned day_of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
  const unsigned day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
  return era * 146097 + static_cast<std::int64_t>(day_of_era) - 719468;
}

constexpr CivilDate civil_from_days(std::int64_t days) {
  const std::int64_t z = days + 719468;
  const std::int64_t era = (z >= 0 ? z : z - 146096) / 146097;
  const auto day_of_era = static_cast<unsigned>(z - era * 146097);
  const unsigned year_of_era =
      (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
  const unsigned day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  const unsigned mp = (5 * day_of_year + 2) / 153;
  const unsigned month = mp < 10 ? mp + 3 : mp - 9;
  const auto year =
      static_cast<int>(static_cast<std::int64_t>(year_of_era) + era * 400 + (month <= 2 ? 1 : 0));
  return {year, month, day_of_year - (153 * mp + 2) / 5 + 1};
}

}  // namespace sidelight

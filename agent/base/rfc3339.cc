#include "agent/base/rfc3339.h"

#include <cstring>

namespace sidelight {
namespace {

constexpr std::int64_t kNanosPerSecond = 1'000'000'000;
constexpr std::int64_t kSecondsPerDay = 86'400;
constexpr std::size_t kSecondText = 20;  // "2026-11-22T20:01:02."

void put_digits(char* to, unsigned value, std::size_t count) {
  for (std::size_t i = count; i-- > 0; value /= 10) to[i] = static_cast<char>('0' + value % 10);
}

void write_second(char* out, std::int64_t second) {
  std::int64_t days = second / kSecondsPerDay;
  std::int64_t of_day = second % kSecondsPerDay;
  if (of_day < 0) {
    of_day += kSecondsPerDay;
    --days;
  }
  const CivilDate date = civil_from_days(days);
  const auto s = static_cast<unsigned>(of_day);
  std::memcpy(out, "0000-00-00T00:00:00.", kSecondText);
  put_digits(out, static_cast<unsigned>(date.year), 4);
  put_digits(out + 5, date.month, 2);
  put_digits(out + 8, date.day, 2);
  put_digits(out + 11, s / 3600, 2);
  put_digits(out + 14, s / 60 % 60, 2);
  put_digits(out + 17, s % 60, 2);
}

}  // namespace

std::size_t write_rfc3339(char* out, std::int64_t ns, Rfc3339Cache& cache) {
  if (ns != cache.ns || cache.length == 0) {
    std::int64_t rest = ns > cache.second_ns ? ns - cache.second_ns : kNanosPerSecond;
    if (rest >= kNanosPerSecond) {
      std::int64_t second = ns / kNanosPerSecond;
      rest = ns % kNanosPerSecond;
      if (rest < 0) {
        rest += kNanosPerSecond;
        --second;
      }
      write_second(cache.text, second);
      cache.second_ns = second >= 0 ? second * kNanosPerSecond : INT64_MAX;
    }
    char* const fraction = cache.text + kSecondText;
    const auto nanos = static_cast<unsigned>(rest);
    const unsigned millis = nanos / 1'000'000;
    std::size_t digits = 3;
    if (millis * 1'000'000 == nanos) {
      fraction[0] = static_cast<char>('0' + millis / 100);
      fraction[1] = static_cast<char>('0' + millis / 10 % 10);
      fraction[2] = static_cast<char>('0' + millis % 10);
    } else if (nanos % 1'000 == 0) {
      put_digits(fraction, nanos / 1'000, digits = 6);
    } else {
      put_digits(fraction, nanos, digits = 9);
    }
    fraction[digits] = 'Z';
    cache.length = kSecondText + digits + 1;
    cache.ns = ns;
  }
  std::memcpy(out, cache.text, kRfc3339Max);  // all of it: a fixed size is no call
  return cache.length;
}

std::size_t write_rfc3339(char* out, std::int64_t ns) {
  Rfc3339Cache cache;
  return write_rfc3339(out, ns, cache);
}

}  // namespace sidelight

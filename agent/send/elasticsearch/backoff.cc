#include "agent/send/elasticsearch/backoff.h"

#include <algorithm>
#include <array>
#include <charconv>

namespace sidelight {
namespace {

constexpr std::chrono::seconds kMostRetryAfter{600};

std::optional<int> number(std::string_view s) {
  int v = 0;
  const auto [end, error] = std::from_chars(s.data(), s.data() + s.size(), v);
  if (error != std::errc() || end != s.data() + s.size() || v < 0) return std::nullopt;
  return v;
}

// "Sun, 06 Nov 1994 08:49:37 GMT", the only form that senders may produce.
std::optional<std::chrono::sys_seconds> parse_http_date(std::string_view s) {
  constexpr std::array<std::string_view, 12> kMonths = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                        "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  if (s.size() != 29 || s.substr(25) != " GMT" || s[19] != ':' || s[22] != ':') return std::nullopt;
  const auto day = number(s.substr(5, 2));
  const auto month = std::find(kMonths.begin(), kMonths.end(), s.substr(8, 3));
  const auto year = number(s.substr(12, 4));
  const auto hour = number(s.substr(17, 2));
  const auto minute = number(s.substr(20, 2));
  const auto second = number(s.substr(23, 2));
  if (!day || month == kMonths.end() || !year || !hour || !minute || !second) return std::nullopt;
  const std::chrono::year_month_day date{
      std::chrono::year(*year), std::chrono::month(static_cast<unsigned>(month - kMonths.begin()) + 1),
      std::chrono::day(static_cast<unsigned>(*day))};
  if (!date.ok()) return std::nullopt;
  return std::chrono::sys_days(date) + std::chrono::hours(*hour) + std::chrono::minutes(*minute) +
         std::chrono::seconds(*second);
}

}  // namespace

Backoff::Backoff(std::chrono::milliseconds initial, std::chrono::milliseconds cap, std::uint64_t seed)
    : initial_(std::max(initial, std::chrono::milliseconds(1))), cap_(std::max(cap, initial_)), rng_(seed) {}

std::uint64_t Backoff::random(std::uint64_t below) {
  return below < 2 ? 0 : rng_() % below;
}

Nanos Backoff::wait(unsigned attempt, std::optional<std::chrono::seconds> retry_after) {
  const auto doubled = initial_.count() << std::min(attempt, 30u);
  const auto ceiling = std::min<std::int64_t>(cap_.count(), std::max(doubled, initial_.count()));
  const std::chrono::milliseconds jittered(
      static_cast<std::int64_t>(random(static_cast<std::uint64_t>(ceiling))) + 1);
  if (draining_) return std::min(jittered, kDrainWait);
  if (!retry_after) return jittered;
  // Spread over a tenth of it, so that everyone who was told the same second does not return in it.
  const Nanos asked = std::min<Nanos>(*retry_after, kMostRetryAfter);
  return std::max<Nanos>(jittered, asked + std::min<Nanos>(jittered, asked / 10));
}

std::optional<std::chrono::seconds> parse_retry_after(std::string_view value, WallNanos wall) {
  if (const auto seconds = number(value)) return std::chrono::seconds(*seconds);
  const auto date = parse_http_date(value);
  if (!date) return std::nullopt;
  const auto wait = date->time_since_epoch() - std::chrono::seconds(wall / 1'000'000'000);
  return std::max(wait, std::chrono::seconds(0));
}

}  // namespace sidelight

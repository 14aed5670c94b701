#include "config/quantities.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>

namespace sidelight {
namespace {

struct Unit {
  std::string_view name;
  std::int64_t factor;
};

constexpr std::int64_t kKi = 1024;
constexpr auto kByteUnits = std::to_array<Unit>({
    {"", 1},
    {"B", 1},
    {"KiB", kKi},
    {"MiB", kKi* kKi},
    {"GiB", kKi* kKi* kKi},
    {"TiB", kKi* kKi* kKi* kKi},
    {"Ki", kKi},
    {"Mi", kKi* kKi},
    {"Gi", kKi* kKi* kKi},
    {"Ti", kKi* kKi* kKi* kKi},
    {"KB", 1000},
    {"MB", 1000 * 1000},
    {"GB", 1000 * 1000 * 1000},
    {"TB", std::int64_t{1000} * 1000 * 1000 * 1000},
});
constexpr auto kTimeUnits = std::to_array<Unit>({{"ms", 1}, {"s", 1000}, {"m", 60'000}, {"h", 3'600'000}});

template <std::size_t N>
std::optional<std::int64_t> factor_of(const std::array<Unit, N>& units, std::string_view name) {
  const auto it = std::find_if(units.begin(), units.end(), [&](const Unit& u) { return u.name == name; });
  if (it == units.end()) return std::nullopt;
  return it->factor;
}

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

// Takes the leading digits off `text`.
std::optional<std::int64_t> take_number(std::string_view& text) {
  if (text.empty() || !is_digit(text.front())) return std::nullopt;
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{}) return std::nullopt;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return value;
}

std::optional<std::int64_t> multiply(std::int64_t value, std::int64_t factor) {
  if (value > std::numeric_limits<std::int64_t>::max() / factor) return std::nullopt;
  return value * factor;
}

}  // namespace

std::optional<std::int64_t> parse_integer(std::string_view text) {
  std::int64_t value = 0;
  const char* last = text.data() + text.size();
  const auto [end, error] = std::from_chars(text.data(), last, value);
  if (text.empty() || error != std::errc{} || end != last) return std::nullopt;
  return value;
}

std::optional<std::int64_t> parse_bytes(std::string_view text) {
  const auto value = take_number(text);
  if (!value) return std::nullopt;
  if (text.starts_with(' ')) text.remove_prefix(1);
  const auto factor = factor_of(kByteUnits, text);
  if (!factor) return std::nullopt;
  return multiply(*value, *factor);
}

std::optional<std::chrono::milliseconds> parse_duration(std::string_view text) {
  if (text.empty()) return std::nullopt;
  std::int64_t total = 0;
  while (!text.empty()) {
    const auto value = take_number(text);
    if (!value) return std::nullopt;
    const auto unit_end = std::find_if(text.begin(), text.end(), is_digit);
    const auto length = static_cast<std::size_t>(unit_end - text.begin());
    const auto factor = factor_of(kTimeUnits, text.substr(0, length));
    if (!factor) return std::nullopt;
    const auto part = multiply(*value, *factor);
    if (!part || *part > std::numeric_limits<std::int64_t>::max() - total) return std::nullopt;
    total += *part;
    text.remove_prefix(length);
  }
  return std::chrono::milliseconds(total);
}

std::string format_bytes(std::int64_t bytes) {
  for (const std::string_view unit : {"TiB", "GiB", "MiB", "KiB"}) {
    const std::int64_t factor = *factor_of(kByteUnits, unit);
    if (bytes != 0 && bytes % factor == 0) return std::to_string(bytes / factor).append(unit);
  }
  return std::to_string(bytes);
}

std::string format_duration(std::chrono::milliseconds duration) {
  const std::int64_t ms = duration.count();
  for (const std::string_view unit : {"h", "m", "s"}) {
    const std::int64_t factor = *factor_of(kTimeUnits, unit);
    if (ms != 0 && ms % factor == 0) return std::to_string(ms / factor).append(unit);
  }
  return std::to_string(ms) + "ms";
}

std::string format_number(double number) {
  std::array<char, 32> text{};
  const auto [end, error] = std::to_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() ? std::string(text.data(), end) : std::string();
}

}  // namespace sidelight

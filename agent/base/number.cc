#include "agent/base/number.h"

#include <charconv>
#include <cmath>
#include <cstdint>

namespace sidelight {
namespace {

template <class T>
std::optional<T> whole(std::string_view text) {
  T value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

}  // namespace

std::optional<double> parse_number(std::string_view text) {
  const auto number = whole<double>(text);
  return number && std::isfinite(*number) ? number : std::nullopt;
}

std::optional<double> parse_count(std::string_view text) {
  const auto count = whole<std::uint64_t>(text);
  if (!count) return std::nullopt;
  return static_cast<double>(*count);
}

}  // namespace sidelight

#include "agent/base/exception_line.h"

#include <algorithm>
#include <array>
#include <cstddef>

namespace sidelight {
namespace {

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
bool is_name(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || is_digit(c) || c == '_' || c == '.' ||
         c == '$' || c == '`' || c == '+';
}

// Whether the class or, with '$' (Java) or '+' (.NET) between, one around it is called an error.
bool says_error(std::string_view name) {
  name.remove_prefix(name.rfind('.') + 1);
  while (true) {
    const std::string_view part = name.substr(0, name.find_first_of("$+"));
    if (part.ends_with("Exception") || part.ends_with("Error") || part.ends_with("Throwable")) return true;
    if (part.size() == name.size()) return false;
    name.remove_prefix(part.size() + 1);
  }
}

}  // namespace

std::string_view class_name_at(std::string_view line) {
  std::size_t n = 0;
  while (n < line.size() && is_name(line[n])) ++n;
  return n > 0 && !is_digit(line[0]) && line[0] != '.' ? line.substr(0, n) : std::string_view{};
}

std::optional<ExceptionLine> read_exception_line(std::string_view line, ErrorNames names) {
  const std::string_view name = class_name_at(line);
  std::string_view rest = line.substr(name.size());
  if (name.empty() || !(rest.empty() || rest.starts_with(':') || rest.starts_with(" ("))) return std::nullopt;
  if (names != ErrorNames::any && !name.contains('.')) return std::nullopt;
  if (names == ErrorNames::certain && !says_error(name)) return std::nullopt;
  if (rest.starts_with(" (0x")) rest = rest.substr(std::min(rest.find(')') + 1, rest.size()));
  if (!rest.starts_with(':')) return ExceptionLine{name, {}};
  rest.remove_prefix(1);
  rest.remove_prefix(std::min(rest.find_first_not_of(" \t"), rest.size()));
  return ExceptionLine{name, rest};
}

bool is_postgres_detail(std::string_view line) {
  static constexpr auto kWords = std::to_array<std::string_view>(
      {"DETAIL", "HINT", "POSITION", "CONTEXT", "WHERE", "QUERY", "STATEMENT", "LOCATION", "ПОДРОБНОСТИ",
       "ПОДСКАЗКА", "КОНТЕКСТ", "ЗАПРОС", "ОПЕРАТОР", "ПОЛОЖЕНИЕ"});
  static constexpr auto kNumbered = std::to_array<std::string_view>({"LINE ", "СТРОКА "});
  for (const std::string_view word : kWords)
    if (line.starts_with(word)) return line.substr(word.size()).starts_with(": ");
  for (const std::string_view word : kNumbered) {
    if (!line.starts_with(word)) continue;
    const std::string_view rest = line.substr(word.size());
    const std::size_t digits = rest.find_first_not_of("0123456789");
    return digits > 0 && digits < rest.size() && rest.substr(digits).starts_with(": ");
  }
  return false;
}

}  // namespace sidelight

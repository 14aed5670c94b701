#include "agent/parse/key_value.h"

#include <cstddef>

namespace sidelight {
namespace {

bool is_blank(char c) {
  return static_cast<unsigned char>(c) <= ' ';
}

char escaped(char c) {
  switch (c) {
    case 'n':
      return '\n';
    case 't':
      return '\t';
    case 'r':
      return '\r';
    case '"':
      return '"';
    case '\\':
      return '\\';
    default:
      return '\0';
  }
}

// Escapes that are not known stay as they are written.
std::string_view resolve_escapes(std::string_view s, Arena& arena) {
  if (s.find('\\') == std::string_view::npos) return s;
  char* const start = arena.allocate(s.size());
  char* to = start;
  for (std::size_t i = 0; i < s.size(); ++i) {
    const char e = s[i] == '\\' && i + 1 < s.size() ? escaped(s[i + 1]) : '\0';
    *to++ = e != '\0' ? e : s[i];
    if (e != '\0') ++i;
  }
  const auto used = static_cast<std::size_t>(to - start);
  arena.shrink_last(start, s.size(), used);
  return {start, used};
}

// Takes the quoted text that `rest` begins with.
bool take_quoted(std::string_view& rest, Arena& arena, std::string_view& out) {
  for (std::size_t i = 1; i < rest.size(); ++i) {
    if (rest[i] == '\\') {
      ++i;
    } else if (rest[i] == '"') {
      out = resolve_escapes(rest.substr(1, i - 1), arena);
      rest.remove_prefix(i + 1);
      return true;
    }
  }
  return false;
}

}  // namespace

bool next_pair(std::string_view& rest, Arena& arena, Pair& out) {
  while (!rest.empty() && is_blank(rest.front())) rest.remove_prefix(1);
  if (rest.empty()) return false;
  out = {};
  if (rest.front() != '"') {
    std::size_t n = 0;
    while (n < rest.size() && rest[n] != '=' && !is_blank(rest[n]) && rest[n] != '"') ++n;
    if (n < rest.size() && rest[n] == '"') return false;
    out.key = rest.substr(0, n);
    rest.remove_prefix(n);
    if (rest.empty() || rest.front() != '=') return true;
    rest.remove_prefix(1);
  }
  out.has_value = true;
  if (!rest.empty() && rest.front() == '"') {
    out.quoted = true;
    return take_quoted(rest, arena, out.value);
  }
  std::size_t n = 0;
  while (n < rest.size() && !is_blank(rest[n])) ++n;
  out.value = rest.substr(0, n);
  rest.remove_prefix(n);
  return true;
}

}  // namespace sidelight

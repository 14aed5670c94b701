#include "agent/parse/field_value.h"

#include <algorithm>

#include "agent/base/json_text.h"
#include "agent/parse/json_token.h"

namespace sidelight {
namespace {

bool is_blank(char c) {
  return static_cast<unsigned char>(c) <= ' ' || c == '\x7F';
}

// At most `limit` bytes, not ending inside a UTF-8 sequence.
std::string_view cut(std::string_view s, std::size_t limit) {
  if (s.size() <= limit) return s;
  while (limit > 0 && (static_cast<unsigned char>(s[limit]) & 0xC0) == 0x80) --limit;
  return s.substr(0, limit);
}

}  // namespace

std::string_view plain_escaped_text(const FieldValue& value, Arena& arena) {
  return unescape(value.bytes.substr(1, value.bytes.size() - 2), arena);
}

bool is_harmless_key(std::string_view key) {
  if (key.size() > kLongestKey) return false;
  bool segment_says_something = false;
  for (std::size_t i = 0; i < key.size(); ++i) {
    const char c = key[i];
    if (static_cast<unsigned char>(c) >= 0x80) {
      std::size_t bad = 0;
      const std::size_t n = utf8_sequence(key.substr(i), bad);
      if (n == 0) return false;
      i += n - 1;
      segment_says_something = true;
    } else if (c == '.') {
      if (!segment_says_something) return false;
      segment_says_something = false;
    } else if (!is_blank(c)) {
      segment_says_something = true;
    } else if (c == '\0') {
      return false;
    }
  }
  return segment_says_something;
}

bool is_plain_key(std::string_view key) {
  const auto plain = [](char c) { return c >= ' ' && c <= '~' && c != '"' && c != '\\'; };
  return is_harmless_key(key) && std::all_of(key.begin(), key.end(), plain);
}

// Bytes that are no UTF-8 go too: keys that differ only in them would become equal when the document is
// written.
std::string_view harmless_key(std::string_view key, Arena& arena) {
  if (is_harmless_key(key)) return key;
  key = cut(key, kLongestKey);
  char* const to = arena.allocate(key.size() + 1);
  bool says_something = false;
  for (std::size_t i = 0; i < key.size(); ++i) {
    std::size_t n = 1;
    std::size_t bad = 0;
    const bool ascii = static_cast<unsigned char>(key[i]) < 0x80;
    if (!ascii) n = utf8_sequence(key.substr(i), bad);
    const bool harmful = n == 0 || key[i] == '\0' || key[i] == '.';
    to[i] = harmful ? '_' : key[i];
    says_something = says_something || !is_blank(to[i]);
    for (; n > 1; --n, ++i) to[i + 1] = key[i + 1];
  }
  if (says_something) return {to, key.size()};
  to[0] = '_';
  return {to, 1};
}

}  // namespace sidelight

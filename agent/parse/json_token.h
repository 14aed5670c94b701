// The pieces of JSON text (RFC 8259): strings, numbers, and repairing bytes that are no UTF-8.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "agent/base/arena.h"

namespace sidelight {

// What the escapes of a string's body say; `body` is what stands between the quotes, without unescaped quotes
// or control characters.
enum class EscapeCheck {
  fine,            // a valid string body
  lone_surrogate,  // grammatical, but names half a character: it must be unescaped (which puts U+FFFD there)
  broken,          // no JSON
};

// The character that a backslash and `c` stand for, or '\0' when they are no JSON, or more belongs to them
// (\u).
constexpr char simple_escape(char c) {
  switch (c) {
    case '"':
      return '"';
    case '\\':
      return '\\';
    case '/':
      return '/';
    case 'b':
      return '\b';
    case 'f':
      return '\f';
    case 'n':
      return '\n';
    case 'r':
      return '\r';
    case 't':
      return '\t';
    default:
      return '\0';
  }
}

// escape_length() of \u.
std::size_t unicode_escape_length(std::string_view rest, bool& lone);

// The length of the escape (two, for a pair of surrogates) that `rest`, the rest of a body, begins with; 0
// when it is no JSON. `lone` is set for half a character.
inline std::size_t escape_length(std::string_view rest, bool& lone) {
  if (rest.size() < 2) return 0;
  if (rest[1] != 'u') return simple_escape(rest[1]) == '\0' ? 0 : 2;
  return unicode_escape_length(rest, lone);
}

// The characters that `body`, whose escapes are not broken, stands for. Without a backslash that is `body`
// itself, else a copy in the arena. Valid UTF-8 stays valid.
std::string_view unescape(std::string_view body, Arena& arena);

enum class NumberShape {
  integer,      // within int64
  real,         // a finite double
  unsupported,  // grammatical, but beyond what Elasticsearch takes as a number
  broken,
};
NumberShape classify_number(std::string_view token);

// Appends `text` as a JSON string literal, repaired to UTF-8.
void append_json_string(std::string& out, std::string_view text);

// Makes JSON-like text acceptable where only bytes are wrong: what is no UTF-8 becomes U+FFFD, control
// characters inside strings become escapes.
std::string repair_json(std::string_view text);

}  // namespace sidelight

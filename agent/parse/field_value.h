// A value on its way into a record, as the line gives it.
#pragma once

#include <cstdint>
#include <string_view>

#include "agent/base/arena.h"

namespace sidelight {

enum class Shape : std::uint8_t {
  text,       // plain bytes
  string,     // a JSON string literal, quotes included, valid
  integer,    // a JSON number within int64
  real,       // another JSON number
  boolean,    // true, false
  null,       // null
  container,  // a valid JSON object or array
};

struct FieldValue {
  Shape shape = Shape::text;
  bool escaped = false;  // Shape::string: holds a backslash
  std::string_view bytes;

  bool is_string() const { return shape == Shape::text || shape == Shape::string; }
};

// plain_text() of a string that holds a backslash.
std::string_view plain_escaped_text(const FieldValue& value, Arena& arena);

// What the value says as plain text: a string without quotes and escapes, others as they are written.
inline std::string_view plain_text(const FieldValue& value, Arena& arena) {
  if (value.shape != Shape::string) return value.bytes;
  if (value.escaped) return plain_escaped_text(value, arena);
  return {value.bytes.data() + 1, value.bytes.size() - 2};
}

// A key that Elasticsearch takes anywhere in a document, made from `key` (unescaped, UTF-8): not empty, no
// path segment between dots empty or blank, no NUL, at most kLongestKey bytes. Nearly always `key` itself.
std::string_view harmless_key(std::string_view key, Arena& arena);
bool is_harmless_key(std::string_view key);
// Harmless, and printable ASCII that stands in JSON as it is.
bool is_plain_key(std::string_view key);
inline constexpr std::size_t kLongestKey = 256;

}  // namespace sidelight

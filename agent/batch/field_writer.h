// Writes fields with dotted names as nested objects, and the bytes that documents are made of.
#pragma once

#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>

#include "agent/parse/record.h"

namespace sidelight {

inline char* put(char* out, std::string_view s) {
  std::memcpy(out, s.data(), s.size());
  return out + s.size();
}

// A decimal number; room for 20 bytes.
char* put_number(char* out, std::uint64_t v);

// A value as JSON: quoted and escaped, or as it is.
char* put_value(char* out, std::string_view value, ValueKind kind);

// The most bytes that put_value writes. One document adds kValueSlack once, since values may be stored in
// whole vectors.
inline constexpr std::size_t kValueSlack = 128;
std::size_t value_bound(std::string_view value, ValueKind kind);

struct NamedValue {
  std::string_view name;  // dotted; segments need no escaping
  std::string_view value;
  ValueKind kind = ValueKind::text;
  std::uint16_t ordinal = 0;  // of a record's field: its place in the ECS table
};

// Upper bound of what the name costs in put_fields: every segment with quotes, colon, comma and braces.
inline std::size_t name_bound(std::string_view name) {
  std::size_t segments = 1;
  for (const char c : name) segments += c == '.' ? 1u : 0u;
  return name.size() + 6 * segments;
}

// Writes `fields`, sorted by name and none the parent of another, each preceded by a comma, as members of the
// object that is open. All names begin with `parent` and a dot when it is not empty, and the object that is
// open is `parent`.
char* put_fields(char* out, std::span<const NamedValue> fields, std::string_view parent);

}  // namespace sidelight

// Writes fields with dotted names as nested objects, and the bytes that documents are made of.
#pragma once

#include <array>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>
#include <type_traits>

#include "agent/base/json_text.h"
#include "agent/parse/record.h"

namespace sidelight {

// A literal: its length is known, so no call.
template <std::size_t N>
char* put(char* out, const char (&literal)[N]) {
  std::memcpy(out, literal, N - 1);
  return out + N - 1;
}

// put() of more than 32 bytes. Not inlined, or put() itself would have to save registers for the call.
[[gnu::noinline]] char* put_long(char* out, std::string_view s);

// Most pieces of a document are short: two overlapping stores are cheaper than a call. Writes no byte beyond
// the result.
inline char* put(char* out, std::string_view s) {
  const std::size_t n = s.size();
  const char* const p = s.data();
  const auto both_ends = [&]<std::size_t K>(std::integral_constant<std::size_t, K>) {
    std::array<char, K> first;
    std::array<char, K> last;
    std::memcpy(first.data(), p, K);
    std::memcpy(last.data(), p + n - K, K);
    std::memcpy(out, first.data(), K);
    std::memcpy(out + n - K, last.data(), K);
  };
  if (n > 32) return put_long(out, s);
  if (n >= 16) {
    both_ends(std::integral_constant<std::size_t, 16>());
  } else if (n >= 8) {
    both_ends(std::integral_constant<std::size_t, 8>());
  } else if (n >= 4) {
    both_ends(std::integral_constant<std::size_t, 4>());
  } else if (n > 0) {
    out[0] = p[0];
    out[n / 2] = p[n / 2];
    out[n - 1] = p[n - 1];
  }
  return out + n;
}

// A decimal number; room for 20 bytes.
char* put_number(char* out, std::uint64_t v);

// A value as JSON: quoted and escaped, or as it is.
inline char* put_value(char* out, std::string_view value, ValueKind kind) {
  if (kind == ValueKind::json) return put(out, value);
  *out++ = '"';
  out += escape_json(out, value);
  *out++ = '"';
  return out;
}

// The most bytes that put_value writes. One document adds kValueSlack once, since values may be stored in
// whole vectors.
inline constexpr std::size_t kValueSlack = 128;
std::size_t text_bound(std::string_view text);  // of ValueKind::text
inline std::size_t value_bound(std::string_view value, ValueKind kind) {
  return kind == ValueKind::json ? value.size() : text_bound(value);
}

struct NamedValue {
  std::string_view name;  // dotted; segments need no escaping
  std::string_view value;
  ValueKind kind = ValueKind::text;
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

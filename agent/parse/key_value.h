// Reads key=value pairs: logfmt, and what people put behind an access log line.
#pragma once

#include <string_view>

#include "agent/base/arena.h"

namespace sidelight {

struct Pair {
  std::string_view key;    // empty: a value stands alone
  std::string_view value;  // without quotes and escapes
  bool has_value = false;  // false: `key` stands alone
  bool quoted = false;
};

// Takes the next pair from the front of `rest`, blanks before it included. Values may be quoted, with the
// escapes of Go and JSON; copies are in the arena. False at the end, or when a quote stays open (then `rest`
// is not empty).
bool next_pair(std::string_view& rest, Arena& arena, Pair& out);

}  // namespace sidelight

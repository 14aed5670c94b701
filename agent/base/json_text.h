// Writes text as the inside of a JSON string (RFC 8259), repairing what is not UTF-8.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace sidelight {

// The most that escape_json writes, or touches behind what it wrote, for `n` bytes of text.
constexpr std::size_t escaped_bound(std::size_t n) {
  return 6 * n + 64;
}

// Writes `text`, escaped and without quotes, to `out`, which must have room for escaped_bound(text.size())
// bytes (it stores whole vectors, so bytes behind the result are overwritten). Quotes, backslashes and
// control bytes below 0x20 are escaped; each maximal part of an ill-formed UTF-8 sequence becomes U+FFFD
// (Unicode 15, 3.9, "substitution of maximal subparts"); the rest is copied. Returns the bytes written.
// Thread-safe; `text` and `out` must not overlap.
std::size_t escape_json(char* out, std::string_view text);

// The same without vector instructions beyond what the platform always has; for tests and old processors.
std::size_t escape_json_portable(char* out, std::string_view text);

// Length of the well-formed UTF-8 sequence at the start of `text` (not empty); or 0, and then `bad` is the
// length of the maximal ill-formed part.
std::size_t utf8_sequence(std::string_view text, std::size_t& bad);

// `text` with each maximal ill-formed part replaced by U+FFFD, as escape_json does it. Not for the hot path.
std::string repair_utf8(std::string_view text);

}  // namespace sidelight

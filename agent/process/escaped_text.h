// Text inside JSON: what its escapes stand for, and values rewritten.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "agent/base/arena.h"

namespace sidelight {

// A line with its escapes resolved, each byte traceable to where it came from.
struct UnescapedLine {
  std::string text;
  std::vector<std::uint32_t> from;  // from[i]: where in the line text[i] began; one more for the line's end
};

// What is no escape stays as it is. Any bytes, less than 4 GiB.
void unescape_line(std::string_view line, UnescapedLine& out);
// The text alone.
void unescape_line(std::string_view line, std::string& out);

// The characters that a valid JSON string literal stands for; a view into it, or into the arena.
std::string_view json_characters(std::string_view literal, Arena& arena);

// Asks `change` about each string (its characters), key and number of a valid JSON value; where it returns
// true its second argument takes the place, as a string. `out` is valid JSON, with unique keys where `json`
// has such. Returns whether anything changed.
using ChangeText = std::function<bool(std::string_view text, std::string& changed)>;
bool rewrite_json(std::string_view json, const ChangeText& change, Arena& arena, std::string& out);

}  // namespace sidelight

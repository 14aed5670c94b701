// Text inside JSON: what its escapes stand for, and values rewritten.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "agent/base/arena.h"

namespace sidelight {

// A line with its escapes resolved. Where a text between two escapes came from is known, so that the map is
// as short as there are escapes.
struct UnescapedLine {
  struct Piece {
    std::uint32_t text = 0;  // where it begins in the text
    std::uint32_t line = 0;  // and in the line
    bool escape = false;     // all of it stands for one escape
  };
  std::string text;
  std::vector<Piece> pieces;  // ascending; the last one is the end of both

  // Where in the line text[i] began; i may be the text's size.
  std::size_t from(std::size_t i) const;
};

// What is no escape stays as it is. Any bytes, less than 4 GiB.
void unescape_line(std::string_view line, UnescapedLine& out);

// The characters that a valid JSON string literal stands for; a view into it, or into the arena.
std::string_view json_characters(std::string_view literal, Arena& arena);

// Asks `change` about each string (its characters), key and number of a valid JSON value; where it returns
// true its second argument takes the place, as a string. `out` is valid JSON, with unique keys where `json`
// has such. Returns whether anything changed.
using ChangeText = std::function<bool(std::string_view text, std::string& changed)>;
bool rewrite_json(std::string_view json, const ChangeText& change, Arena& arena, std::string& out);

}  // namespace sidelight

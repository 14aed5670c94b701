// Numbers in text from outside, taken whole or not at all.
#pragma once

#include <optional>
#include <string_view>

namespace sidelight {

// A finite decimal number: "0.25", "-3", "1e3". Nothing for anything else.
std::optional<double> parse_number(std::string_view text);
// A count below 2^64, digits only. (As a double, which is what metrics hold: exact up to 2^53.)
std::optional<double> parse_count(std::string_view text);

}  // namespace sidelight

// What the value of a metric's label may be.
#pragma once

#include <string>
#include <string_view>

namespace sidelight {

// Valid UTF-8 (other bytes become U+FFFD), cut at 200 bytes between two characters.
std::string label_text(std::string_view text);

}  // namespace sidelight

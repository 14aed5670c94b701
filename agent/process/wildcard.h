// Globs for values: * is any run of bytes, ? one byte. No paths, no classes.
#pragma once

#include <string_view>

namespace sidelight {

bool matches_wildcard(std::string_view pattern, std::string_view text);
bool holds_wildcard(std::string_view pattern);

}  // namespace sidelight

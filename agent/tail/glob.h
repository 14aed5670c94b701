// Shell-like path patterns: * ? [a-z] [!a] within one path segment, ** for any number of directories, {a,b}
// alternatives.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace sidelight {

// "a{b,c}d" -> "abd", "acd"; braces may nest. At most 1024 results; a pattern with more is left as it is.
std::vector<std::string> expand_braces(const std::string& pattern);

// One segment (no '/'). A leading dot must be matched explicitly.
bool match_segment(std::string_view pattern, std::string_view name);

// A whole path, segment by segment, with "**".
bool match_path(std::string_view pattern, std::string_view path);

bool has_wildcard(std::string_view segment);

}  // namespace sidelight
